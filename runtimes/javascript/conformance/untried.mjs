/** Writes the places in the shapes of the manifest that no vector tries: a pointer, or that null is allowed. */

import { isDeepStrictEqual } from 'node:util';

import { manifest as readManifest, vectors } from './documents.mjs';
import { play, wanted } from './play.mjs';

const manifest = readManifest();
const { answers } = vectors();

/** Return whether an answer of an operation comes out otherwise while a node of the manifest has other entries. */
function isTried(operation, node, change) {
  const before = { ...node };
  Object.assign(node, change);
  try {
    const entries = answers.filter((entry) => entry.operation === operation);
    return entries.some((entry) => !isDeepStrictEqual(play(manifest, 'answers', entry), wanted('answers', entry)));
  } finally {
    Object.assign(node, before);
  }
}

function* changesOf(node) {
  for (const word of ['pointer', 'x-from', 'x-collect']) {
    const pointers = [node[word] ?? []].flat();
    for (const [index, pointer] of pointers.entries()) yield [pointer, { [word]: Array.isArray(node[word]) ? pointers.with(index, '/nowhere') : '/nowhere' }];
  }
  if (Array.isArray(node.type) && node.type.includes('null')) yield ['null', { type: node.type[0] }];
}

function walk(operation, node, path) {
  if (typeof node !== 'object' || node === null) return;
  for (const [what, change] of changesOf(node))
    if (!isTried(operation, node, change)) process.stdout.write(`${JSON.stringify([operation, path, what])}\n`);
  for (const [name, child] of Object.entries(node)) walk(operation, child, `${path}/${name}`);
}

for (const { name, response } of manifest.tools.definitions) walk(name, response, '');
