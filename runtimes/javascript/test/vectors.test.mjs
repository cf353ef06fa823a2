/** Every test vector comes out as it says. */

import { deepEqual, ok } from 'node:assert/strict';
import { test } from 'node:test';

import { manifest as readManifest, vectors as readVectors } from '../conformance/documents.mjs';
import { KINDS, play, wanted } from '../conformance/play.mjs';

const manifest = readManifest();
const vectors = readVectors();

for (const kind of KINDS) {
  const entries = vectors[kind];
  test(`${entries.length} vectors of ${kind}`, () => {
    ok(entries.length > 0);
    for (const entry of entries) deepEqual(play(manifest, kind, entry), wanted(kind, entry), JSON.stringify(entry));
  });
}
