/** Files on their way out and in: grammar.files. */

import { randomUUID } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { link, mkdir, open, stat, unlink } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const UPLOAD_TYPE = 'text/csv';
const BEGINNINGS = { 'application/pdf': '%PDF-' };

/** Return a file to send; `source` is a path, a Blob, bytes, or an object with path or content, and perhaps name. */
export async function openUpload(source) {
  const isBytes = source instanceof Blob || source instanceof Uint8Array;
  const { path, content, name } = typeof source === 'string' ? { path: source } : isBytes ? { content: source } : source;
  if (path === undefined && content === undefined) throw new TypeError('It names neither path nor content.');
  if (path !== undefined && !(await stat(path)).isFile()) throw new TypeError('It is no regular file.');
  const bytes = path === undefined ? content : await openAsBlob(path);
  return new File([bytes], safeName(name ?? source.name ?? basename(path ?? '')), { type: UPLOAD_TYPE });
}

/** Return a file name that is one path segment on every system. */
export function safeName(name) {
  const plain = name.replace(/^.*[/\\]/s, '').replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[.-]+|[.-]+$/g, '') || 'file';
  const whole = plain.replace(/^(?=(con|prn|aux|nul|com\d|lpt\d)(\.|$))/i, 'file-');
  const ending = /\.[^.]{1,10}$/.exec(whole)?.[0] ?? '';
  return whole.slice(0, -ending.length || undefined).slice(0, 120 - ending.length) + ending;
}

/**
 * Store a file as it comes; it has its name, one that is free, only once it is whole.
 * @returns {Promise<object|null>} name, mimeType, size, url and path; null where it does not begin as its type does
 */
export async function storeFile(chunks, folder, wantedName, mimeType) {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const part = join(resolve(folder), `.${randomUUID()}.part`);
  const file = await open(part, 'wx', 0o600);
  try {
    let [size, head] = [0, ''];
    for await (const chunk of chunks) {
      head += Buffer.from(chunk.subarray(0, 16 - Math.min(16, head.length))).toString('latin1');
      await file.writeFile(chunk);
      size += chunk.length;
    }
    if (!head.startsWith(BEGINNINGS[mimeType])) return null;
    const path = await placed(part, resolve(folder), safeName(wantedName));
    return { name: basename(path), mimeType, size, url: pathToFileURL(path).href, path };
  } finally {
    await file.close();
    await unlink(part);
  }
}

async function placed(part, folder, name) {
  const ending = extname(name);
  for (let number = 1; ; number += 1) {
    const path = join(folder, number === 1 ? name : `${basename(name, ending)}-${number}${ending}`);
    try {
      await link(part, path);
      return path;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
  }
}
