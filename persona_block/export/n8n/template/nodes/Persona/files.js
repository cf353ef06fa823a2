'use strict';

/**
 * Return where the files of answers go: into n8n's binary data.
 * @param {import('n8n-workflow').IExecuteFunctions} context
 */
function binaryFiles(context) {
  /** @type {WeakMap<object, import('n8n-workflow').IBinaryData>} */
  const binaryByFile = new WeakMap();
  return {
    /** @type {import('../../runtime/persona.mjs', { with: { 'resolution-mode': 'import' } }).KeepFile} */
    async keep(content, name, mimeType) {
      const file = { name, mimeType, size: content.length };
      binaryByFile.set(file, await context.helpers.prepareBinaryData(content, name, mimeType));
      return file;
    },
    /**
     * Return the binary part of an item whose output holds a file, under the name that the node says; undefined for others.
     * @param {object} output
     * @param {number} index
     * @returns {import('n8n-workflow').IBinaryKeyData | undefined}
     */
    binaryOf(output, index) {
      for (const value of Object.values(output)) {
        const data = typeof value === 'object' && value !== null ? binaryByFile.get(value) : undefined;
        if (data) return { [String(context.getNodeParameter('binaryField', index))]: data };
      }
      return undefined;
    },
  };
}

module.exports = { binaryFiles };
