'use strict';

const { NodeApiError, NodeError, NodeOperationError } = require('n8n-workflow');

/**
 * @typedef {{param: string, code: string, message: string}} Problem
 * @typedef {{kind: string, status: number|null, title: string|null, details: string|null, requestId: string|null,
 *   retryable: boolean, tookEffect: 'no'|'yes'|'unknown'|null, idempotencyKey: string|null, problems: Problem[]}} ErrorDetails
 * @typedef {Error & {details: ErrorDetails, output: import('n8n-workflow').IDataObject}} PersonaError
 * @typedef {Record<string, any>} Definition An entry of the manifest's tools.definitions
 */

/** What became of the request, by tookEffect; a read changes nothing anyway. */
const EFFECTS = {
  no: 'Nothing was changed.',
  yes: 'It took effect.',
  unknown: 'Whether it took effect is unknown.',
};

/**
 * Return an error as n8n shows it on the node; its context holds errorDetails, and the output that had been read before.
 * @param {import('n8n-workflow').IExecuteFunctions} context
 * @param {unknown} error
 * @param {number} itemIndex
 * @param {Definition} definition of the operation that ended so
 * @returns {NodeError}
 */
function nodeError(context, error, itemIndex, definition) {
  const node = context.getNode();
  if (error instanceof NodeError) return error;
  if (!isPersonaError(error)) return new NodeOperationError(node, /** @type {Error} */ (error), { itemIndex });
  const { details, output } = error;
  const failure =
    details.kind === 'input_error'
      ? new NodeOperationError(node, `Nothing was sent: ${problemLine(details.problems[0], definition)}`, {
          description: details.problems.slice(1).map((problem) => problemLine(problem, definition)).join(' '),
          itemIndex,
        })
      : new NodeApiError(node, /** @type {import('n8n-workflow').JsonObject} */ ({ ...details }), {
          message: `${definition.title}: ${headline(error)}`,
          description: [details.details, ...advice(details, context.isToolExecution())].filter(Boolean).join(' '),
          httpCode: details.status === null ? undefined : String(details.status),
          itemIndex,
        });
  Object.assign(failure.context, { errorDetails: details, output });
  return failure;
}

/**
 * Return an error as the item that goes on in the place of a result. All is under `error`, since n8n sends an item to the
 * error output by that key alone.
 * @param {NodeError} failure
 * @param {number} index
 * @returns {import('n8n-workflow').INodeExecutionData}
 */
function errorItem(failure, index) {
  const { errorDetails, output } = /** @type {{errorDetails?: object, output?: object}} */ (failure.context);
  const error = { message: failure.message, description: failure.description ?? null, ...errorDetails, output: output ?? {} };
  return { json: { error }, pairedItem: { item: index } };
}

/**
 * @param {unknown} error
 * @returns {error is PersonaError}
 */
function isPersonaError(error) {
  return error instanceof Error && error.name === 'PersonaError';
}

/**
 * Return a problem with the title of its field, such as 'Report ID: It must be given.'
 * @param {Problem} problem
 * @param {Definition} definition
 */
function problemLine({ param, code, message }, definition) {
  const title = (/** @type {string} */ name) => definition.params.properties[name]?.title ?? name;
  return code === 'one_required'
    ? `${definition.requireAny.map(title).join(', ')}: At least one of them must be given.`
    : `${title(param)}: ${message}`;
}

/**
 * @param {PersonaError} error
 */
function headline({ details: { kind, status, title }, message }) {
  if (status !== null && status >= 300) return `Persona answered ${status}${title ? `, ${title}` : ''}`;
  if (kind === 'transport_error') return 'Persona did not answer';
  return message.replace(/\.$/, '');
}

/**
 * Return what to know before running it again.
 * @param {ErrorDetails} details
 * @param {boolean} isTool whether an agent runs the node: each try is then a run of its own, and has another key
 * @returns {string[]}
 */
function advice({ tookEffect, idempotencyKey, retryable, requestId }, isTool) {
  const advice = tookEffect === null ? [] : [EFFECTS[tookEffect]];
  if (idempotencyKey !== null && !isTool)
    advice.push("The node's Retry On Fail sends it again under the same idempotency key, so it happens once.");
  else if (tookEffect === 'unknown') advice.push('Read the object before you run it again, or it may happen twice.');
  else advice.push(retryable ? 'Running it again may help.' : 'Running it again as it is will not help.');
  if (requestId !== null) advice.push(`Request-Id ${requestId}.`);
  return advice;
}

module.exports = { errorItem, nodeError };
