/** What goes over the wire: against a recorder on this machine. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { credential, recorded, runNode } from './harness.mjs';

const ACCOUNT = { type: 'account', id: 'act_1', attributes: { 'reference-id': 'one' }, relationships: {} };
const CREATED = { status: 201, body: { data: ACCOUNT } };
const KEY = 'persona_sandbox_recorded';

const keysOf = (requests) => requests.map(({ headers }) => headers['idempotency-key']);

test("n8n's Retry On Fail sends each item under the key it had", () =>
  recorded(
    ({ body }) => (body.includes('second') && failures-- > 0 ? { status: 500 } : CREATED),
    async ({ requests, credentials }) => {
      const items = ['first', 'second', 'second'].map((name) => ({ json: { name } }));
      const settings = { retryOnFail: true, maxTries: 2, waitBetweenTries: 1 };
      const fields = { referenceId: '={{ $json.name }}' };
      const result = await runNode('create_account', fields, { items, credentials, settings });
      assert.equal(result.error, undefined);
      const [first, second, ...again] = keysOf(requests);
      const third = again.pop();
      assert.deepEqual(again, [first, second]);
      assert.equal(new Set([first, second, third]).size, 3);
      for (const key of [first, second, third]) assert.match(key, /^[0-9a-f]{64}$/);
    },
  ));
let failures = 1;

test('another run, another execution and another request have other keys', () =>
  recorded(
    () => CREATED,
    async ({ requests, credentials }) => {
      const create = (referenceId, executionId, runs) => runNode('create_account', { referenceId }, { credentials, executionId, runs });
      await create('one', '7', 2);
      await create('two', '7', 1);
      await create('one', '8', 1);
      const keys = keysOf(requests);
      assert.equal(new Set(keys).size, 4);
      await create('one', '7', 1);
      assert.equal(keysOf(requests).at(-1), keys[0]);
    },
  ));

test('a list asks for no more pages than its limit needs, for each item', () =>
  recorded(
    ({ url }) => ({ body: { data: [ACCOUNT, { ...ACCOUNT, id: 'act_2' }], links: { next: `${url}&page%5Bafter%5D=act_2` } } }),
    async ({ requests, credentials }) => {
      const items = [{ json: {} }, { json: {} }];
      const result = await runNode('list_accounts', { limit: 2 }, { items, credentials });
      const sizes = requests.map(({ url }) => new URL(url, credentials.baseUrl).searchParams.get('page[size]'));
      assert.deepEqual(sizes, ['2', '2']);
      assert.deepEqual(result.items.map(({ json, pairedItem }) => [json.id, pairedItem.item]), [
        ['act_1', 0],
        ['act_2', 0],
        ['act_1', 1],
        ['act_2', 1],
      ]);
    },
  ));

test('a redirect is never followed', () =>
  recorded(
    () => CREATED,
    (elsewhere) =>
      recorded(
        () => ({ status: 307, headers: { Location: `${elsewhere.credentials.baseUrl}/accounts` } }),
        async ({ credentials }) => {
          const { error } = await runNode('create_account', { referenceId: 'one' }, { credentials });
          assert.equal(elsewhere.requests.length, 0);
          assert.match(error.message, /307/);
          assert.equal(error.context.errorDetails.tookEffect, 'unknown');
        },
      ),
  ));

test('the credentials give the key to their own host alone', async () => {
  const data = { apiKey: KEY, baseUrl: 'https://persona.example/api/v1' };
  const request = await credential.authenticate(data, { url: '/accounts', baseURL: data.baseUrl, headers: { Accept: 'text/plain' } });
  assert.deepEqual(request.headers, { Accept: 'text/plain', Authorization: `Bearer ${KEY}` });
  for (const url of ['https://elsewhere.example/', 'http://persona.example/', 'https://persona.example:8443/'])
    await assert.rejects(credential.authenticate(data, { url }), /base URL of its credentials alone/);
});

test('an answer is read in the encoding it comes in, and no further than a limit', async () => {
  const body = gzipSync(JSON.stringify({ data: ACCOUNT }));
  const compressed = { raw: body, headers: { 'Content-Encoding': 'gzip' } };
  await recorded(
    () => compressed,
    async ({ credentials }) => {
      const { items } = await runNode('get_account', { accountId: 'act_1' }, { credentials });
      assert.equal(items[0].json.account.referenceId, 'one');
    },
  );
  const endless = { raw: gzipSync(Buffer.alloc(40_000_000, ' ')), headers: { 'Content-Encoding': 'gzip' } };
  await recorded(
    () => endless,
    async ({ credentials }) => {
      const { error } = await runNode('get_account', { accountId: 'act_1' }, { credentials });
      assert.equal(error.context.errorDetails.kind, 'response_error');
    },
  );
});

test('a file that is none is an error, and no binary data', () =>
  recorded(
    () => ({ raw: Buffer.from('<html>'), headers: { 'Content-Type': 'application/pdf' } }),
    async ({ credentials }) => {
      const { items, error } = await runNode('print_inquiry_pdf', { inquiryId: 'inq_1' }, { credentials });
      assert.deepEqual(items, []);
      assert.equal(error.context.errorDetails.kind, 'response_error');
    },
  ));

test('moments and days come from the expressions of n8n', () =>
  recorded(
    () => ({ body: { data: [], links: { next: null } } }),
    async ({ requests, credentials }) => {
      const createdAtStart = "={{ DateTime.fromISO('2026-01-02T03:04:05+02:00') }}";
      const createdAtEnd = '2026-02-01T00:00:00';
      await runNode('list_inquiries', { additionalFields: { createdAtStart, createdAtEnd } }, { credentials });
      const birthdate = "={{ DateTime.fromISO('1988-11-02') }}";
      await runNode('create_report', { reportType: 'watchlist', reportTemplateId: 'rptp_1', term: 'Mira', birthdate }, { credentials });
      const query = new URL(requests[0].url, credentials.baseUrl).searchParams;
      assert.equal(query.get('filter[created-at-start]'), '2026-01-02T01:04:05Z');
      assert.equal(query.get('filter[created-at-end]'), '2026-02-01T00:00:00Z');
      assert.equal(JSON.parse(requests[1].body).data.attributes.query.birthdate, '1988-11-02');
    },
  ));

test('a problem is told by the title of its field', () =>
  recorded(
    () => CREATED,
    async ({ requests, credentials }) => {
      const { error } = await runNode('update_account', { accountId: 'act_1' }, { credentials });
      assert.equal(error.message, 'Nothing was sent: Reference ID, Country, Fields, Tags: At least one of them must be given.');
      const fields = { accountId: 'act_1', countryCode: 'USA', fields: '{"name":' };
      const { error: two } = await runNode('update_account', fields, { credentials });
      assert.match(`${two.message} ${two.description}`, /Country: It is not two letters\./);
      assert.match(`${two.message} ${two.description}`, /Fields: It is text that is not JSON/);
      assert.equal(two.name, 'NodeOperationError');
      await assert.rejects(runNode('update_account', {}, { credentials }), /"Account ID" is required/);
      for (const limit of ['={{ 0 }}', '={{ 1.5 }}', "={{ 'many' }}"])
        assert.match((await runNode('list_accounts', { limit }, { credentials })).error.message, /^Limit/);
      assert.equal(requests.length, 0);
    },
  ));
