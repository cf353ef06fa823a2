import type { PersonaDefinition } from '../types'

interface Ended {
  status: number | null
  sent?: boolean
  isBroken?: boolean
  remaining?: number | null
  reset?: number | null
}

interface Failure {
  kind: string
  status: number | null
  retryable: boolean
  tookEffect: string | null
  idempotencyKey: string | null
}

export class Broken extends Error {}
export function parseBody(bytes: Uint8Array): unknown
export function buildOutput(definition: PersonaDefinition, body: unknown): Record<string, any>
export function readErrors(body: unknown): { title: string | null; details: string | null }
export function errorOf(definition: PersonaDefinition, ended: Ended, callKey: string | null): Failure
