import { Model } from '@kubernetes-models/base'
import type { Manifest } from './manifests'
import { label } from './manifests'
import type { Rule } from './rule'
import { find } from './rule'

const packages: Record<string, string> = { 'keda.sh': '@kubernetes-models/keda', 'monitoring.coreos.com': '@kubernetes-models/prometheus-operator' }

/** The module that knows the kinds of an API. */
export function moduleOf(apiVersion: string): string {
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0]! : ''
  return `${packages[group] ?? 'kubernetes-models'}/${apiVersion}`
}

async function validate(object: Manifest): Promise<string[]> {
  try {
    const kinds = (await import(moduleOf(object.apiVersion))) as Record<string, new (data: unknown) => Model<never>>
    const kind = kinds[object.kind]
    if (!kind) return [`${label(object)}: ${object.apiVersion} has no such kind`]
    new kind(object).validate()
    return []
  } catch (wrong) {
    return [`${label(object)}: ${(wrong as Error).message}`]
  }
}

export const schemaRules: Rule[] = [
  {
    says: 'every object is valid by the schema of its kind',
    check: async (objects) => (await Promise.all(objects.map(validate))).flat(),
    mistakes: {
      'a number that is a text': (o) => (find(o, 'Deployment', 'gateway').spec.replicas = 'two'),
      'a kind that nobody knows': (o) => (find(o, 'Service', 'gateway').kind = 'Servise'),
      'an API that nobody knows': (o) => (find(o, 'Service', 'gateway').apiVersion = 'v7'),
      'a field that is missing': (o) => delete find(o, 'Deployment', 'gateway').spec.selector,
    },
  },
  {
    says: 'no object is there twice',
    check: (objects) => {
      const names = objects.map((o) => `${label(o)} in ${o.metadata.namespace ?? 'no namespace'}`)
      return names.filter((name, i) => names.indexOf(name) < i)
    },
    mistakes: { 'a Service that is there twice': (o) => o.push(find(o, 'Service', 'gateway')) },
  },
]
