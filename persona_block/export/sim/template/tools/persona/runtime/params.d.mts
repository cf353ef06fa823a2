import type { PersonaDefinition, PersonaProblem } from '../types'

export function checkParams(
  definition: PersonaDefinition,
  params: Record<string, unknown>,
  keyParam: string,
  idKinds: Record<string, string>
): { values: Record<string, any>; problems: PersonaProblem[] }
export function checkKey(...candidates: unknown[]): { key?: string; code?: string }
