import { ID_KINDS, REFUSALS, RETRY, WIRE } from '@/tools/persona/manifest'
import {
  Broken,
  buildOutput,
  errorOf,
  parseBody,
  readErrors,
} from '@/tools/persona/runtime/answer.mjs'
import { find } from '@/tools/persona/runtime/json.mjs'
import { checkKey, checkParams } from '@/tools/persona/runtime/params.mjs'
import { buildRequest, fillText } from '@/tools/persona/runtime/request.mjs'
import type {
  PersonaDefinition,
  PersonaErrorDetails,
  PersonaParams,
  PersonaPoll,
  PersonaProblem,
  PersonaResponse,
} from '@/tools/persona/types'
import type { ToolConfig } from '@/tools/types'

/** The most seconds that a tool waits: Sim gives a run five minutes at least. */
const WAIT_SECONDS = 240

/** About how many entries of a list are read before the cursor is given instead. */
const ITEMS_LIMIT = 1000

type PersonaTool = ToolConfig<PersonaParams, PersonaResponse>
type ExecuteTool = Parameters<NonNullable<PersonaTool['postProcess']>>[2]

/** A call that cannot be made; nothing was sent. */
export class PersonaError extends Error {
  constructor(
    message: string,
    readonly details: PersonaErrorDetails
  ) {
    super(message)
    this.name = 'PersonaError'
  }
}

/** Return the part of a tool that calls its operation. */
export function operation(
  definition: PersonaDefinition
): Pick<PersonaTool, 'errorExtractor' | 'request' | 'transformResponse' | 'postProcess'> {
  return {
    // It reads errors[0].details, which is where Persona says what is wrong.
    errorExtractor: 'hunter-errors',
    request: {
      url: (params) => {
        const { path, query } = prepare(definition, params)
        return `${WIRE.baseUrl}${path}${query && `?${query}`}`
      },
      method: definition.request.method,
      headers: (params) => headers(definition, params),
      body: (params) => {
        const { body, multipart } = prepare(definition, params)
        if (multipart) return multipartBody(multipart).text
        return body && JSON.stringify(body)
      },
      // All or nothing: Sim would also repeat a POST after a 500, which may have taken effect.
      retry: { enabled: true, retryIdempotentOnly: true, ...RETRY },
      stripAuthOnRedirect: true,
    },
    transformResponse: (response, params = {}) => readAnswer(definition, response, params),
    postProcess: (result, params, executeTool) => goOn(definition, result, params, executeTool),
  }
}

/** Return the request of a call; throws PersonaError where there is something wrong with its params. */
function prepare(definition: PersonaDefinition, params: PersonaParams) {
  // Sim hands every tool more than the params that the tool asks for.
  const own = Object.fromEntries(
    Object.entries(params).filter(([name]) => Object.hasOwn(definition.params.properties, name))
  )
  const { values, problems } = checkParams(definition, own, WIRE.keyParam, ID_KINDS)
  const { key, code } = checkKey(params[WIRE.keyParam])
  if (code) problems.push({ param: WIRE.keyParam, code })
  const ofCall = idempotencyKey(params) ?? '-'
  if (typeof ofCall !== 'string' || !/^[ -~]{1,255}$/.test(ofCall))
    problems.push({ param: 'idempotencyKey', code: 'bad_key' })
  if (definition.consent && !isOn(params.confirmed))
    problems.push({ param: 'confirmed', code: 'required' })
  if (problems.length) throw refusal(definition, problems)
  const request = buildRequest(definition, values)
  for (const [part, source] of Object.entries(request.multipart ?? {})) {
    const text = fileText(source)
    const param = Object.keys(values).find((name) => values[name] === source) ?? part
    if (text === undefined) throw refusal(definition, [{ param, code: 'not_file' }])
    request.multipart = { ...request.multipart, [part]: text }
  }
  return { ...request, key, values }
}

function refusal(definition: PersonaDefinition, problems: PersonaProblem[]) {
  const texts = problems.map(({ param, code }) => `${param}: ${REFUSALS[code]}`)
  const details: PersonaErrorDetails = {
    kind: 'input_error',
    status: null,
    title: null,
    details: null,
    retryable: false,
    tookEffect: 'no',
    idempotencyKey: null,
    problems,
  }
  return new PersonaError(`${definition.name}: nothing was sent. ${texts.join(' ')}`, details)
}

const isOn = (value: unknown) => value === true || value === 'true'

/** Return the text of a file: text as it is, or a file of Sim whose content was read. */
function fileText(source: unknown): string | undefined {
  try {
    // A reference in a text field arrives as the JSON of what it refers to.
    const isReference = typeof source === 'string' && source.startsWith('{')
    const file = isReference ? JSON.parse(source) : source
    if (typeof file === 'string') return file
    const { base64 } = file as { base64?: unknown }
    if (typeof base64 !== 'string') return undefined
    return new TextDecoder('utf-8', { fatal: true }).decode(
      Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
    )
  } catch {
    return undefined
  }
}

// --- the request ---

/** The keys of calls that are under way, by their params: Sim repeats a request with the same ones. */
const callKeys = new WeakMap<PersonaParams, string>()

function idempotencyKey({ idempotencyKey: key }: PersonaParams): string | undefined {
  return key === null || (typeof key === 'string' && !key.trim()) ? undefined : key
}

function callKey(definition: PersonaDefinition, params: PersonaParams): string | null {
  if (definition.request.method !== 'POST') return null
  const key = idempotencyKey(params) ?? callKeys.get(params) ?? crypto.randomUUID()
  callKeys.set(params, key)
  return key
}

function headers(definition: PersonaDefinition, params: PersonaParams): Record<string, string> {
  const { key, body, multipart } = prepare(definition, params)
  const file = fileOutput(definition)
  const sent: Record<string, string> = {
    ...WIRE.headers,
    Accept: file ? `${file.type}, application/json` : 'application/json',
    [WIRE.keyHeader]: `${WIRE.keyScheme} ${key}`,
  }
  const ofCall = callKey(definition, params)
  if (ofCall !== null) sent[WIRE.idempotencyHeader] = ofCall
  if (body) sent['Content-Type'] = 'application/json'
  if (multipart) sent['Content-Type'] = multipartBody(multipart).type
  return sent
}

/** Return a form as text: Sim sends a body as text, and a FormData as `{}`. */
function multipartBody(parts: Record<string, string>) {
  const contents = Object.values(parts)
  let number = 0
  while (contents.some((content) => content.includes(`persona-block-${number}`))) number += 1
  const boundary = `persona-block-${number}`
  const texts = Object.entries(parts).map(
    ([name, content]) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="file.csv"\r\n` +
      `Content-Type: text/csv\r\n\r\n${content}\r\n`
  )
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    text: `${texts.join('')}--${boundary}--\r\n`,
  }
}

// --- the answer ---

/** Return the output of an operation that is a file, if it has one. */
function fileOutput({ response }: PersonaDefinition) {
  const [name, source] = Object.entries(response).find(([, { file }]) => file) ?? []
  return name ? { name, type: source.file as string, filename: source.filename as string } : null
}

async function readAnswer(
  definition: PersonaDefinition,
  response: Response,
  params: PersonaParams
): Promise<PersonaResponse> {
  const { ok, status } = response
  const bytes = new Uint8Array(await response.arrayBuffer())
  if (!ok) {
    const remaining = Number.parseInt(response.headers.get(WIRE.remainingHeader) ?? '', 10)
    const told = readErrors(parseBody(bytes))
    return failure(definition, params, { status, remaining }, told)
  }
  const file = fileOutput(definition)
  if (file) {
    const type = response.headers.get('Content-Type')?.split(';')[0].trim().toLowerCase()
    const isPdf = new TextDecoder('latin1').decode(bytes.subarray(0, 5)) === '%PDF-'
    if (type !== file.type || !isPdf) return failure(definition, params, { status, isBroken: true })
    const filename: string = fillText(file.filename, prepare(definition, params).values)
    const name = filename.replace(/[^A-Za-z0-9._-]+/g, '-')
    const data = Buffer.from(bytes).toString('base64')
    const stored = { name, mimeType: file.type, size: bytes.length, data }
    return { success: true, output: { [file.name]: stored } }
  }
  try {
    return { success: true, output: buildOutput(definition, parseBody(bytes)) }
  } catch (error) {
    if (!(error instanceof Broken || error instanceof RangeError)) throw error
    return failure(definition, params, { status, isBroken: true })
  }
}

function failure(
  definition: PersonaDefinition,
  params: PersonaParams,
  ended: { status: number; isBroken?: boolean; remaining?: number },
  told: { title: string | null; details: string | null } = { title: null, details: null }
): PersonaResponse {
  const key = definition.request.method === 'POST' ? (callKeys.get(params) ?? null) : null
  const errorDetails: PersonaErrorDetails = {
    ...errorOf(definition, ended, key),
    ...told,
    problems: [],
  }
  const reason = ended.isBroken ? 'the answer is not what was promised' : `status ${ended.status}`
  const { title, details, tookEffect, retryable } = errorDetails
  const error =
    `${definition.name}: ${[reason, title, details].filter(Boolean).join(': ')}. ` +
    `(tookEffect: ${tookEffect}, retryable: ${retryable})`
  return { success: false, output: { errorDetails }, error }
}

// --- pages and waiting ---

async function goOn(
  definition: PersonaDefinition,
  result: PersonaResponse,
  params: PersonaParams,
  executeTool: ExecuteTool
): Promise<PersonaResponse> {
  if (definition.paginate && isOn(params.allPages))
    return allPages(definition, result, params, executeTool)
  if (definition.poll && isOn(params.waitUntilDone))
    return waitFor(definition, definition.poll, result, params, executeTool)
  return result
}

async function allPages(
  { id, name, paginate }: PersonaDefinition,
  first: PersonaResponse,
  params: PersonaParams,
  executeTool: ExecuteTool
): Promise<PersonaResponse> {
  const { cursor, next, items } = paginate!
  let { output } = first
  const cursors = new Set([params[cursor]])
  while (output[next] !== null && output[items].length < ITEMS_LIMIT) {
    if (cursors.has(output[next]))
      return { success: false, output, error: `${name}: a cursor came twice.` }
    cursors.add(output[next])
    const page = await executeTool(id, { ...params, [cursor]: output[next], allPages: false })
    if (!page.success) return { success: false, output, error: page.error }
    output = { ...page.output, [items]: [...output[items], ...page.output[items]] }
  }
  return { success: true, output }
}

async function waitFor(
  { id, name }: PersonaDefinition,
  poll: PersonaPoll,
  first: PersonaResponse,
  params: PersonaParams,
  executeTool: ExecuteTool
): Promise<PersonaResponse> {
  const ids = Object.entries(poll.params).map(([param, at]) => [param, find(first.output, at)])
  const asked = { ...params, ...Object.fromEntries(ids), waitUntilDone: false }
  const done = poll.tool === id ? name : `${name} was done, and is not to be repeated, but`
  const stop = (reason = '') => ({ success: false, output, error: `${done}: ${reason}` })
  let { output } = first
  for (let waited = 0; ; waited += poll.delay) {
    const status = find(output, poll.for)
    if (poll.success.includes(status)) return { success: true, output }
    if (poll.failure.includes(status)) return stop(`it ended as ${status}.`)
    if (waited + poll.delay > WAIT_SECONDS)
      return stop(`it did not end in ${WAIT_SECONDS} seconds.`)
    await new Promise((resolve) => setTimeout(resolve, poll.delay * 1000))
    const look = await executeTool(poll.tool, asked)
    if (!look.success) return stop(look.error)
    output = look.output
  }
}
