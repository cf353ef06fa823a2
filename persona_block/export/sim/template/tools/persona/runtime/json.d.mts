export function find(document: unknown, pointers: string | string[]): any
