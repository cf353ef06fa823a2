'use strict';

const { NodeError } = require('n8n-workflow');

const { description } = require('./description.js');
const { errorItem } = require('./errors.js');
const { itemRunner } = require('./run.js');

/** @typedef {import('n8n-workflow').INodeType} INodeType */

/**
 * Runs one operation of Persona for each item.
 * @implements {INodeType}
 */
class Persona {
  description = description;

  /**
   * @this {import('n8n-workflow').IExecuteFunctions}
   * @returns {Promise<import('n8n-workflow').INodeExecutionData[][]>}
   */
  async execute() {
    const run = itemRunner(this);
    const results = [];
    for (const index of this.getInputData().keys()) {
      try {
        results.push(...(await run(index)));
      } catch (error) {
        if (!this.continueOnFail() || !(error instanceof NodeError)) throw error;
        results.push(errorItem(error, index));
      }
    }
    return [results];
  }
}

module.exports = { Persona };
