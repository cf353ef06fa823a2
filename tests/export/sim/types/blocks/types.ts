/** The part of Sim's block interface that the exported block uses. */

import type { ComponentType, JSX, SVGProps } from 'react'
import type { ToolResponse } from '@/tools/types'

export enum AuthMode {
  ApiKey = 'api_key',
}

export enum IntegrationType {
  Security = 'security',
}

interface Condition {
  field: string
  value: string | string[]
}

interface Field {
  id: string
  title?: string
  type: 'short-input' | 'long-input' | 'dropdown' | 'combobox' | 'code' | 'switch'
  mode?: 'basic' | 'advanced'
  paramVisibility?: 'user-or-llm' | 'user-only'
  required?: boolean | Condition
  condition?: Condition
  options?: { id: string; label: string; group?: string }[]
  value?: (params: Record<string, any>) => string
  placeholder?: string
  description?: string
  password?: boolean
  language?: 'json'
  wandConfig?: { enabled: boolean; prompt: string; generationType?: 'timestamp' | 'json-object' | 'json-array' }
}

type Clause = string | { text?: string; field: string; after?: string; core?: boolean }

export interface BlockConfig<_R extends ToolResponse = ToolResponse> {
  type: string
  name: string
  description: string
  category: 'tools'
  integrationType?: IntegrationType
  longDescription?: string
  docsLink?: string
  authMode?: AuthMode
  bgColor: string
  icon: (props: SVGProps<SVGSVGElement>) => JSX.Element
  canvasPresentation?: {
    defaultTitle: string
    operationSubBlockId?: string
    sentences?: { byOperation?: Record<string, readonly Clause[]> }
  }
  subBlocks: Field[]
  tools: {
    access: string[]
    config?: {
      tool: (params: Record<string, any>) => string
      params?: (params: Record<string, any>) => Record<string, any>
    }
  }
  inputs: Record<string, { type: 'string' | 'number' | 'boolean' | 'json' | 'array'; description?: string }>
  outputs: Record<string, { type: 'string' | 'number' | 'boolean' | 'json' | 'array' | 'file'; description?: string; condition?: Condition }>
}

export interface BlockMeta {
  tags: readonly 'identity'[]
  url?: string
  templates?: readonly {
    icon: ComponentType<SVGProps<SVGSVGElement>>
    title: string
    prompt: string
    modules: readonly ('workflows' | 'files')[]
    category: 'operations'
    tags: readonly string[]
  }[]
  skills?: readonly { name: string; description: string; content: string }[]
}
