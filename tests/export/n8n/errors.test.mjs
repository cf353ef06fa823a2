/** What an error tells, and what it does not. The package that is played gives up after the first attempt. */

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { inspect } from 'node:util';

import { recorded, runAsTool, runNode } from './harness.mjs';
import { paramsOf, play, VECTORS } from './vectors.mjs';

const KEY = 'persona_sandbox_recorded';

test(`${VECTORS.errors.length} errors are told as the vectors say`, async () => {
  for (const vector of VECTORS.errors) {
    const answer = () => ({ status: vector.status, body: vector.body, headers: { 'RateLimit-Reset': '60' } });
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

/** Listen on this machine while something is done with credentials that lead there. */
async function listening(connected, use) {
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    connected(socket);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const credentials = { apiKey: KEY, baseUrl: `http://127.0.0.1:${server.address().port}` };
  try {
    return await use(credentials, server);
  } finally {
    server.close();
    for (const socket of sockets) socket.destroy();
  }
}

test('no error holds the API key', async () => {
  const shown = (error) => inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error);
  for (const status of [401, 302, 422, 503])
    await recorded(
      () => ({ status }),
      async ({ credentials }) => {
        const { error } = await runNode('update_account', { accountId: 'act_1', countryCode: 'US' }, { credentials });
        assert.ok(error.message.includes(status));
        assert.ok(!shown(error).includes(KEY));
      },
    );
  await listening(
    () => {},
    async (credentials, server) => {
      server.close();
      const { error } = await runNode('update_account', { accountId: 'act_1', countryCode: 'US' }, { credentials });
      const { kind, tookEffect } = error.context.errorDetails;
      assert.deepEqual({ kind, tookEffect }, { kind: 'transport_error', tookEffect: 'no' });
      assert.match(error.message, /did not answer/);
      assert.ok(!shown(error).includes(KEY));
    },
  );
});

const HALF_AN_ANSWER = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"data": ';

for (const [how, behave] of [
  ['is cut off', (socket) => socket.destroy()],
  ['does not come', () => {}],
  ['stops halfway', (socket) => socket.write(HALF_AN_ANSWER)],
  ['is cut off halfway', (socket) => socket.end(HALF_AN_ANSWER)],
])
  test(`an answer that ${how} leaves a write in doubt, under a key that makes it safe to try again`, () =>
    listening(
      (socket) => socket.once('data', () => behave(socket)),
      async (credentials) => {
        const { error } = await runNode('create_account', { referenceId: 'one' }, { credentials });
        const { kind, tookEffect, retryable, idempotencyKey } = error.context.errorDetails;
        assert.deepEqual({ kind, tookEffect, retryable }, { kind: 'transport_error', tookEffect: 'unknown', retryable: true });
        assert.match(idempotencyKey, /^[0-9a-f]{64}$/);
        assert.match(error.description, /Whether it took effect is unknown\..*same idempotency key/);
        assert.ok(!inspect(error, { depth: 20, showHidden: true }).includes(KEY));
      },
    ));

test('an agent is not told to try again what may have happened, since its tries have keys of their own', () =>
  recorded(
    () => ({ status: 503 }),
    async ({ requests, credentials }) => {
      const settings = { retryOnFail: true, maxTries: 2, waitBetweenTries: 1 };
      const [{ answer }] = await runAsTool('create_account', { referenceId: 'one' }, [{}], { credentials, settings });
      assert.match(answer, /Whether it took effect is unknown\. Read the object/);
      assert.ok(!answer.includes('Retry On Fail'));
      assert.equal(new Set(requests.map(({ headers }) => headers['idempotency-key'])).size, 2);
    },
  ));
