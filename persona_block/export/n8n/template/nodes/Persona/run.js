'use strict';

const { createHash } = require('node:crypto');
const { NodeOperationError, sleep } = require('n8n-workflow');

const { apiKey, baseUrl } = require('../../credentials/authorize.js');
const manifest = require('../../manifest.json');
const { nodeError } = require('./errors.js');
const { binaryFiles } = require('./files.js');
const { readParams } = require('./params.js');
const { fetchThrough } = require('./wire.js');

/**
 * @typedef {import('n8n-workflow').IExecuteFunctions} Context What n8n gives an execution of the node
 * @typedef {import('n8n-workflow').INodeExecutionData} Item
 * @typedef {Record<string, any>} Definition An entry of the manifest's tools.definitions
 * @typedef {Record<string, unknown>} Params
 * @typedef {import('../../runtime/persona.mjs', { with: { 'resolution-mode': 'import' } }).Persona} Persona
 */

/**
 * Return a function that runs the operation of one item and gives the items that it becomes, or throws NodeError.
 * @param {Context} context
 * @returns {(index: number) => Promise<Item[]>}
 */
function itemRunner(context) {
  const files = binaryFiles(context);
  /** @type {Promise<Persona> | undefined} */
  let opening;
  return async (index) => {
    const definition = definitionOf(context, index);
    try {
      refuseAgents(context, index, definition);
      const persona = await (opening ??= openPersona(context, files.keep));
      const params = await readParams(context, index, definition);
      if (definition.paginate) return await listItems(persona, context, index, definition, params);
      const output = await runOnce(persona, context, index, definition, params);
      const binary = files.binaryOf(output, index);
      return [{ json: output, ...(binary && { binary }), pairedItem: { item: index } }];
    } catch (error) {
      throw nodeError(context, error, index, definition);
    }
  };
}

/**
 * Return the runtime with the credentials and the means of this execution.
 * @param {Context} context
 * @param {import('../../runtime/persona.mjs', { with: { 'resolution-mode': 'import' } }).KeepFile} keepFile
 * @returns {Promise<Persona>}
 */
async function openPersona(context, keepFile) {
  const { Persona } = await import('../../runtime/persona.mjs');
  const credentials = await context.getCredentials('personaApi');
  return new Persona(manifest, {
    apiKey: apiKey(credentials),
    baseUrl: baseUrl(credentials),
    fetch: fetchThrough(context),
    sleep: (seconds) => sleepUnlessCancelled(context, seconds),
    folder: keepFile,
  });
}

/**
 * Return the definition of the operation that an item asks for, by its name or a former one.
 * @param {Context} context
 * @param {number} index
 * @returns {Definition}
 */
function definitionOf(context, index) {
  const name = context.getNodeParameter('operation', index);
  /** @type {Definition[]} */
  const definitions = manifest.tools.definitions;
  const definition = definitions.find((each) => each.name === name || each.aliases?.includes(name));
  if (definition) return definition;
  throw new NodeOperationError(context.getNode(), 'There is no operation of this name', { itemIndex: index });
}

/**
 * Throw where an agent has the node as a tool and the operation wants a person's word, unless whoever built the workflow
 * has given it beforehand.
 * @param {Context} context
 * @param {number} index
 * @param {Definition} definition
 */
function refuseAgents(context, index, definition) {
  const isTool = context.isToolExecution() || context.getNode().type.endsWith('Tool');
  if (!definition.hints.consent || !isTool || context.getNodeParameter('allowAgent', index, false) === true) return;
  throw new NodeOperationError(context.getNode(), `${definition.title} wants a person's word, so an agent may not do it alone`, {
    itemIndex: index,
    description: 'Nothing was sent. To leave it to the agent, turn on "Allow Agents Without Asking" in the node.',
  });
}

/**
 * Return the output of an operation, or of what it waits for.
 * @param {Persona} persona
 * @param {Context} context
 * @param {number} index
 * @param {Definition} definition
 * @param {Params} params
 */
async function runOnce(persona, context, index, definition, params) {
  const idempotencyKey = keyOf(context, index, definition, params);
  const canWait = definition.wait || definition.then;
  const isWaiting = canWait && context.getNodeParameter('waitUntilDone', index, false);
  return persona[isWaiting ? 'wait' : 'call'](definition.name, params, { idempotencyKey });
}

/**
 * Return the entries of a list, each as an item: all of them, or the first so many.
 * @param {Persona} persona
 * @param {Context} context
 * @param {number} index
 * @param {Definition} definition
 * @param {Params} params
 * @returns {Promise<Item[]>}
 */
async function listItems(persona, context, index, definition, params) {
  const { items, size } = definition.paginate;
  const limit = context.getNodeParameter('returnAll', index, false) ? Infinity : limitOf(context, index);
  const pageSize = Math.min(limit, definition.params.properties[size].maximum);
  const entries = [];
  for await (const page of persona.paginate(definition.name, { ...params, [size]: pageSize })) {
    entries.push(...page[items]);
    if (entries.length >= limit) break;
  }
  return entries.slice(0, limit).map((json) => ({ json, pairedItem: { item: index } }));
}

/**
 * @param {Context} context
 * @param {number} index
 */
function limitOf(context, index) {
  const limit = Number(context.getNodeParameter('limit', index));
  if (Number.isSafeInteger(limit) && limit > 0) return limit;
  throw new NodeOperationError(context.getNode(), 'Limit must be a whole number above 0', { itemIndex: index });
}

/**
 * Return an idempotency key that stays the same when n8n tries a failed node again, and is another for every other run, item
 * and request; undefined where the execution has no id, so that the runtime makes one.
 * @param {Context} context
 * @param {number} index
 * @param {Definition} definition
 * @param {Params} params
 */
function keyOf(context, index, definition, params) {
  const execution = context.getExecutionId();
  if (!execution) return undefined;
  const { $runIndex } = context.getWorkflowDataProxy(index);
  const place = [context.getInstanceId(), context.getWorkflow().id, execution, context.getNode().id, $runIndex, index];
  const hash = createHash('sha256').update(JSON.stringify([place, definition.name]));
  for (const [name, value] of Object.entries(params)) {
    const content = /** @type {{content?: unknown} | null | undefined} */ (value)?.content;
    hash.update(JSON.stringify(name)).update(Buffer.isBuffer(content) ? content : JSON.stringify(value) ?? '');
  }
  return hash.digest('hex');
}

/**
 * @param {Context} context
 * @param {number} seconds
 */
async function sleepUnlessCancelled(context, seconds) {
  const signal = context.getExecutionCancelSignal();
  await sleep(seconds * 1000, signal).catch(() => {});
  if (signal?.aborted) throw new NodeOperationError(context.getNode(), 'The execution was cancelled');
}

module.exports = { itemRunner };
