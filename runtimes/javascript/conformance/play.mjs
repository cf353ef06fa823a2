/** Plays a test vector, as grammar.vectors explains them, and tells what came of it in the vector's own words. */

import { Broken, buildOutput, errorOf, parseBody, readErrors, waitAfter } from '../src/answer.mjs';
import { checkParams } from '../src/params.mjs';
import { safeName } from '../src/files.mjs';
import { verifyWebhook } from '../src/persona.mjs';
import { buildRequest } from '../src/request.mjs';

/** The parts of an entry that say what has to come out, by its kind. */
const WANTED = {
  calls: ['request'],
  refusals: ['problems'],
  answers: ['output', 'error'],
  errors: ['error'],
  retries: ['again', 'after'],
  webhooks: ['accepted', 'event'],
  files: ['safe'],
};

export const KINDS = Object.keys(WANTED);

/** Return the parts of an entry that say what has to come out. */
export function wanted(kind, entry) {
  return Object.fromEntries(WANTED[kind].filter((name) => name in entry).map((name) => [name, entry[name]]));
}

/** Return what the runtime makes of the parts of an entry that go in. */
export function play(manifest, kind, entry) {
  const definition = manifest.tools.definitions.find(({ name }) => name === entry.operation);
  return PLAYERS[kind](manifest, entry, definition);
}

const PLAYERS = {
  calls: call,
  refusals: call,
  answers: answer,
  errors: failure,
  retries: next,
  webhooks: webhook,
  files: fileName,
};

function call(manifest, { params }, definition) {
  const { values, problems } = checkParams(definition, params, manifest.wire.auth.param, manifest.idKinds);
  const place = ({ param, code }) => `${param} ${code}`;
  if (problems.length) return { problems: problems.sort((one, other) => (place(one) < place(other) ? -1 : 1)) };
  const { query, ...request } = buildRequest(definition, values);
  return { request: query ? { ...request, query } : request };
}

function answer(manifest, { status, body, text = JSON.stringify(body) }, definition) {
  try {
    return { output: buildOutput(definition, parseBody(Buffer.from(text))) };
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    const { kind, tookEffect } = errorOf(definition, { status, isBroken: true }, null);
    return { error: { kind, tookEffect } };
  }
}

function failure(manifest, { status, body, text = JSON.stringify(body) }, definition) {
  const told = readErrors(parseBody(Buffer.from(text)));
  return { error: { ...errorOf(definition, { status }, 'the-key-of-the-call'), ...told } };
}

function next({ retry }, { attempt, elapsed, ...ended }, definition) {
  const range = waitAfter(retry, definition.request.method, attempt, ended);
  const left = retry.deadlineSeconds - elapsed;
  if (range === null || range[0] > left) return { again: false };
  return range[1] > left ? { again: null } : { again: true, after: range.map((seconds) => Number(seconds.toFixed(6))) };
}

function webhook(manifest, { body, header, secrets, now }) {
  try {
    const { id, name, object } = verifyWebhook(manifest, body, header, secrets, now);
    return { accepted: true, event: { id, name, object } };
  } catch {
    return { accepted: false };
  }
}

function fileName(manifest, { name }) {
  return { safe: safeName(name) };
}
