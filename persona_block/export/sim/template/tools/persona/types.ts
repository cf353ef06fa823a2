import type { ToolResponse } from '@/tools/types'

/** The params of a tool: those of its operation, and whatever else Sim hands to every tool. */
export type PersonaParams = Record<string, any>

export interface PersonaResponse extends ToolResponse {
  output: Record<string, any>
}

/** What asking until something has ended takes. */
export interface PersonaPoll {
  /** The tool that reads it. */
  tool: string
  /** Where the first output holds the params of that tool. */
  params: Record<string, string>
  /** Where its output holds the status. */
  for: string
  success: string[]
  failure: string[]
  /** Seconds between two looks. */
  delay: number
}

/** An operation as the manifest of persona-block defines it; its grammar says what each part means. */
export interface PersonaDefinition {
  id: string
  name: string
  effect: 'read' | 'write' | 'decide' | 'erase'
  params: { properties: Record<string, Record<string, any>>; required?: string[] }
  requireAny?: string[]
  prefixes?: Record<string, string>
  choose?: Record<string, { by: string; cases: Record<string, string> }>
  request: { method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'; path: string; [part: string]: any }
  response: Record<string, any>
  paginate?: { cursor: string; size: string; next: string; items: string }
  poll?: PersonaPoll
  /** Whether a person has to have confirmed it. */
  consent?: boolean
}

export interface PersonaProblem {
  param: string
  code: string
}

/** What an error tells beside its message. */
export interface PersonaErrorDetails {
  kind: string
  status: number | null
  title: string | null
  details: string | null
  /** Whether sending it again, as a new call, can do no harm and may help. */
  retryable: boolean
  tookEffect: string | null
  idempotencyKey: string | null
  problems: PersonaProblem[]
}
