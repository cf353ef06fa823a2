/** Whole flows in n8n's runner of workflows, against the offline Persona. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { recorder, runAsTool, runNode, SANDBOX, steer, testCredentials } from './harness.mjs';

/** Run an operation that is to go well, and return its items. */
async function run(operation, fields, options) {
  const { items, error } = await runNode(operation, fields, options);
  assert.equal(error, undefined, error?.message);
  return items;
}

async function newInquiry() {
  const fields = { 'name-first': 'Mira', 'name-last': 'Harbour' };
  const [{ json }] = await run('create_inquiry', { inquiryTemplateId: 'itmpl_DatabaseCheck', fields: JSON.stringify(fields) });
  return json.inquiry.id;
}

test('an onboarding, from the link to the PDF', async () => {
  const inquiryId = await newInquiry();
  const [{ json: link, pairedItem }] = await run('generate_inquiry_link', { inquiryId, additionalFields: { expiresInSeconds: 600 } });
  assert.match(link.oneTimeLink, /^https?:/);
  assert.deepEqual(pairedItem, { item: 0 });
  await steer('/sandbox/applicant', { 'inquiry-id': inquiryId, outcome: 'pass' });
  const [{ json: read }] = await run('get_inquiry', { inquiryId, waitUntilDone: true });
  assert.equal(read.inquiry.status, 'completed');
  const [{ json: approved }] = await run('approve_inquiry', { inquiryId, comment: 'Documents match' });
  assert.equal(approved.inquiry.status, 'approved');
  assert.equal(approved.inquiry.reviewerComment, 'Documents match');
  const [{ json: printed, binary }] = await run('print_inquiry_pdf', { inquiryId, binaryField: 'record' });
  assert.deepEqual(Object.keys(binary), ['record']);
  assert.equal(binary.record.mimeType, 'application/pdf');
  assert.equal(binary.record.fileName, `${inquiryId}.pdf`);
  assert.deepEqual(Object.keys(printed.file), ['name', 'mimeType', 'size']);
});

test('a list gives so many entries as the limit says, or all of them, each as an item', async () => {
  for (const limit of [1, 7, 150]) {
    const items = await run('list_accounts', { returnAll: false, limit });
    assert.equal(items.length, limit);
    assert.equal(new Set(items.map(({ json }) => json.id)).size, limit);
    assert.ok(items.every(({ pairedItem }) => pairedItem.item === 0));
  }
  const all = await run('list_accounts', { returnAll: true });
  assert.ok(all.length >= 200, String(all.length));
  assert.equal(new Set(all.map(({ json }) => json.id)).size, all.length);
  const pageAfter = all[9].json.id;
  const [next] = await run('list_accounts', { returnAll: false, limit: 1, additionalFields: { pageAfter } });
  assert.equal(next.json.id, all[10].json.id);
  assert.deepEqual(await run('list_accounts', { returnAll: true, referenceId: 'nobody' }), []);
});

test('a report is waited for', async () => {
  const fields = { reportType: 'watchlist', reportTemplateId: 'rptp_Watchlist', term: 'Jane Watchlist' };
  const [{ json: pending }] = await run('create_report', fields);
  assert.equal(pending.report.status, 'pending');
  const [{ json: ready }] = await run('create_report', { ...fields, waitUntilDone: true });
  assert.equal(ready.report.status, 'ready');
  assert.equal(ready.report.hasMatch, true);
});

test('a CSV file comes from a binary field', async () => {
  const csv = `reference_id,name_first,name_last\n${process.pid}-1,Ada,Harbour\n${process.pid}-2,Grace,Harbour\n`;
  const file = { data: Buffer.from(csv).toString('base64'), mimeType: 'text/csv', fileName: 'people.csv' };
  const items = [{ json: {}, binary: { upload: file } }];
  const [{ json }] = await run('import_accounts', { file: 'upload', waitUntilDone: true }, { items });
  assert.equal(json.importer.status, 'ready');
  assert.equal(json.importer.successfulCount, 2);
  const { error } = await runNode('import_accounts', { file: 'elsewhere' }, { items });
  assert.match(error.message, /elsewhere/);
});

test('what ends badly is an error that holds what was read', async () => {
  const inquiryId = await newInquiry();
  await steer('/sandbox/applicant', { 'inquiry-id': inquiryId, outcome: 'fail' });
  const settings = { onError: 'continueRegularOutput' };
  const { items } = await runNode('get_inquiry', { inquiryId, waitUntilDone: true }, { settings });
  const { error } = items[0].json;
  assert.equal(error.kind, 'wait_failed');
  assert.equal(error.output.inquiry.status, 'failed');
});

test('each item has its own request, and an error of one does not end the others', async () => {
  const inquiryId = await newInquiry();
  const items = [inquiryId, 'inq_unknown', inquiryId].map((id) => ({ json: { id } }));
  const fields = { inquiryId: '={{ $json.id }}' };
  const stopped = await runNode('get_inquiry', fields, { items });
  assert.match(stopped.error.message, /404/);
  assert.equal(stopped.error.context.itemIndex, 1);
  assert.deepEqual(stopped.items, []);
  const regular = await runNode('get_inquiry', fields, { items, settings: { onError: 'continueRegularOutput' } });
  assert.deepEqual(regular.items.map(({ json }) => json.inquiry?.id ?? json.error.kind), [inquiryId, 'not_found', inquiryId]);
  assert.deepEqual(regular.items.map(({ pairedItem }) => pairedItem.item), [0, 1, 2]);
  const split = await runNode('get_inquiry', fields, { items, settings: { onError: 'continueErrorOutput' } });
  assert.equal(split.items.length, 2);
  assert.deepEqual(split.errorItems.map(({ json }) => [json.error.status, json.error.retryable]), [[404, false]]);
  assert.match(split.errorItems[0].json.error.message, /^Get Inquiry: Persona answered 404/);
});

test('the node tries again by itself, under one key, where that can do no harm', async () => {
  const isFull = { status: 429, headers: { 'RateLimit-Remaining': '0', 'RateLimit-Reset': '0' } };
  const created = { status: 201, body: { data: { type: 'account', id: 'act_1', attributes: {}, relationships: {} } } };
  const answers = [{ status: 503 }, isFull, created];
  const { requests, credentials, close } = await recorder(() => answers.shift());
  const [{ json }] = await run('create_account', { referenceId: 'one' }, { credentials });
  close();
  assert.equal(json.account.id, 'act_1');
  assert.equal(requests.length, 3);
  assert.equal(new Set(requests.map(({ headers }) => headers['idempotency-key'])).size, 1);
});

test('waiting ends with the execution', async () => {
  const inquiryId = await newInquiry();
  const started = performance.now();
  await runNode('get_inquiry', { inquiryId, waitUntilDone: true }, { cancelAfter: 500 }).catch(() => {});
  assert.ok(performance.now() - started < 4000);
});

test('an agent runs what the node is set to, and fills in what it is left', async () => {
  const inquiryId = await newInquiry();
  const fields = { inquiryId: "={{ $fromAI('inquiry', 'Id of the inquiry', 'string') }}" };
  const [{ tool, answer }] = await runAsTool('get_inquiry', fields, [{ inquiry: inquiryId }]);
  assert.deepEqual(tool.params, ['inquiry']);
  assert.match(tool.description, /Get Inquiry/);
  assert.equal(JSON.parse(answer)[0].inquiry.id, inquiryId);
});

test('an agent settles nothing unless it may', async () => {
  const inquiryId = await newInquiry();
  const fields = { inquiryId: "={{ $fromAI('inquiry', '', 'string') }}" };
  const [refused] = await runAsTool('approve_inquiry', fields, [{ inquiry: inquiryId }]);
  assert.match(refused.answer, /wants a person's word/);
  const [{ json }] = await run('get_inquiry', { inquiryId });
  assert.equal(json.inquiry.status, 'created');
  const [allowed] = await runAsTool('approve_inquiry', { ...fields, allowAgent: true }, [{ inquiry: inquiryId }]);
  assert.equal(JSON.parse(allowed.answer)[0].inquiry.status, 'approved');
});

test('an agent is told what went wrong', async () => {
  const [{ answer }] = await runAsTool('get_inquiry', { inquiryId: "={{ $fromAI('inquiry', '', 'string') }}" }, [{ inquiry: 'inq_unknown' }]);
  assert.match(answer, /404/);
  const [{ answer: printed }] = await runAsTool('print_inquiry_pdf', { inquiryId: await newInquiry() }, [{}]);
  assert.equal(JSON.parse(printed)[0].file.mimeType, 'application/pdf');
});

test('credentials are tested by a read', async () => {
  assert.ok(Array.isArray((await testCredentials(SANDBOX)).data));
  assert.ok(Array.isArray((await testCredentials({ ...SANDBOX, apiKey: ` ${SANDBOX.apiKey}\n`, baseUrl: `${SANDBOX.baseUrl}/` })).data));
  for (const [change, message] of [
    [{ apiKey: 'persona_sandbox_unknown' }, /401|Authorization/],
    [{ apiKey: '' }, /API key/],
    [{ apiKey: 'with a space' }, /API key/],
    [{ baseUrl: 'http://persona.example/api/v1' }, /base URL/],
    [{ baseUrl: 'https://user:password@persona.example/' }, /base URL/],
    [{ baseUrl: 'nonsense' }, /base URL|Invalid URL/],
  ])
    await assert.rejects(testCredentials({ ...SANDBOX, ...change }), (error) => {
      assert.match(`${error.message} ${error.description} ${error.messages?.join()}`, message);
      return true;
    });
});

test('credentials that cannot be right are refused before anything is sent', async () => {
  for (const change of [{ apiKey: ' ' }, { baseUrl: 'http://persona.example/api/v1' }]) {
    const { error } = await runNode('list_inquiries', {}, { credentials: { ...SANDBOX, ...change } });
    assert.match(error.message, /of the credentials/);
  }
});
