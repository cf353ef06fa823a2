/** The manifest's test vectors, played through the node in n8n's runner: every request, every refusal and every output. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CSV, DEFINITIONS, isBlank, paramsOf, play, VECTORS } from './vectors.mjs';

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
    const pageSize = vector.params[definition.paginate?.size];
    const sorted = (text) => entries(text, definition, isBlank(pageSize) ? 50 : Number(pageSize));
    assert.equal(method, vector.request.method, text);
    assert.equal(path, vector.request.path, text);
    assert.deepEqual(sorted(query), sorted(vector.request.query ?? ''), text);
    assert.deepEqual(vector.request.multipart ? undefined : body ? JSON.parse(body) : undefined, vector.request.body, text);
    for (const part of Object.keys(vector.request.multipart ?? {}))
      assert.ok(body.includes(`name="${part}"; filename="accounts.csv"\r\nContent-Type: text/csv\r\n\r\n${CSV}\r\n`), text);
    const mediaType = vector.request.multipart ? 'multipart/form-data' : vector.request.body && 'application/json';
    assert.equal(headers['content-type']?.split(';')[0], mediaType, text);
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

test(`${VECTORS.files.length} files are named as the vectors say`, async () => {
  const { safeName } = await import(`${process.env.PERSONA_PACKAGE}/runtime/files.mjs`);
  for (const { name, safe } of VECTORS.files) assert.equal(safeName(name), safe, name);
});
