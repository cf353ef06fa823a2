/** What the node uses of the runtime. */

/** One HTTP request and its answer, as the runtime makes it. */
export type Fetch = (
  url: string,
  request: { method: string; headers: Record<string, string>; body?: string | FormData; signal: AbortSignal },
) => Promise<{ ok: boolean; status: number; headers: Headers; body: AsyncIterable<Uint8Array> }>;

/** What becomes of the file of an answer; gives what the output then holds. */
export type KeepFile = (content: Buffer, name: string, mimeType: string) => Promise<object>;

export interface Options {
  apiKey: string;
  baseUrl: string;
  fetch: Fetch;
  sleep: (seconds: number) => Promise<void>;
  /** In the place of a folder, since files.mjs here writes none. */
  folder: KeepFile;
}

type Params = Record<string, unknown>;
/** An output by name; what its values are is said by the operation's definition. */
type Output = Record<string, any>;

export class Persona {
  constructor(manifest: object, options: Options);
  call(name: string, params: Params, options: { idempotencyKey?: string }): Promise<Output>;
  wait(name: string, params: Params, options: { idempotencyKey?: string }): Promise<Output>;
  paginate(name: string, params: Params): AsyncGenerator<Output>;
}
