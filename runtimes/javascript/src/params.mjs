/** Params as a host sends them, made into what the wire takes or refused: grammar.coerce, formats and refusals. */

import { DEEPEST, isEmptyObject, isNestedBelow, isObject } from './json.mjs';
import { chosenCase } from './request.mjs';

const SPACE = '\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const CONTROL = '\\0-\\x1f\\x7f-\\x9f\\u2028\\u2029';
const TRIMMED = new RegExp(`^[${SPACE}]*((?:[^]*[^${SPACE}])?)[${SPACE}]*$`);
const HAS_CONTROL = new RegExp(`[${CONTROL}]`);
const URI = new RegExp(`^[A-Za-z][A-Za-z0-9+.-]*:[^${SPACE}${CONTROL}]+$`);
const MOMENT = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:[Zz]|([+-])(\d\d)(?::?(\d\d))?)?$/;

/** Why a value is refused; the message is a code of grammar.refusals. */
class Refused extends Error {}

function refuse(code) {
  throw new Refused(code);
}

/**
 * Return the params that are right, in their wire types, and what is wrong with the others.
 * @param {object} definition an entry of tools.definitions
 * @param {object} params
 * @param {string} keyParam the name of the API key's param, which is left to `checkKey`
 * @param {object} idKinds the prefixes that tell the kinds of ids apart
 * @returns {{values: object, problems: {param: string, code: string}[]}}
 */
export function checkParams(definition, params, keyParam, idKinds = {}) {
  const { params: { properties, required = [] }, requireAny, prefixes = {}, choose = {} } = definition;
  const given = Object.entries(params).filter(([name, value]) => name !== keyParam && !isAbsent(value));
  const isGiven = (name) => given.some(([other]) => other === name);
  const [values, problems] = [{}, []];
  const report = (param, code) => problems.push({ param, code });
  for (const [name, value] of given) {
    try {
      const coerced = Object.hasOwn(properties, name) ? coerce(properties[name], value) : refuse('unknown');
      if (Object.hasOwn(prefixes, name)) checkKind(prefixes[name], coerced, idKinds);
      values[name] = coerced;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      report(shown(name), error.message);
    }
  }
  for (const name of required) if (name !== keyParam && !isGiven(name)) report(name, 'required');
  const isAnswered = (name) => isGiven(name) && !isEmptyObject(values[name]);
  if (requireAny && !requireAny.some(isAnswered)) report(requireAny[0], 'one_required');
  for (const { by, cases } of Object.values(choose))
    if (Object.hasOwn(values, by) && chosenCase(cases, values[by]) === undefined) report(by, 'no_case');
  return { values, problems };
}

/** Refuse an id, or a list of them, that by its prefix is one of another kind of object. */
function checkKind(prefix, ids, idKinds) {
  const isOther = (other) => Object.hasOwn(idKinds, other) && other !== prefix;
  if (ids.split(',').some((id) => isOther(id.slice(0, id.indexOf('_') + 1)))) refuse('other_kind');
}

/** Return the first of some API keys that is not blank, or the code of what is wrong with it. */
export function checkKey(...candidates) {
  const keys = candidates.map((key) => (typeof key === 'string' ? key.replace(/^[\t-\r ]+|[\t-\r ]+$/g, '') : key));
  const key = keys.find((each) => each !== undefined && each !== null && each !== '');
  if (key === undefined) return { code: 'no_key' };
  return typeof key === 'string' && /^[!-~]+$/.test(key) ? { key } : { code: 'bad_key' };
}

const trim = (text) => TRIMMED.exec(text)[1];

const isAbsent = (value) => value === null || value === undefined || (typeof value === 'string' && trim(value) === '');

/** Return a name that no param has as text that can be read and sent. */
function shown(name) {
  const start = [...name].slice(0, 64).join('');
  return start.replace(/\p{Surrogate}/gu, (half) => `\\u${half.charCodeAt(0).toString(16)}`);
}

function coerce(param, value) {
  if (param.format === 'file') return isObject(value) ? value : typeof value === 'string' ? asText(value) : refuse('not_file');
  const typed = BY_TYPE[param.type](value);
  const formatted = BY_FORMAT[param.format]?.(typed) ?? typed;
  if (param.enum && !param.enum.includes(formatted)) refuse('not_listed');
  return formatted < param.minimum || formatted > param.maximum ? refuse('out_of_range') : formatted;
}

const BY_TYPE = { string: asText, integer: asInteger, object: asObject, array: asList };

function asText(value) {
  const text = typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER ? decimal(value) : value;
  return typeof text === 'string' ? trim(wellFormed(text)) : refuse('not_text');
}

function asInteger(value) {
  const number = typeof value === 'string' && /^[+-]?\d{1,16}$/.test(trim(value)) ? Number(trim(value)) : value;
  return Number.isSafeInteger(number) ? number + 0 : refuse('not_integer');
}

function asObject(value) {
  const object = typeof value === 'string' ? parseJson(value) : value;
  if (!isObject(object)) refuse('not_object');
  return isNestedBelow(object, DEEPEST) ? refuse('not_carried') : carried(object);
}

function asList(value) {
  let list = value;
  if (typeof value === 'string' && /^[[{"]/.test(trim(value))) list = parseJson(value);
  else if (typeof value === 'string') list = value.split(',').map((part) => trim(part) || refuse('empty_entry'));
  if (!Array.isArray(list)) refuse('not_array');
  return list.map((entry) => (typeof entry === 'string' && trim(wellFormed(entry))) || refuse('not_array'));
}

/** Return a number in decimal digits, without an exponent. */
function decimal(number) {
  const [digits, exponent] = String(Math.abs(number)).split('e-');
  return (number < 0 ? '-' : '') + (exponent ? `0.${'0'.repeat(exponent - 1)}${digits.replace('.', '')}` : digits);
}

const wellFormed = (text) => (text.isWellFormed() ? text : refuse('not_carried'));

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return refuse('not_json');
  }
}

/** Return a copy of a JSON value; refuse one that JSON cannot carry. */
function carried(value) {
  if (typeof value === 'string') return wellFormed(value);
  if (Array.isArray(value)) return value.map(carried);
  if (isObject(value))
    return Object.fromEntries(Object.entries(value).map(([name, entry]) => [wellFormed(name), carried(entry)]));
  return value === null || typeof value === 'boolean' || Number.isFinite(value) ? value : refuse('not_carried');
}

const BY_FORMAT = {
  id: (text) => (text === '.' || text === '..' || HAS_CONTROL.test(text) ? refuse('not_id') : text),
  'id-list': (text) => text.split(',').map((part) => trim(part) || refuse('empty_entry')).map(BY_FORMAT.id).join(','),
  list: (text) => BY_FORMAT['id-list'](text),
  uri: (text) => (URI.test(text) ? text : refuse('not_uri')),
  date: (text) => (isDay(text) ? text : refuse('not_date')),
  'date-time': (text) => moment(text) ?? refuse('not_date_time'),
  'country-code': (text) => (/^[A-Za-z]{2}$/.test(text) ? text.toUpperCase() : refuse('not_country_code')),
};

function isDay(text) {
  const midnight = new Date(/^(?!0000)\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00Z` : NaN);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(text);
}

/** Return a moment in UTC as the wire takes it; null where the text is none. */
function moment(text) {
  const [, day, hour, minute, second = 0, fraction = '', sign, offsetHours = 0, offsetMinutes = 0] = MOMENT.exec(text) ?? [];
  if (!day || !isDay(day) || Math.max(hour, offsetHours) > 23 || Math.max(minute, second, offsetMinutes) > 59) return null;
  const offset = (offsetHours * 60 + Number(offsetMinutes)) * (sign === '-' ? -1 : 1);
  const seconds = (hour * 60 + Number(minute) - offset) * 60 + Number(second);
  const utc = new Date(Date.parse(`${day}T00:00Z`) + seconds * 1000).toISOString();
  const digits = fraction.slice(0, 6).padEnd(6, '0').replace(/000$/, '');
  return /^(?!0000)\d{4}-/.test(utc) ? `${utc.slice(0, 19)}${/[1-9]/.test(digits) ? `.${digits}` : ''}Z` : null;
}
