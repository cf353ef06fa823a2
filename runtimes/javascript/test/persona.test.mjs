/** What no vector shows: headers, attempts, waiting, pages, files, and that secrets stay secret. */

import { deepEqual, equal, match, ok, rejects, throws } from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';

import { manifest as readManifest } from '../conformance/documents.mjs';
import { Persona, PersonaError, verifyWebhook } from '../src/persona.mjs';

const manifest = readManifest();
const API_KEY = 'persona_sandbox_held-back';
const ID = { inquiryId: 'inq_1' };

const inquiry = (attributes = {}) => ({ data: { type: 'inquiry', id: 'inq_1', attributes } });
const account = (id) => ({ type: 'account', id });
const json = (body, status = 200, headers = {}) => () => new Response(JSON.stringify(body), { status, headers });
const failed = (status, headers) => json({ errors: [{ title: 'No', details: 'Not so' }] }, status, headers);
const lost = () => Promise.reject(new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } }));
const refused = () => Promise.reject(new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } }));
const pdf = (body, type = 'application/pdf') => () => new Response(body, { headers: { 'Content-Type': type } });

/** Return a runtime whose requests get one reply after another, with the requests and the seconds that it slept. */
function scripted(replies, options = {}) {
  const requests = [];
  const sleeps = [];
  const fetch = (url, init) => {
    requests.push({ url, ...init });
    return Promise.resolve().then(replies[requests.length - 1] ?? lost);
  };
  const sleep = async (seconds) => void sleeps.push(seconds);
  const { retry, ...own } = options;
  const persona = new Persona({ ...manifest, retry: { ...manifest.retry, ...retry } }, { apiKey: API_KEY, fetch, sleep, ...own });
  return { persona, requests, sleeps };
}

const folder = () => mkdtemp(join(tmpdir(), 'persona-'));

test('a request has the headers of the manifest, and a POST one key for all its attempts', async () => {
  const { persona, requests, sleeps } = scripted([lost, failed(503), json(inquiry({ status: 'approved' })), json(inquiry())]);
  const result = await persona.run('approve_inquiry', ID);
  ok(result.success, result.error);
  equal(result.attempts, 3);
  deepEqual(result.retries.map(({ reason }) => reason), ['no answer (ECONNRESET)', 'status 503']);
  ok(sleeps[0] >= 0.25 && sleeps[0] <= 0.5 && sleeps[1] >= 0.5 && sleeps[1] <= 1);
  const [first, second] = requests;
  equal(first.headers.Authorization, `Bearer ${API_KEY}`);
  equal(first.headers['Persona-Version'], manifest.wire.headers['Persona-Version']);
  match(first.headers['Idempotency-Key'], /^[!-~]{20,255}$/);
  equal(first.headers['Idempotency-Key'], second.headers['Idempotency-Key']);
  equal(first.redirect, 'manual');
  equal(first.body, undefined);
  await persona.run('update_inquiry', { ...ID, note: 'x' });
  equal(requests[3].headers['Idempotency-Key'], undefined);
  equal(requests[3].headers['Content-Type'], 'application/json');
});

test('what a decision says of its effect', async () => {
  const cases = [
    [[failed(404)], 'no'],
    [[failed(500)], 'unknown'],
    [[lost, failed(404)], 'unknown'],
    [[refused, failed(404)], 'no'],
    [[lost, refused, failed(404)], 'unknown'],
    [[failed(503), failed(422), json(inquiry({ status: 'pending' }))], 'unknown'],
    [[failed(503), failed(409), lost, failed(404)], 'unknown'],
    [[lost, failed(409), json(inquiry({ status: 'approved' }))], undefined],
    [[failed(409)], 'no'],
    [[failed(302)], 'unknown'],
    [[json({})], 'unknown'],
  ];
  for (const [replies, tookEffect] of cases) {
    const { persona } = scripted(replies);
    const { success, errorDetails, output } = await persona.run('approve_inquiry', ID, { idempotencyKey: 'own' });
    equal(errorDetails?.tookEffect, tookEffect);
    equal(errorDetails?.idempotencyKey, tookEffect === 'unknown' ? 'own' : tookEffect && null);
    equal(success, tookEffect === undefined);
    if (success) equal(output.inquiry.status, 'approved');
  }
});

test('an erasure whose answer was lost is read back', async () => {
  const { persona, requests } = scripted([lost, failed(409), json(inquiry({ 'redacted-at': '2026-01-01T00:00:00Z' }))]);
  equal((await persona.call('redact_inquiry', ID)).inquiry.redactedAt, '2026-01-01T00:00:00Z');
  deepEqual(requests.map(({ method }) => method), ['DELETE', 'DELETE', 'GET']);
});

test('a full window is waited out, a used-up quota and a wait beyond the deadline are not', async () => {
  const limits = (remaining, reset) => ({ 'RateLimit-Remaining': remaining, 'RateLimit-Reset': reset });
  const full = scripted([failed(429, limits('0', '2')), json(inquiry())]);
  ok((await full.persona.run('get_inquiry', ID)).success);
  ok(full.sleeps[0] >= 2 && full.sleeps[0] <= 2.25);
  const quota = scripted([failed(429, limits('7', '2'))]);
  const { errorDetails } = await quota.persona.run('get_inquiry', ID);
  deepEqual([errorDetails.kind, errorDetails.retryable, errorDetails.retryAfter], ['rate_limited', false, null]);
  const late = scripted([failed(429, limits('0', '50'))], { retry: { deadlineSeconds: 3 } });
  for (const attempts of [1, 0]) {
    const result = await late.persona.run('create_account', {});
    equal(result.attempts, attempts);
    deepEqual([result.errorDetails.kind, result.errorDetails.tookEffect], ['rate_limited', 'no']);
    ok(result.errorDetails.retryable && result.errorDetails.retryAfter > 49);
  }
  const other = await late.persona.run('get_inquiry', { ...ID, apiKey: 'another' });
  equal(other.errorDetails.kind, 'transport_error');
});

test('a call waits until a window has room again', async () => {
  const { persona, sleeps } = scripted([json(inquiry(), 200, { 'RateLimit-Remaining': '0', 'RateLimit-Reset': '7' }), json(inquiry())]);
  await persona.call('get_inquiry', ID);
  deepEqual(sleeps, []);
  await persona.call('get_inquiry', ID);
  ok(sleeps[0] > 6 && sleeps[0] <= 7);
  const odd = { 'RateLimit-Remaining': '0', 'RateLimit-Reset': '1e9' };
  const long = { 'RateLimit-Remaining': '0', 'RateLimit-Reset': '5000' };
  for (const [headers, retryAfter] of [[odd, null], [long, 60]])
    equal((await scripted([failed(429, headers)], { retry: { deadlineSeconds: 0 } }).persona.run('get_inquiry', ID)).errorDetails.retryAfter, retryAfter);
});

/** Call `use` with a runtime whose server answers as `answer` does. */
async function served(answer, retry, use, options) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const baseUrl = `http://127.0.0.1:${server.address().port}/`;
  const hurried = { ...manifest.retry, firstDelaySeconds: 0.01, ...retry };
  await use(new Persona({ ...manifest, retry: hurried }, { apiKey: API_KEY, baseUrl, ...options }));
  server.closeAllConnections();
  server.close();
}

test('an attempt ends in time, and the call with its deadline', async () => {
  const begin = (request, response) => void response.write('{');
  await served(begin, { readSeconds: 0.1, deadlineSeconds: 2 }, async (persona) => {
    const result = await persona.run('create_account', {});
    deepEqual([result.errorDetails.kind, result.errorDetails.tookEffect], ['transport_error', 'unknown']);
    ok(result.attempts >= 2 && result.attempts <= 20, `${result.attempts}`);
    ok(result.errorDetails.retryable && result.errorDetails.idempotencyKey);
  });
  const trickle = (request, response) => void setInterval(() => response.write(' '), 20).unref();
  await served(trickle, { readSeconds: 0.5, deadlineSeconds: 0.2 }, async (persona) => {
    const result = await persona.run('create_account', {});
    deepEqual([result.errorDetails.kind, result.attempts], ['transport_error', 1]);
    ok(result.timing.duration >= 900 && result.timing.duration < 10_000, `${result.timing.duration}`);
  });
});

test('a file may take longer while it comes', async () => {
  const answer = async (request, response) => {
    response.writeHead(200, { 'Content-Type': 'application/pdf' });
    for (let piece = 0; piece < 20; piece += 1) {
      response.write(piece ? Buffer.alloc(8192) : '%PDF-1.7');
      await new Promise((resolve) => setTimeout(resolve, 80));
    }
    response.end();
  };
  await served(answer, { readSeconds: 0.7, deadlineSeconds: 0.2 }, async (persona) => {
    const { output, error, timing } = await persona.run('print_inquiry_pdf', ID);
    equal(output.file?.size, 8 + 19 * 8192, error);
    ok(timing.duration > 1500);
  }, { folder: await folder() });
});

test('an answer over the limit is not read further, unpacked or not', async () => {
  let sent = 0;
  async function* endless() {
    for (; sent < 1e9; sent += 1e6) yield Buffer.alloc(1e6, ' ');
  }
  const { persona } = scripted([() => new Response(endless(), { status: 404 })]);
  const { errorDetails, attempts } = await persona.run('update_inquiry', { ...ID, note: 'x' });
  deepEqual([errorDetails.kind, errorDetails.tookEffect, errorDetails.status, attempts], ['response_error', 'unknown', 404, 1]);
  ok(sent < manifest.wire.answerLimitBytes + 5e6);
});

test('an answer that is nested without end is broken', async () => {
  const deep = `{"data": {"type": "inquiry", "id": "inq_1", "attributes": {"fields": {"a": ${'['.repeat(1e5)}${']'.repeat(1e5)}}}}}`;
  equal((await scripted([() => new Response(deep)]).persona.run('get_inquiry', ID)).errorDetails.kind, 'response_error');
});

test('every problem is told at once, with the code, and nothing is sent', async () => {
  const { persona, requests } = scripted([], { apiKey: undefined });
  const { errorDetails, error } = await persona.run('create_report', { reportType: 'secret value', apiKey: ' \t' });
  deepEqual(errorDetails.problems.map(({ param, code }) => `${param} ${code}`).sort(), [
    'apiKey no_key', 'reportTemplateId required', 'reportType not_listed', 'term one_required',
  ]);
  ok(errorDetails.problems.every(({ message }) => message.length > 5));
  ok(!error.includes('secret value'));
  equal((await persona.run('get_inquiry', { ...ID, apiKey: 'two words' })).errorDetails.problems[0].code, 'bad_key');
  for (const idempotencyKey of ['\n', '', ' x', 'x ', 'x'.repeat(256)])
    equal((await persona.run('get_inquiry', { ...ID, apiKey: 'k' }, { idempotencyKey })).errorDetails.kind, 'input_error');
  equal((await persona.run('no_such_operation')).errorDetails.kind, 'input_error');
  equal((await persona.run('create_account', {}, { wait: true })).errorDetails.kind, 'input_error');
  equal(requests.length, 0);
});

test('an operation is found by its name and by its id', async () => {
  const { persona } = scripted([json(inquiry())]);
  equal((await persona.call('persona_get_inquiry', ID)).inquiry.id, 'inq_1');
});

test('pages follow the cursor, the largest by default, and never in a circle', async () => {
  const page = (id, next) => json({ data: [account(id)], links: { next: next && `/api/v1/accounts?page%5Bafter%5D=${next}` } });
  const { persona, requests } = scripted([page('act_1', 'act_1'), page('act_2', null)]);
  const pages = [];
  for await (const { accounts } of persona.paginate('list_accounts')) pages.push(accounts[0].id);
  deepEqual(pages, ['act_1', 'act_2']);
  match(requests[1].url, /\?page%5Bsize%5D=100&page%5Bafter%5D=act_1$/);
  const circle = scripted([page('act_1', 'act_1'), page('act_1', 'act_1')]).persona.paginate('list_accounts', { pageSize: 3 });
  for (const _ of [1, 2]) ok((await circle.next()).value);
  await rejects(circle.next(), ({ details }) => details.kind === 'response_error');
  await rejects(scripted([]).persona.paginate('get_inquiry', ID).next(), PersonaError);
});

test('waiting ends well, badly, or too late', async () => {
  const report = (status) => json({ data: { type: 'report/watchlist', id: 'rep_1', attributes: { status } } });
  const params = { reportType: 'watchlist', reportTemplateId: 'rptp_1', term: 'Ada' };
  const well = scripted([report('pending'), report('pending'), report('ready')]);
  const { output, attempts } = await well.persona.run('create_report', params, { wait: true });
  deepEqual([output.report.status, attempts, well.sleeps], ['ready', 3, [2]]);
  match(well.requests[2].url, /\/reports\/rep_1$/);
  const badly = await scripted([report('pending'), report('errored')]).persona.run('create_report', params, { wait: true });
  const { kind, tookEffect, retryable } = badly.errorDetails;
  deepEqual([kind, tookEffect, retryable, badly.output.report.status], ['wait_failed', 'yes', false, 'errored']);
  const late = await scripted(Array(200).fill(report('pending'))).persona.run('get_report', { reportId: 'rep_1' }, { wait: true });
  deepEqual([late.errorDetails.kind, late.errorDetails.retryable, late.attempts], ['wait_timed_out', true, 150]);
  const started = await scripted([report('pending'), failed(404)]).persona.run('create_report', params, { wait: true });
  deepEqual([started.errorDetails.kind, started.errorDetails.tookEffect, started.output.report.id], ['not_found', 'yes', 'rep_1']);
});

test('a PDF is stored under a free name once it is whole, and nothing is left of any other', async () => {
  const where = join(await folder(), 'new');
  async function* broken() {
    yield Buffer.from('%PDF-1.7 half');
    throw new TypeError('terminated');
  }
  const part = () => new Response('%PDF-', { status: 206, headers: { 'Content-Type': 'application/pdf' } });
  const replies = [pdf(broken()), pdf('%PDF-1.7 whole'), pdf('%PDF-again', 'Application/PDF; x=y'), pdf('<html>'), pdf('%PDF-', 'text/html'), json({}), part];
  const { persona, requests } = scripted(replies, { folder: where });
  const { file } = await persona.call('print_inquiry_pdf', ID);
  deepEqual([file.name, file.mimeType, file.size], ['inq_1.pdf', 'application/pdf', 14]);
  equal(await readFile(file.path, 'utf8'), '%PDF-1.7 whole');
  equal(await readFile(new URL(file.url), 'utf8'), '%PDF-1.7 whole');
  equal(requests[0].headers.Accept, 'application/pdf, application/json');
  deepEqual([(await stat(file.path)).mode & 0o777, (await stat(where)).mode & 0o777], [0o600, 0o700]);
  equal((await persona.call('print_inquiry_pdf', ID)).file.name, 'inq_1-2.pdf');
  for (const _ of [1, 2, 3, 4]) equal((await persona.run('print_inquiry_pdf', ID)).errorDetails.kind, 'response_error');
  deepEqual((await readdir(where)).sort(), ['inq_1-2.pdf', 'inq_1.pdf']);
});

test('a folder that is none is the host’s own fault', async () => {
  const where = join(await folder(), 'file');
  await writeFile(where, '');
  const result = await scripted([pdf('%PDF-1.7')], { folder: where }).persona.run('print_inquiry_pdf', ID);
  deepEqual([result.errorDetails.kind, result.attempts], ['persona_error', 1]);
});

test('a file is sent from a path, bytes, a Blob or an object, at each attempt anew', async () => {
  const path = join(await folder(), 'people of May.csv');
  await writeFile(path, 'name_first\nAda\n');
  const bytes = Buffer.from('name_first\nAda\n');
  const importer = json({ data: { type: 'importer/account', id: 'mprt_1' } }, 201);
  const sources = [
    [path, 'people-of-May.csv'], [{ path, name: 'x.csv' }, 'x.csv'], [bytes, 'file'], [new Blob([bytes]), 'file'],
    [new File([bytes], '../a b.csv'), 'a-b.csv'], [{ content: bytes, name: 'c.csv' }, 'c.csv'], [{ content: bytes.toString() }, 'file'],
  ];
  for (const [file, name] of sources) {
    const { persona, requests } = scripted([failed(503), importer]);
    ok((await persona.run('import_accounts', { file })).success);
    const sent = requests[1].body.get('data[attributes][file]');
    deepEqual([sent.name, sent.type, await sent.text()], [name, 'text/csv', bytes.toString()]);
    equal(requests[1].headers['Content-Type'], undefined);
  }
  for (const file of [`${path}x`, join(path, '..'), '/dev/zero', { name: 'x' }, 5]) {
    const { errorDetails } = await scripted([]).persona.run('import_accounts', { file });
    deepEqual(errorDetails.problems.map(({ param, code }) => [param, code]), [['file', 'not_file']]);
  }
});

test('nothing shows the key, a value of a param or a query', async () => {
  const { persona } = scripted([failed(404), lost, lost]);
  equal(inspect(persona), `Persona { baseUrl: '${manifest.wire.baseUrl}' }`);
  const shown = [inspect(persona, { depth: 9, showHidden: true }), JSON.stringify(persona)];
  for (const params of [{ referenceId: 'Ada Kent' }, { pageSize: 'Ada Kent' }]) {
    const error = await scripted([failed(404)]).persona.call('list_accounts', params).catch((caught) => caught);
    shown.push(inspect(error, { depth: 9 }), error.stack);
  }
  for (const text of shown) ok(!text.includes(API_KEY) && !text.includes('Ada'), text);
});

test('only https is spoken, and http on this machine', () => {
  for (const baseUrl of ['http://api.example', 'ftp://127.0.0.1', 'https://u:p@api.example', 'https://a.example/?x', 'nonsense', 'http://127.0.0.1.evil.example'])
    throws(() => new Persona(manifest, { baseUrl }), TypeError);
  for (const baseUrl of ['https://api.example/api/v1/', 'http://localhost:1', 'http://127.0.0.2', 'http://[::1]:5/x']) ok(new Persona(manifest, { baseUrl }));
});

test('a webhook needs a secret, and an event', () => {
  for (const secrets of ['', [], ['', 'x']]) throws(() => verifyWebhook(manifest, '{}', 't=1,v1=00', secrets), TypeError);
  for (const body of ['{}', '[]', 'x', '{"data": {"attributes": {"payload": {"data": {"type": 5}}}}}']) {
    const header = `t=1,v1=${createHmac('sha256', 'secret').update(`1.${body}`).digest('hex')}`;
    throws(() => verifyWebhook(manifest, body, header, 'secret', 1), { message: /is no event/ });
  }
});
