import type { Job } from '../api/contract'

// A model may have the name of one of these; an engine that a worker brings may not.
const bundled = new Set(['annotate', 'classify', 'depth', 'detect', 'embed', 'filter', 'obb', 'pose', 'read', 'saliency', 'segment', 'semantic', 'tensor'])
const longest = 2_000

const session = 'workflow'

/** The answer of an engine that a worker brings, or of a session, as text: nobody but the engine knows what is in it. Null for all others. */
export function broughtAnswer({ engine, model, result }: Pick<Job, 'engine' | 'model'> & { result: unknown }): string | null {
  if ((engine !== model && engine !== session) || bundled.has(engine) || result === null) return null
  const summary = (result as { summary?: unknown }).summary
  const text = typeof summary === 'string' ? summary : JSON.stringify(result)
  return text.length > longest ? `${text.slice(0, longest)}…` : text
}
