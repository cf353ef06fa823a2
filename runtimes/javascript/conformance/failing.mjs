/** Reads a manifest from each line, and writes how many vectors of each kind come out otherwise under it as a line of JSON. */

import { isDeepStrictEqual } from 'node:util';
import { createInterface } from 'node:readline';

import { vectors } from './documents.mjs';
import { KINDS, play, wanted } from './play.mjs';

const entries = vectors();

function holds(manifest, kind, entry) {
  try {
    return isDeepStrictEqual(play(manifest, kind, entry), wanted(kind, entry));
  } catch {
    return false;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const manifest = JSON.parse(line);
  const failing = (kind) => entries[kind].filter((entry) => !holds(manifest, kind, entry)).length;
  process.stdout.write(`${JSON.stringify(Object.fromEntries(KINDS.map((kind) => [kind, failing(kind)])))}\n`);
}
