/** Writes against an offline Persona that goes wrong: none happens twice, and what is told of each is so. */

import { deepEqual, equal, ok } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';

import { manifest } from '../conformance/documents.mjs';
import { Persona } from '../src/persona.mjs';

const { retry, ...rest } = manifest();
const hurried = { ...retry, readSeconds: 0.5, deadlineSeconds: 5, firstDelaySeconds: 0.02, longestDelaySeconds: 0.1 };
const persona = new Persona({ ...rest, retry: hurried });

/** Return the output of a read, however often it fails. */
async function insist(name, params) {
  for (;;) {
    const { success, output } = await persona.run(name, params);
    if (success) return output;
  }
}

async function everyInquiry(referenceId) {
  return (await insist('list_inquiries', { referenceId, pageSize: 100 })).inquiries;
}

test('nothing doubles while calls go wrong', async () => {
  const { inquiryTemplates } = await insist('list_inquiry_templates');
  const referenceId = randomUUID();
  const create = (note, options) => persona.run('create_inquiry', { inquiryTemplateId: inquiryTemplates[0].id, referenceId, note }, options);
  const notes = Array.from({ length: 60 }, (_, number) => `${number}`);
  const told = new Map();
  await Promise.all(notes.map(async (note) => {
    let result = await create(note);
    for (let again = 0; again < 3 && result.errorDetails?.retryable; again += 1)
      result = await create(note, { idempotencyKey: result.errorDetails.idempotencyKey ?? undefined });
    told.set(note, result);
  }));
  const inquiries = await everyInquiry(referenceId);
  for (const [note, { success, errorDetails, retries }] of told) {
    const count = inquiries.filter((inquiry) => inquiry.note === note).length;
    const story = `${note}: ${count} times; ${JSON.stringify(errorDetails)} ${JSON.stringify(retries)}`;
    ok(count <= 1, story);
    if (success) equal(count, 1, story);
    if (errorDetails?.tookEffect === 'no') equal(count, 0, story);
  }
  ok([...told.values()].filter(({ success }) => success).length > 30);
  ok([...told.values()].some(({ retries }) => retries.length > 0), 'something went wrong');
  const decided = inquiries.slice(0, 20);
  const results = await Promise.all(decided.map(({ id }) => persona.run('decline_inquiry', { inquiryId: id })));
  const after = new Map((await everyInquiry(referenceId)).map(({ id, status }) => [id, status]));
  for (const [index, { success, errorDetails }] of results.entries()) {
    const status = after.get(decided[index].id);
    if (success) equal(status, 'declined');
    else ok(errorDetails.tookEffect === 'unknown' || status !== 'declined', JSON.stringify(errorDetails));
  }
  deepEqual(after.size, inquiries.length);
});
