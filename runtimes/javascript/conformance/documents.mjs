/** The manifest and the vectors that the tests play, from the files that the environment names. */

import { readFileSync } from 'node:fs';

/** Return the JSON of the file that an environment variable names. */
export function document(variable) {
  const path = process.env[variable];
  if (!path) throw new Error(`${variable} has to name a file; see README.md.`);
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** Return the manifest of PERSONA_MANIFEST. */
export const manifest = () => document('PERSONA_MANIFEST');

/** Return the test vectors of PERSONA_VECTORS. */
export const vectors = () => document('PERSONA_VECTORS');
