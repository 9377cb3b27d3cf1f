import type { Manifest } from './manifests'

/** What holds of every rendering. */
export interface Rule {
  says: string
  /** What breaks it, one line each. */
  check: (objects: Manifest[]) => string[] | Promise<string[]>
  /** Mistakes in the base that it has to notice. */
  mistakes: Record<string, (objects: Manifest[]) => void>
}

/** The object of that name, to make a mistake in. */
export function find(objects: Manifest[], kind: string, name: string): Manifest {
  const found = objects.find((o) => o.kind === kind && o.metadata.name === name)
  if (!found) throw new Error(`There is no ${kind} ${name}.`)
  return found
}

/** The first container of a workload, to make a mistake in. */
export const containerOf = (objects: Manifest[], kind: string, name: string) => find(objects, kind, name).spec.template.spec.containers[0]
