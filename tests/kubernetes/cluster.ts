// As much of a cluster as helm needs: it keeps objects, and refuses to change what Kubernetes would not change. It starts no pods.
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { parse } from 'yaml'
import type { Manifest } from './manifests'
import { secretOf } from './protobuf'

const kinds: Record<string, string[]> = {
  v1: ['ConfigMap', 'PersistentVolumeClaim', 'Secret', 'Service', 'ServiceAccount'],
  'apps/v1': ['Deployment', 'StatefulSet'],
  'autoscaling/v2': ['HorizontalPodAutoscaler'],
  'batch/v1': ['Job'],
  'keda.sh/v1alpha1': ['ScaledObject', 'TriggerAuthentication'],
  'monitoring.coreos.com/v1': ['PrometheusRule', 'ServiceMonitor'],
  'networking.k8s.io/v1': ['Ingress', 'NetworkPolicy'],
  'policy/v1': ['PodDisruptionBudget'],
  'rbac.authorization.k8s.io/v1': ['Role', 'RoleBinding'],
  'scheduling.k8s.io/v1': ['PriorityClass'],
}

const plural = (kind: string) => kind.toLowerCase().replace(/y$/, 'ie').replace(/s$/, 'se') + 's'

const groups = Object.keys(kinds).filter((v) => v !== 'v1').map((groupVersion) => {
  const [name, version] = groupVersion.split('/')
  return { name, versions: [{ groupVersion, version }], preferredVersion: { groupVersion, version } }
})

const discovery: Record<string, unknown> = {
  '/version': { major: '1', minor: '33', gitVersion: 'v1.33.0' },
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups },
  ...Object.fromEntries(Object.entries(kinds).map(([groupVersion, of]) => {
    const resources = of.map((kind) => ({ name: plural(kind), singularName: '', namespaced: kind !== 'PriorityClass', kind, verbs: ['create', 'delete', 'get', 'list', 'patch', 'update'] }))
    return [`/${groupVersion === 'v1' ? 'api' : 'apis'}/${groupVersion}`, { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources }]
  })),
}

/** What an object of that kind may not have changed. */
const fixed: Record<string, (o: Manifest) => unknown> = {
  Job: (o) => o.spec.template,
  Deployment: (o) => o.spec.selector,
  StatefulSet: (o) => [o.spec.selector, o.spec.serviceName, o.spec.volumeClaimTemplates],
  PersistentVolumeClaim: (o) => [o.spec.accessModes, o.spec.storageClassName],
  RoleBinding: (o) => o['roleRef'],
}

function merge(into: any, patch: any): any {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch) || typeof into !== 'object') return patch
  const merged = { ...into }
  for (const [key, value] of Object.entries(patch)) if (value === null) delete merged[key]
  else merged[key] = merge(merged[key] ?? {}, value)
  return merged
}

async function bodyOf(request: IncomingMessage): Promise<any> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const body = Buffer.concat(parts)
  if (request.headers['content-type'] === 'application/vnd.kubernetes.protobuf') return request.method === 'DELETE' ? null : secretOf(body)
  return body.length === 0 ? null : parse(body.toString())
}

export class Cluster {
  /** By path. */
  readonly objects = new Map<string, Manifest>()
  private readonly server = createServer((request, response) => {
    const failed = (wrong: unknown): [number, unknown] => [400, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 400, message: String(wrong) }]
    void this.answer(request).catch(failed).then(([code, body]) => {
      response.writeHead(code, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body))
    })
  })

  /** A kubeconfig that leads here. */
  async open(): Promise<string> {
    await new Promise<void>((up) => this.server.listen(0, '127.0.0.1', up))
    const server = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
    return JSON.stringify({ apiVersion: 'v1', kind: 'Config', 'current-context': 'x', clusters: [{ name: 'x', cluster: { server } }], users: [{ name: 'x', user: {} }], contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }] })
  }

  close() {
    this.server.closeAllConnections()
    this.server.close()
  }

  /** Names of the objects of a kind. */
  names = (kind: string) => [...this.objects.values()].filter((o) => o.kind === kind).map((o) => o.metadata.name)

  private async answer(request: IncomingMessage): Promise<[number, unknown]> {
    const { pathname, searchParams } = new URL(request.url!, 'http://x')
    if (pathname in discovery) return [200, discovery[pathname]]
    const body = await bodyOf(request)
    const there = this.objects.get(pathname)
    const status = (code: number, reason: string) => [code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message: `${pathname}: ${reason}` }] as [number, unknown]
    switch (request.method) {
      case 'GET': {
        if (there) return [200, there]
        if (!/\/secrets$/.test(pathname)) return status(404, 'NotFound')
        const labels = (searchParams.get('labelSelector') ?? '').split(',').filter((l) => l !== '').map((l) => l.split('='))
        const items = [...this.objects].filter(([path, o]) => path.startsWith(`${pathname}/`) && labels.every(([key, value]) => o.metadata.labels?.[key!] === value)).map(([, o]) => o)
        return [200, { kind: 'SecretList', apiVersion: 'v1', metadata: {}, items }]
      }
      case 'POST': {
        const path = `${pathname}/${body.metadata.name}`
        if (this.objects.has(path)) return status(409, 'AlreadyExists')
        this.objects.set(path, body)
        return [201, body]
      }
      case 'DELETE':
        return this.objects.delete(pathname) ? [200, there] : status(404, 'NotFound')
      default: {
        const whole = request.method === 'PUT' || request.headers['content-type'] === 'application/apply-patch+yaml'
        if (!there && !whole) return status(404, 'NotFound')
        const after = (whole ? body : merge(there, body)) as Manifest
        const part = fixed[after.kind]
        if (there && part && !isDeepStrictEqual(part(there), part(after))) return status(422, 'field is immutable')
        this.objects.set(pathname, after)
        return [200, after]
      }
    }
  }
}
