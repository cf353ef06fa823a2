/** JSON values, and the pointers that find something in them: grammar.response.pointer. */

/** The levels that a value may be nested, in a param and in an answer. */
export const DEEPEST = 100;

export const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

export const isEmptyObject = (value) => isObject(value) && Object.keys(value).length === 0;

/** Return an object with the same names and each value made anew. */
export function mapValues(object, make) {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, make(value)]));
}

/** Return whether a JSON value holds another one so many levels below it and deeper. */
export function isNestedBelow(value, levels) {
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some((inner) => levels === 0 || isNestedBelow(inner, levels - 1));
}

/** Return what the first of some pointers finds that is not null: a list for one with `*`, else a value; null for nothing. */
export function find(document, pointers) {
  for (const pointer of [pointers].flat()) {
    const steps = pointer.split('/').slice(1);
    const found = steps.reduce((values, step) => values.flatMap((value) => stepInto(value, step)), [document]);
    if (steps.includes('*')) return found;
    if (found.length && found[0] !== null) return found[0];
  }
  return null;
}

function stepInto(value, step) {
  if (step === '*') return Array.isArray(value) ? value : [];
  return isObject(value) && Object.hasOwn(value, step) ? [value[step]] : [];
}
