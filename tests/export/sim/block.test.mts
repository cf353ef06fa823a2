/** The exported block and what its tools do beside one call. */

import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { PersonaBlock } from '@/blocks/blocks/persona'
import { CALL_KEY, manifest, prepare, toolOf, tools, vectors, withSettings } from './call.mjs'

const { tool: chosenTool, params: paramsOf } = PersonaBlock.tools.config!
const inquiry = { apiKey: 'persona_test', inquiryId: 'inq_1' }

test('the block has a tool and a sentence for each operation', () => {
  const operations = PersonaBlock.subBlocks[0].options!.map(({ id }) => id)
  assert.equal(operations.length, manifest.tools.definitions.length)
  assert.deepEqual(operations.map((operation) => chosenTool({ operation })), PersonaBlock.tools.access)
  assert.deepEqual(Object.keys(tools).sort(), [...PersonaBlock.tools.access].sort())
  assert.deepEqual(Object.keys(PersonaBlock.canvasPresentation!.sentences!.byOperation!), operations)
})

test('fields that fill one param of several operations do not mix', () => {
  const fields = { inquiryStatus: 'created', caseStatus: 'Open', accountFilter: 'act_1', accountId: 'act_2' }
  const inquiries = paramsOf!({ operation: 'list_inquiries', ...fields })
  const cases = paramsOf!({ operation: 'list_cases', ...fields })
  assert.deepEqual([inquiries.status, inquiries.accountId], ['created', 'act_1'])
  assert.deepEqual([cases.status, cases.accountId], ['Open', 'act_2'])
})

test('a model gives params by their own names', () => {
  assert.equal(paramsOf!({ operation: 'list_inquiries', status: 'created' }).status, 'created')
})

test('a decision needs a person, and nothing is sent without one', () => {
  const consenting = manifest.tools.definitions.filter(({ hints }: any) => hints.consent)
  assert.equal(consenting.length, 6)
  for (const { name, id } of consenting) {
    const { params } = vectors.calls.find(({ operation }: any) => operation === name)
    assert.equal(tools[id].params.confirmed.visibility, 'user-only')
    assert.throws(() => prepare(tools[id], withSettings({ ...params, confirmed: false })), /confirmed: It must be given\./)
    prepare(tools[id], withSettings({ ...params, confirmed: true }))
  }
})

test('a wrong key is refused, and no error repeats it', () => {
  const secret = 'persona\u00e9secret'
  for (const [params, code] of [[{ apiKey: secret }, 'bad_key'], [{ apiKey: ' ' }, 'no_key'], [{ idempotencyKey: secret }, 'bad_key'], [{ idempotencyKey: {} }, 'bad_key']] as const)
    assert.throws(
      () => prepare(toolOf('create_inquiry'), withSettings({ inquiryTemplateId: 'itmpl_1', ...params })),
      (error: any) => error.details.problems[0].code === code && !error.message.includes('secret'),
    )
})

test('a POST has one idempotency key for as long as Sim repeats it, and another call has another', () => {
  const keyOf = (params: object) => prepare(toolOf('resume_inquiry'), params).headers.get('Idempotency-Key')
  const params = { ...inquiry }
  assert.equal(keyOf(params), keyOf(params))
  assert.notEqual(keyOf(params), keyOf({ ...inquiry }))
  assert.equal(keyOf({ ...inquiry, idempotencyKey: CALL_KEY }), CALL_KEY)
  assert.match(keyOf({ ...inquiry, idempotencyKey: ' ' })!, /^[0-9a-f-]{36}$/)
  assert.equal(prepare(toolOf('get_inquiry'), inquiry).headers.get('Idempotency-Key'), null)
})

test('a CSV is sent as it is, as text or as a file of Sim whose content came along', async () => {
  const text = 'reference_id\npersona-block-0\nZoë'
  const stored = { name: 'a.csv', base64: Buffer.from(text).toString('base64') }
  for (const file of [text, stored, JSON.stringify(stored)]) {
    const { body, headers } = prepare(toolOf('import_accounts'), withSettings({ file }))
    const form = await new Response(body, { headers }).formData()
    assert.equal(await (form.get('data[attributes][file]') as File).text(), text)
  }
  const unread = { name: 'a.csv', key: 'stored' }
  for (const file of [unread, JSON.stringify(unread), '{broken', { base64: '*' }, { base64: '/w==' }])
    assert.throws(() => prepare(toolOf('import_accounts'), withSettings({ file })), /file: It is nothing/)
})

test('a PDF becomes a file that Sim stores, and what is none an error', async () => {
  const tool = toolOf('print_inquiry_pdf')
  const answer = (text: string, type: string) =>
    tool.transformResponse!(new Response(text, { headers: { 'Content-Type': type } }), { ...inquiry, inquiryId: 'inq_1/é' })
  const data = Buffer.from('%PDF-1.7 x').toString('base64')
  const { output } = await answer('%PDF-1.7 x', 'application/pdf')
  assert.deepEqual(output.file, { name: 'inq_1-.pdf', mimeType: 'application/pdf', size: 10, data })
  assert.equal(tool.outputs!.file.type, 'file')
  for (const [text, type] of [['<html>', 'application/pdf'], ['%PDF-1.7', 'text/html']]) {
    const { success, output } = await answer(text, type)
    assert.deepEqual([success, output.errorDetails.kind], [false, 'response_error'])
  }
})

test('all pages are read, up to a limit, and a cursor that comes twice is an error', async () => {
  const { postProcess } = toolOf('list_accounts')
  const page = (nextCursor: string | null, count = 1) => ({ success: true, output: { accounts: Array(count).fill({}), nextCursor } })
  const asked: any[] = []
  const pages: Record<string, object> = { a: page('b'), b: page(null), many: page('more', 999), loop: page('loop') }
  const execute = async (id: string, params: any): Promise<any> => {
    asked.push([id, params.pageAfter, params.allPages])
    return pages[params.pageAfter]
  }
  const all = (cursor: string | null) => postProcess!(page(cursor), { allPages: true }, execute)
  const { output } = await all('a')
  assert.deepEqual([output.accounts.length, output.nextCursor], [3, null])
  assert.deepEqual(asked, [['persona_list_accounts', 'a', false], ['persona_list_accounts', 'b', false]])
  assert.deepEqual((await all('many')).output.nextCursor, 'more')
  assert.equal((await all('loop')).success, false)
  assert.deepEqual((await postProcess!(page('a'), {}, execute)).output.nextCursor, 'a')
})

test('what was started is waited for, and a bad end or none is an error that forbids a second start', async () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  const { postProcess } = toolOf('create_report')
  const report = (status: string) => ({ success: true, output: { report: { id: 'rep_1', status } } })
  const play = async (statuses: string[]) => {
    const asked: any[] = []
    const execute = async (id: string, params: any): Promise<any> => {
      asked.push([id, params.reportId, params.waitUntilDone])
      return report(statuses.shift() ?? 'pending')
    }
    const waiting = postProcess!(report('pending'), { waitUntilDone: true, term: 'x' }, execute)
    let done = false
    waiting.finally(() => (done = true))
    while (!done) {
      mock.timers.tick(1000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    return { ...(await waiting), asked }
  }
  const ready = await play(['pending', 'ready'])
  assert.deepEqual([ready.success, ready.output.report.status], [true, 'ready'])
  assert.deepEqual(ready.asked, Array(2).fill(['persona_get_report', 'rep_1', false]))
  const errored = await play(['errored'])
  assert.equal(errored.success, false)
  assert.match(errored.error!, /was done, and is not to be repeated/)
  const endless = await play([])
  assert.match(endless.error!, /did not end in 240 seconds/)
  assert.equal(endless.asked.length, 120)
  mock.timers.reset()
})

test('Sim repeats nothing that may have taken effect, and never sends the key to another address', () => {
  for (const { request } of Object.values(tools)) {
    assert.ok(request.retry?.retryIdempotentOnly)
    assert.ok(request.stripAuthOnRedirect)
  }
})
