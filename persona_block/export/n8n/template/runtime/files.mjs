/** Files on their way out and in: in n8n they are binary data, so this stands in the place of what reads and writes disks. */

const UPLOAD_TYPE = 'text/csv';
const BEGINNINGS = { 'application/pdf': '%PDF-' };

/** Return a file to send, made of the bytes and the name of a file of n8n. */
export async function openUpload({ content, name }) {
  return new File([content], safeName(name ?? ''), { type: UPLOAD_TYPE });
}

/** Return a file name that is one path segment on every system. */
export function safeName(name) {
  const plain = name.replace(/^.*[/\\]/s, '').replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[.-]+|[.-]+$/g, '') || 'file';
  const whole = plain.replace(/^(?=(con|prn|aux|nul|com\d|lpt\d)(\.|$))/i, 'file-');
  const ending = /\.[^.]{1,10}$/.exec(whole)?.[0] ?? '';
  return whole.slice(0, -ending.length || undefined).slice(0, 120 - ending.length) + ending;
}

/**
 * Keep a file of an answer by what `keep` does with its bytes, name and media type, and return what that gives.
 * @returns {Promise<object|null>} null where the file does not begin as its media type does
 */
export async function storeFile(chunks, keep, name, mimeType) {
  const parts = [];
  for await (const chunk of chunks) parts.push(chunk);
  const content = Buffer.concat(parts);
  return content.toString('latin1', 0, 16).startsWith(BEGINNINGS[mimeType]) ? keep(content, safeName(name), mimeType) : null;
}
