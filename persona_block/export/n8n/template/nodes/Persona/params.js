'use strict';

const { description } = require('./description.js');

/** @typedef {import('n8n-workflow').IExecuteFunctions} Context */

/**
 * Read the params of an item's operation from the fields that the node shows for it; the runtime checks them.
 * @param {Context} context
 * @param {number} index
 * @param {Record<string, any>} definition
 * @returns {Promise<Record<string, unknown>>}
 */
async function readParams(context, index, definition) {
  const known = definition.params.properties;
  const operation = context.getNodeParameter('operation', index);
  const fields = description.properties.filter((field) => field.displayOptions?.show?.operation?.includes(operation));
  /** @type {Record<string, unknown>} */
  const params = {};
  for (const { name, type } of fields) {
    const value = context.getNodeParameter(name, index, '');
    if (Object.hasOwn(known, name)) params[name] = value;
    else if (type === 'collection') Object.assign(params, value);
  }
  for (const [name, value] of Object.entries(params)) params[name] = await plain(context, index, known[name] ?? {}, value);
  return params;
}

/**
 * Return a value as the runtime takes it: moments as ISO 8601, and a file as its bytes and its name.
 * @param {Context} context
 * @param {number} index
 * @param {{format?: string}} param
 * @param {any} value
 */
async function plain(context, index, { format }, value) {
  const isAbsent = value === null || value === undefined || String(value).trim() === '';
  if (format === 'file' && !isAbsent) return readFile(context, index, value);
  const isMoment = value?.isLuxonDateTime || value instanceof Date;
  if (!isMoment) return value;
  const iso = value instanceof Date ? value.toISOString() : value.toISO();
  return format === 'date' ? iso.slice(0, 10) : iso;
}

/**
 * @param {Context} context
 * @param {number} index
 * @param {string} field the name of the binary field, or a file of n8n itself
 */
async function readFile(context, index, field) {
  const { fileName } = context.helpers.assertBinaryData(index, field);
  return { content: await context.helpers.getBinaryDataBuffer(index, field), name: fileName };
}

module.exports = { readParams };
