/** The manifest's test vectors, played through the exported tools. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CALL_KEY, manifest, prepare, toolOf, vectors, withSettings } from './call.mjs'

const { baseUrl } = manifest.wire

/** Return a request in the words of the vectors. */
async function told({ method, url, headers, body }: ReturnType<typeof prepare>) {
  assert.ok(url.startsWith(`${baseUrl}/`))
  const [path, query] = url.slice(baseUrl.length).split('?')
  const request: Record<string, unknown> = query ? { method, path, query } : { method, path }
  if (body === undefined) return request
  const type = headers.get('Content-Type') ?? ''
  if (!type.startsWith('multipart/')) return { ...request, body: JSON.parse(body) }
  const form = await new Response(body, { headers: { 'Content-Type': type } }).formData()
  const parts = [...form].map(async ([name, file]) => [name, await (file as File).text()])
  return { ...request, multipart: Object.fromEntries(await Promise.all(parts)) }
}

/** Return the problems that a call is refused for; null where it is not refused. */
function refusalOf(operation: string, params: object) {
  try {
    prepare(toolOf(operation), withSettings(params))
    return null
  } catch (error: any) {
    const place = ({ param, code }: { param: string; code: string }) => `${param} ${code}`
    return error.details.problems.sort((one: any, other: any) => (place(one) < place(other) ? -1 : 1))
  }
}

/** Return what a tool makes of an answer to a call of its operation that can be made. */
function answerOf(operation: string, status: number, text: string) {
  const params = withSettings(vectors.calls.find((call: any) => call.operation === operation).params)
  prepare(toolOf(operation), params)
  return toolOf(operation).transformResponse!(new Response(text, { status }), params)
}

test('calls become the requests that they should', async () => {
  for (const { operation, params, request } of vectors.calls)
    assert.deepEqual(await told(prepare(toolOf(operation), withSettings(params))), request, JSON.stringify({ operation, params }))
})

test('calls that cannot be made are refused for what is wrong with them', () => {
  for (const { operation, params, problems } of vectors.refusals) {
    // Sim hands its own values to tools among the params, so no name is refused for being unknown.
    const expected = problems.filter(({ code }: { code: string }) => code !== 'unknown')
    assert.deepEqual(refusalOf(operation, params), expected.length ? expected : null, JSON.stringify({ operation, params }))
  }
})

test('answers become the output that was promised, or an error', async () => {
  for (const { operation, status, body, text = JSON.stringify(body), output, error } of vectors.answers) {
    const result = await answerOf(operation, status, text)
    if (output) assert.deepEqual(result, { success: true, output }, operation)
    else {
      const { kind, tookEffect } = result.output.errorDetails
      assert.deepEqual([result.success, { kind, tookEffect }], [false, error], operation)
    }
  }
})

test('errors tell what happened and whether to try again', async () => {
  for (const { operation, status, body, text = JSON.stringify(body), error } of vectors.errors) {
    const { success, output } = await answerOf(operation, status, text)
    const { problems, ...details } = output.errorDetails
    assert.deepEqual([success, details, problems], [false, error, []], `${operation} ${status}`)
  }
})

test('there is something of each kind to play', () => {
  for (const kind of ['calls', 'refusals', 'answers', 'errors']) assert.ok(vectors[kind].length > 50, kind)
  assert.ok(vectors.errors.some(({ error }: any) => error.idempotencyKey === CALL_KEY))
})
