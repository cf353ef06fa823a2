/** Webhooks: whether Persona signed a body, and the event in it. grammar.webhooks. */

import { createHmac, timingSafeEqual } from 'node:crypto';

import { build, parseBody } from './answer.mjs';
import { find, isObject } from './json.mjs';

/**
 * Return the event of a webhook that Persona signed; throws an Error, which shows nothing of it, for any other.
 * @param {object} manifest
 * @param {Uint8Array|string} body what came, byte for byte
 * @param {string} header the value of the header that manifest.webhooks names
 * @param {string|string[]} secrets the webhook's secret, or both while one replaces the other
 * @param {number} [now] seconds since the epoch
 * @returns {{id: string, name: string, createdAt: string, object: object}} `object` in the shape that operations give
 */
export function verifyWebhook({ webhooks }, body, header, secrets, now = Date.now() / 1000) {
  const keys = [secrets].flat();
  if (!keys.length || keys.includes('')) throw new TypeError('A secret is missing; without one, anybody could sign.');
  const sets = String(header).split(' ').map((set) => /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(set));
  if (sets.includes(null) || sets.length > webhooks.largestNumberOfSets) throw new Error('The signature is malformed.');
  const isSigned = ([, time, hex]) => keys.some((key) => timingSafeEqual(digest(key, time, body), Buffer.from(hex, 'hex')));
  const isTimely = ([, time]) => Math.abs(now - time) <= webhooks.toleranceSeconds;
  if (!sets.filter(isSigned).some(isTimely)) throw new Error('The webhook is old, or none of the secrets signed it.');
  const event = inKebabCase(parseBody(Buffer.from(body)));
  const object = find(event, '/data/attributes/payload/data');
  if (typeof object?.type !== 'string') throw new Error('The webhook is signed, but is no event.');
  const shape = webhooks.objects[object.type.split('/')[0]];
  const [id, name, createdAt] = ['/id', '/attributes/name', '/attributes/created-at'].map((at) => find(event, `/data${at}`));
  return { id, name, createdAt, object: shape ? build(shape, object) : object };
}

const digest = (key, time, body) => createHmac('sha256', key).update(`${time}.`).update(body).digest();

function inKebabCase(value) {
  if (Array.isArray(value)) return value.map(inKebabCase);
  if (!isObject(value)) return value;
  const words = /(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Za-z])(?=[0-9])|_/g;
  const entries = Object.entries(value).map(([key, inner]) => [key, key === 'fields' ? inner : inKebabCase(inner)]);
  return Object.fromEntries(entries.map(([key, inner]) => [key.replace(words, '-').toLowerCase(), inner]));
}
