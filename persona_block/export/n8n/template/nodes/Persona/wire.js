'use strict';

const { retry } = require('../../manifest.json');

/**
 * Return a `fetch` that sends through n8n, which knows the proxy, the certificates and the credentials of this installation.
 * @param {import('n8n-workflow').IExecuteFunctions} context
 * @returns {import('../../runtime/persona.mjs', { with: { 'resolution-mode': 'import' } }).Fetch}
 */
function fetchThrough(context) {
  return async (url, { method, headers, body, signal }) => {
    const aborted = whenAborted(signal);
    const sent = context.helpers.httpRequestWithAuthentication.call(context, 'personaApi', {
      url,
      method: /** @type {import('n8n-workflow').IHttpRequestMethods} */ (method),
      headers,
      body,
      encoding: 'stream',
      returnFullResponse: true,
      ignoreHttpStatusErrors: true,
      disableFollowRedirect: true,
      timeout: retry.readSeconds * 1000,
    });
    const answer = await Promise.race([sent, aborted]).catch(fail);
    const status = answer.statusCode;
    return { ok: status >= 200 && status < 300, status, headers: headersOf(answer), body: chunks(answer.body, aborted) };
  };
}

/**
 * Return a promise that is rejected as soon as a signal comes, since n8n's own request has no way to be told of one.
 * @param {AbortSignal} signal
 * @returns {Promise<never>}
 */
function whenAborted(signal) {
  const aborted = new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
  aborted.catch(() => {});
  return /** @type {Promise<never>} */ (aborted);
}

/**
 * @param {{headers: Record<string, string | string[]>}} answer
 */
function headersOf(answer) {
  const headers = new Headers();
  for (const [name, values] of Object.entries(answer.headers)) for (const value of [values].flat()) headers.append(name, String(value));
  return headers;
}

/**
 * Give the parts of a body as they come, until it ends or is aborted.
 * @param {import('node:stream').Readable} body
 * @param {Promise<never>} aborted
 */
async function* chunks(body, aborted) {
  const parts = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await Promise.race([parts.next(), aborted]);
      if (done) return;
      yield value;
    }
  } catch (error) {
    fail(error);
  } finally {
    body.destroy();
  }
}

/**
 * Throw what `fetch` throws where no whole answer came: the code of the cause and nothing else, since n8n's own errors hold
 * the request with its headers.
 * @param {any} error
 * @returns {never}
 */
function fail(error) {
  let cause = error;
  while (cause && !cause.code && cause.cause) cause = cause.cause;
  throw new TypeError('fetch failed', { cause: { code: cause?.code ?? cause?.name } });
}

module.exports = { fetchThrough };
