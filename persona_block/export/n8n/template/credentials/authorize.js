'use strict';

const { wire } = require('../manifest.json');

/**
 * @typedef {import('n8n-workflow').ICredentialDataDecryptedObject} CredentialData
 * @typedef {import('n8n-workflow').IHttpRequestOptions} HttpRequest
 */

/**
 * Add the API key to a request; throws where it would go elsewhere than the base URL of the credentials says.
 * @param {CredentialData} credentials
 * @param {HttpRequest} request
 * @returns {Promise<HttpRequest>}
 */
async function authorize(credentials, request) {
  const { origin } = new URL(baseUrl(credentials));
  if (new URL(request.url, request.baseURL).origin !== origin)
    throw new Error('The API key is sent to the base URL of its credentials alone.');
  return { ...request, headers: { ...request.headers, [wire.auth.header]: `${wire.auth.scheme} ${apiKey(credentials)}` } };
}

/**
 * Return the API key of some credentials; throws where it is missing or no header can hold it.
 * @param {CredentialData} credentials
 */
function apiKey(credentials) {
  const key = String(credentials.apiKey ?? '').trim();
  if (!/^[!-~]+$/.test(key)) throw new Error('The API key of the credentials is missing, or holds what no header can.');
  return key;
}

/**
 * Return the base URL of some credentials, by default Persona's, without a slash at its end; throws where the API key could
 * be read on its way there.
 * @param {CredentialData} credentials
 */
function baseUrl(credentials) {
  const text = String(credentials.baseUrl ?? '').trim() || wire.baseUrl;
  const url = URL.canParse(text) ? new URL(text) : null;
  const isHere = url?.protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (!url || !(isHere || url.protocol === 'https:') || url.username || url.password || url.search || url.hash)
    throw new Error('The base URL of the credentials must be https, or http on this machine, without user, query or fragment.');
  return url.href.replace(/\/+$/, '');
}

module.exports = { apiKey, authorize, baseUrl };
