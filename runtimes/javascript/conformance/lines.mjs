/** Plays entries that come as lines of JSON, each with its `kind`, and writes what came of each as a line of JSON. */

import { createInterface } from 'node:readline';

import { manifest } from './documents.mjs';
import { play } from './play.mjs';

const definitions = manifest();

for await (const line of createInterface({ input: process.stdin })) {
  const { kind, ...entry } = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(play(definitions, kind, entry))}\n`);
}
