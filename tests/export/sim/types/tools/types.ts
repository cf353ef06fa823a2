/** The part of Sim's tool interface that the exported tools use. */

export interface ToolResponse {
  success: boolean
  output: Record<string, any>
  error?: string
}

type ValueType = 'string' | 'number' | 'boolean' | 'json' | 'file' | 'array' | 'object'

interface Output {
  type: ValueType
  description?: string
  nullable?: boolean
  properties?: Record<string, Output>
  items?: { type: ValueType; description?: string; properties?: Record<string, Output> }
}

interface Param {
  type: string
  required?: boolean
  visibility?: 'user-or-llm' | 'user-only'
  description?: string
  items?: { type?: string }
}

interface ToolRequest<P> {
  url: (params: P) => string
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  headers: (params: P) => Record<string, string>
  body?: (params: P) => Record<string, any> | string | undefined
  retry?: { enabled: boolean; maxRetries?: number; initialDelayMs?: number; maxDelayMs?: number; retryIdempotentOnly?: boolean }
  stripAuthOnRedirect?: boolean
}

export interface ToolConfig<P = any, R = any> {
  id: string
  name: string
  description: string
  version: string
  params: Record<string, Param>
  outputs?: Record<string, Output & { fileConfig?: { mimeType?: string; extension?: string } }>
  errorExtractor?: string
  request: ToolRequest<P>
  transformResponse?: (response: Response, params?: P) => Promise<R>
  postProcess?: (
    result: R,
    params: P,
    executeTool: (toolId: string, params: Record<string, any>) => Promise<ToolResponse>,
  ) => Promise<R>
}
