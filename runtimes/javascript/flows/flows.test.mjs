/** Whole flows against an offline Persona that is served at PERSONA_BASE_URL, with the key of PERSONA_API_KEY. */

import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { manifest } from '../conformance/documents.mjs';
import { Persona } from '../src/persona.mjs';

const folder = await mkdtemp(join(tmpdir(), 'persona-'));
const sleep = (seconds) => pause(Math.min(seconds * 10, 100));
const persona = new Persona(manifest(), { folder, sleep });
const templates = await persona.call('list_inquiry_templates').then(({ inquiryTemplates }) => inquiryTemplates);
const inquiryTemplateId = templates[0].id;

/** Play the applicant of an inquiry, who is no part of the API. */
async function playApplicant(inquiryId) {
  const answer = await fetch(new URL('/sandbox/applicant', process.env.PERSONA_BASE_URL), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ 'inquiry-id': inquiryId, outcome: 'pass' }),
  });
  equal(answer.status, 200);
}

test('a person is invited, verified, approved and put on file', async () => {
  const referenceId = randomUUID();
  const fields = { 'name-first': 'Ada', 'name-last': 'Kent', birthdate: '1994-04-12' };
  const { inquiry } = await persona.call('create_inquiry', { inquiryTemplateId, referenceId, fields, note: 'x', tags: 'vip, new' });
  equal(inquiry.status, 'created');
  deepEqual([inquiry.fields['name-first'], inquiry.tags], ['Ada', ['vip', 'new']]);
  const { inquiryId } = { inquiryId: inquiry.id };
  const link = await persona.call('generate_inquiry_link', { inquiryId, expiresInSeconds: '3600' });
  match(link.oneTimeLink, /^http/);
  ok((await persona.call('generate_inquiry_link', { inquiryId })).oneTimeLink);
  await playApplicant(inquiryId);
  const done = await persona.run('get_inquiry', { inquiryId }, { wait: true });
  equal(done.output.inquiry?.status, 'completed', done.error);
  for (const verificationId of done.output.inquiry.verificationIds) {
    const { verification } = await persona.call('get_verification', { verificationId });
    equal(verification.status, 'passed');
    ok(verification.checks.length > 0);
  }
  ok(done.output.inquiry.verificationIds.length > 0);
  const [documentId] = done.output.inquiry.documentIds;
  ok((await persona.call('get_document', { documentId })).document.files.length > 0);
  const { inquiry: approved } = await persona.call('approve_inquiry', { inquiryId, comment: 'All well' });
  deepEqual([approved.status, approved.reviewerComment], ['approved', 'All well']);
  const { file } = await persona.call('print_inquiry_pdf', { inquiryId });
  equal(file.name, `${inquiryId}.pdf`);
  equal((await readFile(file.path)).subarray(0, 5).toString(), '%PDF-');
  const { accounts } = await persona.call('list_accounts', { referenceId });
  deepEqual(accounts.map(({ id }) => id), [approved.accountId]);
  const found = await persona.call('list_inquiries', { referenceId, status: 'approved, declined', inquiryTemplateId });
  deepEqual(found.inquiries.map(({ id }) => id), [inquiryId]);
  equal((await persona.run('approve_inquiry', { inquiryId: 'inq_none' })).errorDetails.kind, 'not_found');
});

test('a name is screened and the report awaited', async () => {
  const params = { reportType: 'watchlist', reportTemplateId: 'rptp_Watchlist', nameFirst: 'Ada', nameLast: 'Kent', countryCode: 'gb' };
  const { success, output, error } = await persona.run('create_report', params, { wait: true });
  ok(success, error);
  deepEqual([output.report.status, output.report.hasMatch], ['ready', false]);
});

test('people are imported from a file, and the import awaited', async () => {
  const path = join(folder, 'people.csv');
  const header = 'reference_id,name_first,name_middle,name_last,birthdate,social_security_number,tags';
  await writeFile(path, `${header}\n${randomUUID()},Ada,,Byron,1990-12-10,,new\n${randomUUID()},Grace,,Hopper,1986-12-09,,new\n`);
  for (const file of [path, Buffer.from(`${header}\n${randomUUID()},Jane,,Doe,1994-04-12,,\n`)]) {
    const { importer } = await persona.wait('import_accounts', { file });
    deepEqual([importer.status, importer.successfulCount, importer.errorCount], ['ready', file === path ? 2 : 1, 0]);
  }
});

test('every account is read, page after page', async () => {
  const ids = [];
  let pages = 0;
  for await (const { accounts } of persona.paginate('list_accounts', { pageSize: 60 })) {
    ids.push(...accounts.map(({ id }) => id));
    pages += 1;
  }
  ok(ids.length >= 200 && pages === Math.ceil(ids.length / 60), `${ids.length} accounts on ${pages} pages`);
  equal(new Set(ids).size, ids.length);
});
