import type { PersonaDefinition } from '../types'

export function buildRequest(
  definition: PersonaDefinition,
  values: Record<string, any>
): {
  method: string
  path: string
  query: string
  body?: Record<string, any>
  multipart?: Record<string, any>
}
export function fillText(text: string, values: Record<string, any>): any
