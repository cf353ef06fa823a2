/** The manifest's test vectors, and one of them played through the node in n8n's runner. */

import { readFileSync } from 'node:fs';

import { node, recorded, runNode } from './harness.mjs';

export const VECTORS = JSON.parse(readFileSync(process.env.PERSONA_VECTORS, 'utf8'));
export const DEFINITIONS = Object.fromEntries(
  JSON.parse(readFileSync(process.env.PERSONA_MANIFEST, 'utf8')).tools.definitions.map((definition) => [definition.name, definition]),
);
/** The content of the file that an item has. */
export const CSV = 'reference_id\n1\n';
const CONTINUE = { onError: 'continueRegularOutput' };

/** Return the node's fields that give some params: each by an expression, so that a value comes with its own JSON type. */
function fieldsOf(operation, params) {
  const shown = node.description.properties.filter(({ displayOptions }) => displayOptions?.show.operation?.includes(operation));
  const { name: folder, options = [] } = shown.find(({ type }) => type === 'collection') ?? {};
  const fields = {};
  const folded = {};
  // n8n itself runs no node whose required field is blank, so those have their expression in any case.
  for (const name of new Set([...Object.keys(params), ...DEFINITIONS[operation].params.required])) {
    const expression = `={{ $json[${JSON.stringify(name)}] }}`;
    if (shown.some((field) => field.name === name)) fields[name] = expression;
    else if (options.some((field) => field.name === name)) folded[name] = expression;
  }
  const { size } = DEFINITIONS[operation].paginate ?? {};
  if (!isBlank(params[size])) fields.limit = `={{ $json[${JSON.stringify(size)}] }}`;
  return Object.keys(folded).length ? { ...fields, [folder]: folded } : fields;
}

export const isBlank = (value) => value === undefined || value === null || (typeof value === 'string' && value.trim() === '');

/** Run the operation of a vector and return its items and the requests that came. */
export async function play({ operation, params }, answer = () => ({}), more = {}) {
  return recorded(answer, async ({ requests, credentials }) => {
    const fileNames = Object.values(params).filter((value) => typeof value === 'string');
    const file = { data: Buffer.from(CSV).toString('base64'), mimeType: 'text/csv', fileName: 'accounts.csv' };
    const items = [{ json: params, binary: Object.fromEntries(fileNames.map((name) => [name, file])) }];
    const result = await runNode(operation, { ...fieldsOf(operation, params), ...more }, { items, credentials, settings: CONTINUE });
    return { ...result, requests };
  });
}

/** Params with which an operation can be called. */
export function paramsOf(operation) {
  return VECTORS.calls.find((call) => call.operation === operation).params;
}
