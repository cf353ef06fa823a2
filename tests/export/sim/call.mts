/** What Sim does with a tool: it makes one request of the tool's parts, and gives the answer back to the tool. */

import { readFileSync } from 'node:fs'
import * as exported from '@/tools/persona'

type Tool = (typeof exported)['personaGetInquiryTool']

export const manifest = JSON.parse(readFileSync('build/manifest.json', 'utf8'))
export const vectors = JSON.parse(readFileSync('build/vectors.json', 'utf8'))

export const tools: Record<string, Tool> = Object.fromEntries(Object.values(exported).map((tool) => [tool.id, tool]))
export const ids: Record<string, string> = Object.fromEntries(
  manifest.tools.definitions.map(({ id, name }: { id: string; name: string }) => [name, id]),
)
export const toolOf = (operation: string) => tools[ids[operation]]

/** The key that every call of the tests is made under. */
export const CALL_KEY = 'the-key-of-the-call'

/** What Sim adds to the params of every tool, and what a person set beside the params of the operation. */
export const withSettings = (params: object): Record<string, any> => ({
  apiKey: 'persona_test',
  confirmed: true,
  idempotencyKey: CALL_KEY,
  operation: 'as the block says',
  _context: { workflowId: 'w' },
  ...params,
})

/** Return the request that Sim sends, with a body as text. */
export function prepare({ request }: Tool, params: Record<string, any>) {
  const url = request.url(params)
  const headers = new Headers(request.headers(params))
  const made = request.method === 'GET' ? undefined : request.body?.(params)
  const body = typeof made === 'string' ? made : JSON.stringify(made)
  return { method: request.method as string, url, headers, body }
}
