/** What an answer becomes: the output that was promised, or an error. grammar.response and grammar.error. */

import { DEEPEST, find, isNestedBelow, isObject, mapValues } from './json.mjs';

/** An answer that is not what its definition promises. */
export class Broken extends Error {}

function fail() {
  throw new Broken('The answer is not what was promised.');
}

/** Return the JSON of a body, with U+FFFD for half of a surrogate pair; undefined where it is none. */
export function parseBody(bytes) {
  try {
    return wellFormed(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch {
    return undefined;
  }
}

function wellFormed(value) {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name.toWellFormed(), wellFormed(inner)]));
}

/** Return the output of an operation from the JSON of a 2xx answer; throws Broken. */
export function buildOutput(definition, body) {
  if (!isObject(body)) fail();
  return mapValues(definition.response, ({ pointer, queryParam, shape }) => {
    const value = find(body, pointer);
    if (queryParam) return isObject(find(body, pointer.replace(/\/[^/]+$/, ''))) ? cursorIn(value, queryParam) : fail();
    return value === null && !shape.type.includes('null') ? fail() : build(shape, value);
  });
}

function cursorIn(link, queryParam) {
  if (link === null) return null;
  const query = typeof link === 'string' ? link.replace(/#.*$/s, '').replace(/^[^?]*\??/, '') : '';
  return new URLSearchParams(query).getAll(queryParam).find((value) => value !== '') ?? fail();
}

function isOfType(type, value) {
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  return type === 'object' ? isObject(value) : typeof value === type;
}

/** Return a value as its shape says; throws Broken where it is of none of the shape's types. */
export function build(shape, value) {
  const types = [shape.type].flat();
  if (value === null) {
    if (types.includes('array')) return [];
    if (types.includes('null')) return null;
    return types.includes('object') && !shape['x-type'] ? {} : fail();
  }
  if (!types.some((type) => isOfType(type, value)) || (value === '' && types.length === 1)) fail();
  if (isObject(value) && !shape.properties && isNestedBelow(value, DEEPEST)) fail();
  if (shape['x-unwrap']) return mapValues(value, unwrap);
  if (Array.isArray(value) && shape.items) return value.map((entry) => build(shape.items, entry));
  if (!isObject(value) || !shape.properties) return value;
  if (shape['x-type'] && !(typeof value.type === 'string' && `${value.type}/`.startsWith(`${shape['x-type']}/`))) fail();
  return mapValues(shape.properties, (part) => build(part, mapped(part, value)));
}

function mapped(shape, resource) {
  const collected = shape['x-collect']?.flatMap((pointer) => find(resource, pointer));
  return collected ? collected.filter(isObject) : find(resource, shape['x-from']);
}

function unwrap(value) {
  if (Array.isArray(value)) return value.map(unwrap);
  if (!isObject(value)) return value;
  const isWrapped = Object.keys(value).sort().join() === 'type,value' && typeof value.type === 'string';
  return isWrapped ? unwrap(value.value) : mapValues(value, unwrap);
}

/** Return title and details of an error's body, each null where it tells none. */
export function readErrors(body) {
  const texts = (name) => find(body, `/errors/*/${name}`).filter((text) => typeof text === 'string' && text !== '');
  return { title: texts('title')[0] ?? null, details: texts('details').join('; ') || null };
}

const KINDS = {
  400: 'rejected', 401: 'unauthorized', 403: 'forbidden', 404: 'not_found', 408: 'unavailable', 409: 'conflict',
  422: 'rejected', 429: 'rate_limited',
};

/**
 * @typedef {object} Ended How an attempt ended.
 * @property {number|null} status null where no whole answer came
 * @property {boolean} [sent] whether anything can have been sent, where no whole answer came
 * @property {boolean} [isBroken] whether the answer could not be read, or broke its promise
 * @property {number|null} [remaining] requests that are left in the window, where that was told
 * @property {number|null} [reset] seconds to the end of the window, where that was told
 */

/** Return the least and the most seconds to wait before the next attempt; null where there must be none. */
export function waitAfter(retry, method, attempt, { status, isBroken, remaining, reset }) {
  if (isBroken || (status === 429 && remaining > 0)) return null;
  const most = Math.min(retry.longestDelaySeconds, retry.firstDelaySeconds * 2 ** (attempt - 1));
  const least = Math.max(Math.min(reset ?? 1, retry.longestWindowSeconds), most / 2);
  if (status === 429) return [least, least + 0.25];
  const again = method === 'POST' ? retry.again : [...retry.again, ...retry.againUnlessPost];
  return status === null || again.includes(status) ? [most / 2, most] : null;
}

/** Return tookEffect after an attempt that gave no output: null for a read, else no or unknown. */
export function effectOf({ effect }, { status, sent = true, isBroken }) {
  const isUnknown = status === null ? sent : isBroken || status < 400 || status === 408 || status >= 500;
  return effect === 'read' ? null : isUnknown ? 'unknown' : 'no';
}

/** Return what errorDetails tell of a call whose last attempt ended so, and an earlier one perhaps in doubt. */
export function errorOf(definition, ended, callKey, isInDoubt = false) {
  const { status, isBroken, remaining } = ended;
  const isPost = definition.request.method === 'POST';
  const ofStatus = KINDS[status] ?? (status >= 500 ? 'unavailable' : 'api_error');
  const kind = status === null ? 'transport_error' : isBroken || status < 300 ? 'response_error' : ofStatus;
  const tookEffect = isInDoubt ? 'unknown' : effectOf(definition, ended);
  const idempotencyKey = tookEffect === 'unknown' && isPost ? callKey : null;
  const isFinal = (status === 429 && remaining > 0) || (status === 500 && isPost);
  const mayHelp = ['transport_error', 'rate_limited', 'unavailable'].includes(kind) && !isFinal;
  const retryable = mayHelp && (tookEffect !== 'unknown' || idempotencyKey !== null);
  return { kind, status, retryable, tookEffect, idempotencyKey };
}
