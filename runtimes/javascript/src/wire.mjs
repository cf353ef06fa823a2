/** One HTTP exchange within bounds of time and size: grammar.retry.times, redirects and cookies. */

const NOT_SENT = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT'];

/** Bytes a second below which a file that comes or goes is taken to stand still. */
const SLOWEST = 16384;

/** Return the seconds of a clock that nobody sets. */
export const now = () => performance.now() / 1000;

/**
 * Send a request and return its answer, or how it ended where no whole answer came.
 * @param {typeof globalThis.fetch} fetch
 * @param {string} url
 * @param {RequestInit} init
 * @param {{seconds: number, idleSeconds: number, uploadSize: number, limit: number}} bounds seconds in all, and without a
 *   byte, both more where a file goes; and bytes of an answer that is no file
 * @param {{type: string, store: (chunks: AsyncIterable<Uint8Array>) => Promise<object|null>}} [file] what to do with a 200
 *   of one media type
 * @returns {Promise<object>} status, reason and headers, with bytes, null where there are too many, or file, what store gave;
 *   or status null, reason and sent
 */
export async function exchange(fetch, url, init, { seconds, idleSeconds, uploadSize, limit }, file) {
  const control = new AbortController();
  let [end, idleEnd] = [seconds, idleSeconds].map((each) => now() + each + uploadSize / SLOWEST);
  const watch = setInterval(() => now() > Math.min(end, idleEnd) && control.abort(), 20);
  async function* moving(body, earned) {
    for await (const chunk of body ?? []) {
      idleEnd = now() + idleSeconds;
      end += earned * chunk.length;
      yield chunk;
    }
  }
  try {
    const response = await fetch(url, { ...init, redirect: 'manual', signal: control.signal });
    const { status, headers, body } = response;
    const answer = { status, headers, reason: `status ${status}` };
    const isFile = status === 200 && file && headers.get('Content-Type')?.split(';')[0].trim().toLowerCase() === file.type;
    if (isFile) return { ...answer, file: await file.store(moving(body, 1 / SLOWEST)) };
    return { ...answer, bytes: await readBytes(moving(body, 0), limit) };
  } catch (error) {
    if (!(error instanceof TypeError || error.name === 'AbortError')) throw error;
    const code = error.cause?.code ?? error.name;
    return { status: null, sent: !NOT_SENT.includes(code), reason: `no answer (${code})` };
  } finally {
    clearInterval(watch);
    control.abort();
  }
}

async function readBytes(chunks, limit) {
  const kept = [];
  let left = limit;
  for await (const chunk of chunks) {
    left -= chunk.length;
    if (left < 0) return null;
    kept.push(chunk);
  }
  return Buffer.concat(kept);
}

/** Return a base URL without the slash at its end; throws TypeError unless it is https, or http on this machine. */
export function checkBaseUrl(text) {
  const { protocol, hostname, username, password, search, hash, href } = new URL(text);
  const isHere = protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  if (!(isHere || protocol === 'https:') || username || password || search || hash)
    throw new TypeError('The base URL must be https, or http on this machine, without user, query or fragment.');
  return href.replace(/\/+$/, '');
}
