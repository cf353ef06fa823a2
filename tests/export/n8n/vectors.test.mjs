/**
 * The manifest's test vectors, played through the node in n8n's runner: every request that is made, every refusal, every
 * output and every error. The package that is played gives up after the first attempt, as the vectors say it.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { node, recorder, runNode } from './harness.mjs';

const VECTORS = JSON.parse(readFileSync(process.env.PERSONA_VECTORS, 'utf8'));
const DEFINITIONS = Object.fromEntries(
  JSON.parse(readFileSync(process.env.PERSONA_MANIFEST, 'utf8')).tools.definitions.map((definition) => [definition.name, definition]),
);
const CONTINUE = { onError: 'continueRegularOutput' };

/** Return the node's fields that give some params: each by an expression, so that a value comes with its own JSON type. */
function fieldsOf(operation, params) {
  const shown = node.description.properties.filter(({ displayOptions }) => displayOptions?.show.operation?.includes(operation));
  const { name: folder, options = [] } = shown.find(({ type }) => type === 'collection') ?? {};
  const fields = {};
  const folded = {};
  // n8n itself runs no node whose required field is blank, so those have their expression in any case.
  for (const name of new Set([...Object.keys(params), ...DEFINITIONS[operation].params.required])) {
    const expression = `={{ $json[${JSON.stringify(name)}] }}`;
    if (shown.some((field) => field.name === name)) fields[name] = expression;
    else if (options.some((field) => field.name === name)) folded[name] = expression;
  }
  const { size } = DEFINITIONS[operation].paginate ?? {};
  if (!isBlank(params[size])) fields.limit = `={{ $json[${JSON.stringify(size)}] }}`;
  return Object.keys(folded).length ? { ...fields, [folder]: folded } : fields;
}

const isBlank = (value) => value === undefined || value === null || (typeof value === 'string' && value.trim() === '');

/** Run the operation of a vector and return its items, its error, and the requests that came. */
async function play({ operation, params }, answer = () => ({}), more = {}) {
  const { requests, credentials, close } = await recorder(answer);
  try {
    const fileNames = Object.values(params).filter((value) => typeof value === 'string');
    const file = { data: Buffer.from('reference_id\n1\n').toString('base64'), mimeType: 'text/csv', fileName: 'accounts.csv' };
    const items = [{ json: params, binary: Object.fromEntries(fileNames.map((name) => [name, file])) }];
    const result = await runNode(operation, { ...fieldsOf(operation, params), ...more }, { items, credentials, settings: CONTINUE });
    return { ...result, requests };
  } finally {
    close();
  }
}

/** Return the entries of a query in an order of their own, with the size of the page that the node asks for in any case. */
function entries(query, { paginate, request }, limit) {
  const size = Object.entries(request.query ?? {}).find(([, source]) => source === `{${paginate?.size}}`)?.[0];
  const given = query.split('&').filter((entry) => entry && !entry.startsWith(`${encodeURIComponent(size)}=`));
  return (size ? [...given, `${encodeURIComponent(size)}=${Math.min(limit, 100)}`] : given).sort();
}

test(`${VECTORS.calls.length} requests are as the vectors say`, async () => {
  for (const vector of VECTORS.calls) {
    const definition = DEFINITIONS[vector.operation];
    const { requests } = await play(vector);
    const text = JSON.stringify(vector);
    assert.equal(requests.length, 1, text);
    const [{ method, url, headers, body }] = requests;
    const [path, query = ''] = url.replace('/api/v1', '').split('?');
    const limit = vector.params[definition.paginate?.size];
    assert.equal(method, vector.request.method, text);
    assert.equal(path, vector.request.path, text);
    assert.deepEqual(entries(query, definition, isBlank(limit) ? 50 : Number(limit)), entries(vector.request.query ?? '', definition, isBlank(limit) ? 50 : Number(limit)), text);
    assert.deepEqual(vector.request.multipart ? undefined : body ? JSON.parse(body) : undefined, vector.request.body, text);
    for (const part of Object.keys(vector.request.multipart ?? {})) assert.ok(body.includes(`name="${part}"; filename="accounts.csv"`), text);
    assert.equal(headers['content-type']?.split(';')[0], vector.request.multipart ? 'multipart/form-data' : vector.request.body && 'application/json', text);
    assert.match(headers.authorization, /^Bearer persona_sandbox_recorded$/);
    assert.equal(headers['idempotency-key'] === undefined, method !== 'POST', text);
  }
});

test(`${VECTORS.refusals.length} refusals are as the vectors say, and nothing is sent`, async (context) => {
  const counts = { codes: 0, files: 0, limits: 0, unknown: 0 };
  for (const vector of VECTORS.refusals) {
    // The node has no field for a name that no param has.
    const problems = vector.problems.filter(({ code }) => code !== 'unknown');
    const { items, requests } = await play(vector);
    const text = JSON.stringify(vector);
    const error = items[0]?.json.error;
    const { size } = DEFINITIONS[vector.operation].paginate ?? {};
    if (!problems.length) counts.unknown += 1;
    else if (problems.some(({ param }) => param === size)) {
      // Limit stands in the place of the size of a page, and may be more than one page.
      const isLong = vector.params[size] > DEFINITIONS[vector.operation].params.properties[size].maximum;
      assert.equal(requests.length, isLong ? 1 : 0, text);
      if (!isLong) assert.match(error.message, /^Limit/, text);
      counts.limits += 1;
    } else if (problems.some(({ code }) => code === 'not_file')) {
      assert.equal(requests.length, 0, text);
      assert.match(error.message, /binary/, text);
      counts.files += 1;
    } else {
      assert.equal(requests.length, 0, text);
      const codes = (list) => list.map(({ param, code }) => `${param}: ${code}`).sort();
      assert.deepEqual(codes(error.problems), codes(problems), text);
      counts.codes += 1;
    }
  }
  context.diagnostic(JSON.stringify(counts));
});

test(`${VECTORS.answers.length} answers become what the vectors say`, async () => {
  for (const vector of VECTORS.answers) {
    const { paginate, response } = DEFINITIONS[vector.operation];
    const wanted = vector.output?.[paginate?.items];
    const limit = Math.max(1, wanted?.length ?? 1);
    const lastPage = { data: [], links: { next: null } };
    let isFirst = true;
    const answer = () => {
      const body = isFirst ? vector.body : lastPage;
      isFirst = false;
      return { status: vector.status, body };
    };
    const { items } = await play({ operation: vector.operation, params: paramsOf(vector.operation) }, answer, paginate ? { limit } : {});
    const text = JSON.stringify(vector).slice(0, 300);
    if (vector.error) {
      const { kind, tookEffect } = items[0].json.error;
      assert.deepEqual({ kind, tookEffect }, vector.error, text);
    } else if (paginate) assert.deepEqual(items.map(({ json }) => json), wanted, text);
    else assert.deepEqual(items.map(({ json }) => json), [vector.output], text);
  }
});

/** Params with which an operation can be called. */
function paramsOf(operation) {
  return VECTORS.calls.find((call) => call.operation === operation).params;
}

test(`${VECTORS.errors.length} errors are text as the vectors say`, async () => {
  for (const vector of VECTORS.errors) {
    const answer = () => ({ status: vector.status, body: vector.body });
    const { items, requests } = await play({ operation: vector.operation, params: paramsOf(vector.operation) }, answer);
    const text = JSON.stringify(vector);
    assert.equal(requests.length, 1, text);
    const [{ json: { error } }] = items;
    const key = vector.error.idempotencyKey === null ? null : requests[0].headers['idempotency-key'];
    const shown = Object.fromEntries(Object.keys(vector.error).map((name) => [name, error[name]]));
    assert.deepEqual(shown, { ...vector.error, idempotencyKey: key }, text);
    const effect = { no: /Nothing was changed/, unknown: /took effect is unknown/ }[vector.error.tookEffect] ?? /Running it again/;
    assert.match(error.description, effect, text);
  }
});

test(`${VECTORS.files.length} files are named as the vectors say`, async () => {
  const { safeName } = await import(`${process.env.PERSONA_PACKAGE}/runtime/files.mjs`);
  for (const { name, safe } of VECTORS.files) assert.equal(safeName(name), safe, name);
});
