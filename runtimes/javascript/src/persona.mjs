/** Persona's operations, run from the manifest: calls with their retries, pages, and waiting. */

import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { inspect } from 'node:util';

import { Broken, buildOutput, effectOf, errorOf, parseBody, readErrors, waitAfter } from './answer.mjs';
import { openUpload, storeFile } from './files.mjs';
import { find, isEmptyObject, mapValues } from './json.mjs';
import { checkKey, checkParams } from './params.mjs';
import { buildRequest, fillText } from './request.mjs';
import { checkBaseUrl, exchange, now } from './wire.mjs';

export { verifyWebhook } from './webhooks.mjs';

const LEAST_SECONDS = 1;
const NOTHING_TOLD = {
  kind: 'persona_error', status: null, title: null, details: null, requestId: null, retryable: false,
  tookEffect: null, idempotencyKey: null, retryAfter: null, problems: [],
};

/** What went wrong: `details` is the errorDetails of an envelope, and `output` what had been read before. */
export class PersonaError extends Error {
  constructor(message, details, output = {}) {
    super(message);
    Object.assign(this, { name: 'PersonaError', details: { ...NOTHING_TOLD, ...details }, output });
  }
}

/** Return a handler of errors that handles a PersonaError and throws any other again. */
const ifPersonaError = (handle) => (error) => {
  if (!(error instanceof PersonaError)) throw error;
  return handle(error);
};

/** Runs the operations of a manifest with one API key. */
export class Persona {
  #manifest;
  #apiKey;
  #options;
  #windowEnds = new Map();

  /**
   * @param {object} manifest what `persona-block manifest` prints
   * @param {object} [options]
   * @param {string} [options.apiKey] by default the environment variable that the manifest names
   * @param {string} [options.baseUrl] by default the environment variable that the manifest names, and then Persona itself
   * @param {string} [options.folder] where files are stored
   * @param {typeof globalThis.fetch} [options.fetch]
   * @param {(seconds: number) => Promise<void>} [options.sleep]
   */
  constructor(manifest, { apiKey, baseUrl, folder = 'persona-files', fetch = globalThis.fetch, sleep } = {}) {
    const url = checkBaseUrl(baseUrl ?? process.env[manifest.wire.baseUrlVariable] ?? manifest.wire.baseUrl);
    [this.#manifest, this.#apiKey] = [manifest, apiKey];
    this.#options = { baseUrl: url, folder, fetch, sleep: sleep ?? ((seconds) => pause(seconds * 1000)) };
  }

  [inspect.custom]() {
    return `Persona { baseUrl: '${this.#options.baseUrl}' }`;
  }

  /**
   * Run an operation and return its envelope, whatever becomes of it.
   * @param {string} name
   * @param {object} [params]
   * @param {{wait?: boolean, idempotencyKey?: string}} [options] `wait` for the outcome of what is read or started
   */
  async run(name, params = {}, { wait = false, idempotencyKey } = {}) {
    const trace = { requestId: null, attempts: 0, retries: [] };
    const start = new Date();
    const envelope = (output, error) => {
      const end = new Date();
      const timing = { startTime: start.toISOString(), endTime: end.toISOString(), duration: end - start };
      const [message, errorDetails] = [error?.message ?? null, error?.details ?? null];
      return { success: !error, output, error: message, errorDetails, timing, ...trace };
    };
    const running = this[wait ? 'wait' : 'call'](name, params, { idempotencyKey, trace });
    return running.then(envelope, ifPersonaError((error) => envelope(error.output, error)));
  }

  /** Run an operation and return its output; throws PersonaError. */
  async call(name, params = {}, { idempotencyKey, trace = { attempts: 0, retries: [] } } = {}) {
    const definition = this.#definition(name);
    const { param, environment } = this.#manifest.wire.auth;
    const { values, problems } = checkParams(definition, params, param, this.#manifest.idKinds);
    const { key, code } = checkKey(params[param], this.#apiKey, process.env[environment]);
    if (code) problems.push({ param, code });
    if (!/^(?! )[ -~]{1,255}(?<! )$/.test(idempotencyKey ?? '-')) problems.push({ param: 'idempotencyKey', code: 'bad_key' });
    if (problems.length) this.#refuse(name, problems);
    const request = buildRequest(definition, values);
    const callKey = request.method === 'POST' ? idempotencyKey ?? randomUUID() : null;
    for (const [part, source] of Object.entries(request.multipart ?? {})) {
      const problem = { param: Object.keys(values).find((each) => values[each] === source), code: 'not_file' };
      request.multipart[part] = await openUpload(source).catch(() => this.#refuse(name, [problem]));
    }
    return this.#outcome({ definition, values, request, key, callKey, trace });
  }

  /** Give every page of a list, one after the other; throws PersonaError. */
  async *paginate(name, params = {}, options = {}) {
    const { paginate, params: { properties } } = this.#definition(name);
    const { cursor, size, next } = paginate ?? this.#refuse(name, [{ param: 'operation', message: 'It gives no pages.' }]);
    const request = { [size]: properties[size].maximum, ...params };
    const cursors = [request[cursor]];
    for (;;) {
      const page = await this.call(name, request, options);
      yield page;
      request[cursor] = page[next];
      if (page[next] === null) return;
      if (cursors.includes(page[next])) throw new PersonaError(`${name}: a cursor came twice.`, { kind: 'response_error' });
      cursors.push(page[next]);
    }
  }

  /** Run an operation and return its output once what it reads, or what it starts, has ended well; throws PersonaError. */
  async wait(name, params = {}, options = {}) {
    const { wait, then } = this.#definition(name);
    if (then) return this.#startedAndDone(name, then, params, options);
    const endless = [{ param: 'operation', message: 'It has no end to wait for.' }];
    const { for: pointer, success, failure, delay, attempts } = wait ?? this.#refuse(name, endless);
    for (let look = 1; ; look += 1) {
      const output = await this.call(name, params, options);
      const status = find(output, pointer);
      if (success.includes(status)) return output;
      if (failure.includes(status)) throw new PersonaError(`${name} ended badly.`, { kind: 'wait_failed' }, output);
      const late = { kind: 'wait_timed_out', retryable: true };
      if (look >= attempts) throw new PersonaError(`${name} did not end in time.`, late, output);
      await this.#options.sleep(delay);
    }
  }

  async #startedAndDone(name, then, params, options) {
    const { param } = this.#manifest.wire.auth;
    const started = await this.call(name, params, options);
    const ids = mapValues(then.params, (pointer) => find(started, pointer));
    const waiting = this.wait(then.operation, { ...ids, [param]: params[param] }, { trace: options.trace });
    return waiting.catch(ifPersonaError((error) => {
      const details = { ...error.details, tookEffect: 'yes', retryable: false };
      const output = isEmptyObject(error.output) ? started : error.output;
      throw new PersonaError(`${name} was done, but waiting for it was not: ${error.message}`, details, output);
    }));
  }

  /** Send a call as often as the rules allow, and return its output. */
  async #outcome(call) {
    const { definition, request, key, trace } = call;
    const { retry } = this.#manifest;
    let [ended, isInDoubt, start] = [null, false, null];
    const secondsLeft = () => retry.deadlineSeconds - (start === null ? 0 : now() - start);
    for (let attempt = 1; ; attempt += 1) {
      const closed = (this.#windowEnds.get(key) ?? 0) - now();
      if (closed > Math.max(LEAST_SECONDS, secondsLeft()))
        throw failure(call, { status: 429, reset: closed, reason: 'the rate limit has no room' }, isInDoubt);
      if (closed > 0) await this.#options.sleep(closed);
      start ??= now();
      trace.attempts += 1;
      ended = await this.#attempt(call, Math.max(LEAST_SECONDS, secondsLeft()));
      if (ended.output) return ended.output;
      const [least, most] = waitAfter(retry, request.method, attempt, ended) ?? [Infinity, Infinity];
      const after = least + Math.random() * (most - least || 0);
      if (after > secondsLeft()) break;
      isInDoubt ||= effectOf(definition, ended) === 'unknown';
      trace.retries.push({ reason: ended.reason, after });
      await this.#options.sleep(after);
    }
    const mayBeDone = isInDoubt && [409, 422].includes(ended.status) && definition.confirm;
    const confirmed = mayBeDone && (await this.#confirmed(call).catch(ifPersonaError(() => null)));
    if (confirmed) return confirmed;
    throw failure(call, ended, isInDoubt);
  }

  /** Return what an operation reads where that shows that an attempt in doubt took effect; null where it does not. */
  async #confirmed({ definition: { confirm }, values, key }) {
    const { properties } = this.#definition(confirm.operation).params;
    const params = Object.fromEntries(Object.entries(values).filter(([name]) => Object.hasOwn(properties, name)));
    const output = await this.call(confirm.operation, { ...params, [this.#manifest.wire.auth.param]: key });
    const value = find(output, confirm.at);
    return (confirm.values.length ? confirm.values.includes(value) : value !== null) ? output : null;
  }

  /** Make one request of at most so many seconds; return its output, or how it ended. */
  async #attempt({ definition, values, request, key, callKey, trace }, seconds) {
    const { wire, retry } = this.#manifest;
    const { baseUrl, folder, fetch } = this.#options;
    const [name, source] = Object.entries(definition.response).find(([, { file }]) => file) ?? [];
    const store = (chunks) => storeFile(chunks, folder, fillText(source.filename, values), source.file).catch(unstored);
    const file = source && { type: source.file, store };
    const headers = { ...wire.headers, Accept: source ? `${source.file}, application/json` : 'application/json' };
    headers[wire.auth.header] = `${wire.auth.scheme} ${key}`;
    if (callKey !== null) headers[wire.idempotencyHeader] = callKey;
    if (request.body) headers['Content-Type'] = 'application/json';
    const form = request.multipart && new FormData();
    for (const [part, upload] of Object.entries(request.multipart ?? {})) form.append(part, upload);
    const init = { method: request.method, headers, body: form ?? (request.body && JSON.stringify(request.body)) };
    const uploadSize = Object.values(request.multipart ?? {}).reduce((size, upload) => size + upload.size, 0);
    const bounds = { seconds, idleSeconds: retry.readSeconds, uploadSize, limit: wire.answerLimitBytes };
    const answer = await exchange(fetch, baseUrl + request.path + (request.query && `?${request.query}`), init, bounds, file);
    if (answer.status === null) return answer;
    trace.requestId = /^[!-~]{1,128}$/.exec(answer.headers.get(wire.requestIdHeader))?.[0] ?? null;
    const ended = { status: answer.status, reason: answer.reason, requestId: trace.requestId, ...this.#limits(answer, key) };
    const broken = { ...ended, reason: `${answer.reason}, but not what was promised`, isBroken: true };
    if (answer.file) return { ...ended, output: { [name]: answer.file } };
    if (!answer.bytes || (file && ended.status < 300)) return broken;
    if (ended.status >= 300) return { ...ended, ...readErrors(parseBody(answer.bytes)) };
    try {
      return { ...ended, output: buildOutput(definition, parseBody(answer.bytes)) };
    } catch (error) {
      if (error instanceof Broken) return broken;
      throw error;
    }
  }

  /** Return what the headers tell of the rate limit's window, and keep when it ends where it has no room. */
  #limits({ status, headers }, key) {
    const { wire: { rateLimitHeaders }, retry } = this.#manifest;
    const texts = ['remaining', 'reset'].map((name) => headers.get(rateLimitHeaders[name]));
    const [remaining, toReset] = texts.map((text) => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : null));
    const reset = toReset === null ? null : Math.min(toReset, retry.longestWindowSeconds);
    const isClosed = remaining === 0 || (remaining === null && status === 429);
    if (isClosed && reset !== null) this.#windowEnds.set(key, now() + reset);
    return { remaining, reset };
  }

  #definition(name) {
    const isNamed = ({ id, name: own, aliases = [] }) => [id, own, ...aliases].includes(name);
    const named = this.#manifest.tools.definitions.find(isNamed);
    return named ?? this.#refuse(name, [{ param: 'operation', message: 'There is none of this name.' }]);
  }

  #refuse(name, problems) {
    const { refusals } = this.#manifest.grammar;
    const told = problems.map(({ param, code = 'other', message = refusals[code] }) => ({ param, code, message }));
    const listed = told.map(({ param, message }) => `${param}: ${message}`).join(' ');
    throw new PersonaError(`${name}: nothing was sent. ${listed}`, { kind: 'input_error', tookEffect: 'no', problems: told });
  }
}

/** Throw the error of a file that cannot be written; throw what spoils its coming again. */
function unstored(error) {
  throw error.syscall ? new PersonaError(`The file could not be stored: ${error.code}.`) : error;
}

/** Return the error of a call whose last attempt ended so. */
function failure({ definition, callKey }, ended, isInDoubt) {
  const { title = null, details = null, requestId = null, reason, remaining, reset = null } = ended;
  const retryAfter = ended.status === 429 && !(remaining > 0) ? reset : null;
  const told = { ...errorOf(definition, ended, callKey, isInDoubt), title, details, requestId, retryAfter };
  return new PersonaError(`${definition.name}: ${[reason, title, details].filter(Boolean).join(': ')}.`, told);
}
