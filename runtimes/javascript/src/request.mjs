/** The request of one call, from the picture that its definition draws: grammar.request. */

import { isEmptyObject, isObject, mapValues } from './json.mjs';

const PLACEHOLDER = /\{([A-Za-z][A-Za-z0-9]*)\}/g;

/**
 * Return method, path and query as they stand in the URL, and body or multipart where there is something in it.
 * @param {object} definition an entry of tools.definitions
 * @param {object} values what `checkParams` gave
 */
export function buildRequest({ request: { method, path, query = {}, ...parts }, choose = {} }, values) {
  const keys = mapValues(choose, ({ by, cases }) => chosenCase(cases, values[by] ?? ''));
  const request = { method, path: path.replace(PLACEHOLDER, (_, name) => encode(values[name])) };
  request.query = Object.entries(fill(query, values, keys)).map((entry) => entry.map(encode).join('=')).join('&');
  for (const part of ['body', 'multipart']) {
    const filled = fill(parts[part] ?? {}, values, keys);
    if (!isEmptyObject(filled)) request[part] = filled;
  }
  return request;
}

/** Return what the longest case that a value begins with maps to; undefined where none fits. */
export function chosenCase(cases, value) {
  const fits = (prefix) => prefix !== '*' && value.startsWith(prefix) && !(prefix.endsWith('_') && value === prefix);
  return cases[Object.keys(cases).filter(fits).sort((one, other) => other.length - one.length)[0] ?? '*'];
}

/** Return a text with its placeholders filled; undefined where one of their params is absent. */
export function fillText(text, values) {
  const names = [...text.matchAll(PLACEHOLDER)].map(([, name]) => name);
  if (!names.every((name) => Object.hasOwn(values, name))) return undefined;
  return text === `{${names[0]}}` ? values[names[0]] : text.replace(PLACEHOLDER, (_, name) => values[name]);
}

function fill(template, values, keys) {
  if (typeof template === 'string') return fillText(template, values);
  if (!isObject(template)) return template;
  const filled = {};
  for (const [key, part] of Object.entries(template)) {
    const value = fill(part, values, keys);
    const isLeftOut = value === undefined || (key.endsWith('?') && isEmptyObject(value));
    if (!isLeftOut) filled[key.replace(/\?$/, '').replace(PLACEHOLDER, (_, name) => keys[name])] = value;
  }
  return filled;
}

/** Percent-encode everything but ASCII letters, digits and -._~ */
function encode(value) {
  return encodeURIComponent(value).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}
