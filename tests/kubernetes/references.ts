import type { Labels, Manifest } from './manifests'
import { allContainers, label, ofKind, podsOf, read, selects, textsIn } from './manifests'
import type { Rule } from './rule'
import { containerOf, find } from './rule'

/** The Secrets that docs/kubernetes.md has its readers make, and their keys. */
const section = read('docs/kubernetes.md').split(/^## /m).find((text) => text.startsWith('Secrets\n'))!
const madeByUsers = new Map(
  [...section.matchAll(/^\| `([\w-]+)` \| (`[^|]+) \|/gm)].map(([, name, keys]) => [name!, [...keys!.matchAll(/`([^`]+)`/g)].map((k) => k[1]!)]),
)

interface Reference {
  from: string
  kind: string
  name: string
  keys?: string[]
}

/** A generated Secret of a user's own is called as in the docs, with a hash behind it. */
const withoutHash = (name: string) => name.replace(/-[a-z0-9]{10}$/, '')

function* references(objects: Manifest[]): Generator<Reference> {
  for (const { owner, spec } of podsOf(objects)) {
    const from = label(owner)
    yield { from, kind: 'ServiceAccount', name: spec.serviceAccountName ?? 'default' }
    if (spec.priorityClassName) yield { from, kind: 'PriorityClass', name: spec.priorityClassName }
    if (owner.spec.serviceName) yield { from, kind: 'Service', name: owner.spec.serviceName }
    for (const volume of spec.volumes ?? []) {
      if (volume.secret) yield { from, kind: 'Secret', name: volume.secret.secretName!, keys: volume.secret.items?.map((i) => i.key) ?? [] }
      if (volume.configMap) yield { from, kind: 'ConfigMap', name: volume.configMap.name! }
      if (volume.persistentVolumeClaim) yield { from, kind: 'PersistentVolumeClaim', name: volume.persistentVolumeClaim.claimName }
    }
  }
  for (const { container, at } of allContainers(objects)) {
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      if (configMapRef) yield { from: at, kind: 'ConfigMap', name: configMapRef.name! }
      if (secretRef) yield { from: at, kind: 'Secret', name: secretRef.name! }
    }
    for (const { secretKeyRef, configMapKeyRef } of (container.env ?? []).map((e) => e.valueFrom ?? {})) {
      if (secretKeyRef) yield { from: at, kind: 'Secret', name: secretKeyRef.name!, keys: [secretKeyRef.key] }
      if (configMapKeyRef) yield { from: at, kind: 'ConfigMap', name: configMapKeyRef.name! }
    }
  }
  for (const object of objects) {
    const { kind, spec } = object
    const from = label(object)
    if (kind === 'Ingress') {
      for (const tls of spec.tls ?? []) yield { from, kind: 'Secret', name: tls.secretName }
      for (const path of spec.rules.flatMap((r: any) => r.http.paths)) yield { from, kind: 'Service', name: path.backend.service.name }
    }
    if (kind === 'HorizontalPodAutoscaler' || kind === 'ScaledObject') yield { from, kind: 'Deployment', name: spec.scaleTargetRef.name }
    if (kind === 'ScaledObject')
      for (const trigger of spec.triggers) if (trigger.authenticationRef) yield { from, kind: 'TriggerAuthentication', name: trigger.authenticationRef.name }
    if (kind === 'TriggerAuthentication') for (const secret of spec.secretTargetRef ?? []) yield { from, kind: 'Secret', name: secret.name, keys: [secret.key] }
    if (kind === 'ServiceMonitor')
      for (const { name, key } of spec.endpoints.map((e: any) => e.authorization.credentials)) yield { from, kind: 'Secret', name, keys: [key] }
    if (kind === 'RoleBinding') {
      yield { from, kind: 'Role', name: object.roleRef.name }
      for (const subject of object.subjects) yield { from, kind: 'ServiceAccount', name: subject.name }
    }
    if (kind === 'Role')
      for (const rule of object.rules) for (const name of rule.resourceNames ?? []) yield { from, kind: 'Deployment', name }
  }
}

function isThere(objects: Manifest[], { kind, name, keys = [] }: Reference): boolean {
  const found = objects.find((o) => o.kind === kind && o.metadata.name === name)
  if (kind !== 'Secret') return found !== undefined
  // One that is generated is there under another name only.
  if (!found && objects.some((o) => o.kind === 'Secret' && withoutHash(o.metadata.name) === name)) return false
  const known = madeByUsers.get(found ? withoutHash(name) : name)
  return known !== undefined && keys.every((key) => known.includes(key))
}

/** Addresses of Services, wherever they are written, as `http://gateway:8080` or `keda-scaler.spotter:9090`. */
function* addresses(objects: Manifest[]) {
  for (const object of objects)
    for (const text of textsIn(object.spec)) for (const [, host, port] of text.matchAll(/(?:^|\/\/|@)([a-z-]+)(?:\.spotter)?:(\d+)(?=\/|$)/g)) yield { from: label(object), host, port: Number(port) }
}

const selected = (objects: Manifest[], labels: Labels) => podsOf(objects).filter((p) => selects({ matchLabels: labels }, p.labels))

export const referenceRules: Rule[] = [
  {
    says: 'everything that is named is there, or the docs say who makes it',
    check: (objects) => [...references(objects)].filter((r) => !isThere(objects, r)).map((r) => `${r.from}: ${r.kind} ${r.name} ${r.keys ?? ''}`),
    mistakes: {
      'a Secret that nobody makes': (o) => (find(o, 'Deployment', 'bot').spec.template.spec.volumes.find((v: any) => v.name === 'telegram').secret.secretName = 'nobody'),
      'a key that nobody makes': (o) => (containerOf(o, 'Deployment', 'gateway').env[0].valueFrom.secretKeyRef.key = 'nobody'),
      'a ConfigMap that is not there': (o) => (containerOf(o, 'Deployment', 'gateway').envFrom[0].configMapRef.name = 'shop'),
      'an account that is not there': (o) => (find(o, 'Deployment', 'bot').spec.template.spec.serviceAccountName = 'robot'),
      'a volume that is not there': (o) => (find(o, 'PersistentVolumeClaim', 'models').metadata.name = 'toys'),
      'a rank that is not there': (o) => (find(o, 'PriorityClass', 'spotter-worker').metadata.name = 'spotter-idler'),
      'an ingress to nowhere': (o) => (find(o, 'Ingress', 'gateway').spec.rules[0].http.paths[0].backend.service.name = 'gate'),
    },
  },
  {
    says: 'every volume that a container mounts is one of its pod, and the other way round',
    check: (objects) =>
      podsOf(objects).flatMap(({ owner, spec }) => {
        const has = [...(spec.volumes ?? []).map((v) => v.name), ...(owner.spec.volumeClaimTemplates ?? []).map((c: Manifest) => c.metadata.name)]
        const mounted = spec.containers.flatMap((c) => c.volumeMounts ?? []).map((m) => m.name)
        return [...mounted.filter((m) => !has.includes(m)), ...has.filter((h) => !mounted.includes(h))].map((name) => `${label(owner)}: ${name}`)
      }),
    mistakes: { 'a mount of nothing': (o) => (containerOf(o, 'Deployment', 'gateway').volumeMounts[0].name = 'nothing') },
  },
  {
    says: 'every Service leads to a port of a pod',
    check: (objects) =>
      ofKind(objects, 'Service').flatMap((service) => {
        const ports = selected(objects, service.spec.selector).flatMap((p) => p.spec.containers.flatMap((c) => c.ports ?? []))
        return service.spec.ports.filter((s: any) => !ports.some((p) => p.name === s.targetPort)).map((s: any) => `${label(service)}: ${s.targetPort}`)
      }),
    mistakes: {
      'a Service of no pod': (o) => (find(o, 'Service', 'gateway').spec.selector = { app: 'gateway' }),
      'a port that no pod has': (o) => (find(o, 'Service', 'postgres').spec.ports[0].targetPort = 'sql'),
    },
  },
  {
    says: 'every address is that of a Service',
    check: (objects) =>
      [...addresses(objects)]
        .filter(({ host, port }) => !ofKind(objects, 'Service').some((s) => s.metadata.name === host && s.spec.ports.some((p: any) => p.port === port)))
        .map(({ from, host, port }) => `${from}: ${host}:${port}`),
    mistakes: {
      'a host that is not there': (o) => (containerOf(o, 'Deployment', 'worker-yolox').args[2] = 'http://gateways:8080'),
      'a port that is not there': (o) => (find(o, 'Service', 'postgres').spec.ports[0].port = 5433),
    },
  },
  {
    says: 'every selector of a workload or a disruption budget selects pods',
    check: (objects) => [
      ...podsOf(objects).filter(({ owner, labels }) => owner.kind !== 'Job' && !selects(owner.spec.selector, labels)).map((p) => label(p.owner)),
      ...ofKind(objects, 'PodDisruptionBudget').filter((b) => selected(objects, b.spec.selector.matchLabels).length !== 1).map(label),
    ],
    mistakes: {
      'a Deployment without its pods': (o) => (find(o, 'Deployment', 'gateway').spec.template.metadata.labels['app.kubernetes.io/component'] = 'gate'),
      'a budget for nobody': (o) => (find(o, 'PodDisruptionBudget', 'worker-starter').spec.selector.matchLabels.pool = 'other'),
    },
  },
  {
    says: 'what is scaled has one scaler, and no number of its own',
    check: (objects) => {
      const scaled = ofKind(objects, 'HorizontalPodAutoscaler', 'ScaledObject').map((o) => o.spec.scaleTargetRef.name as string)
      return [
        ...scaled.filter((name, i) => scaled.indexOf(name) < i),
        ...ofKind(objects, 'Deployment').filter((d) => scaled.includes(d.metadata.name) && 'replicas' in d.spec).map(label),
      ]
    },
    mistakes: {
      'a number beside a scaler': (o) => o.push({ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { name: 'x' }, spec: { scaleTargetRef: { name: 'worker-starter' } } }),
    },
  },
]
