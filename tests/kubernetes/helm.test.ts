// deploy/helm/spotter makes what deploy/kubernetes makes, and refuses what can't be.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { Node, Scalar, YAMLMap } from 'yaml'
import { isMap, parse, parseDocument } from 'yaml'
import { differences, withoutDifferences } from './differences'
import type { Values } from './helm'
import { chart, examples, helm, own, parts, template } from './helm'
import type { Manifest } from './manifests'
import { label, ofKind, podsOf, read, renderings, repository, textsIn } from './manifests'
import { find } from './rule'

/** What kustomize can make and the chart can't, and why. */
const notInChart: Record<string, string> = {
  'base + components/engine': 'an engine is yours: a folder to copy, with an image of your own',
  'base + components/keda/sqs': 'with PostgreSQL there are no queues in SQS; the chart refuses it',
}

const folders = renderings.filter((r) => !r.name.startsWith('docs: '))
const both = folders.filter((r) => !(r.name in notInChart)).map((r) => ({ ...r, values: r.name.split(' + ').map((part) => parts[part]!) }))

const byLabel = (a: Manifest, b: Manifest) => (label(a) < label(b) ? -1 : 1)

describe('the chart makes what kustomize makes', () => {
  it('of every folder, but for those that it leaves out', () => {
    expect(Object.keys(notInChart).filter((name) => !folders.some((r) => r.name === name))).toEqual([])
    expect(both.flatMap((r) => r.values).filter((v) => v === undefined)).toEqual([])
    expect(both.length).toBeGreaterThan(12)
  })

  it.each(both)('$name', ({ objects, values }) => {
    const [ours, theirs] = withoutDifferences(template(values), objects)
    expect(ours.toSorted(byLabel)).toEqual(theirs.toSorted(byLabel))
  })

  it.each(differences)('but that $says', ({ says }) => {
    const unlike = both.filter(({ objects, values }) => {
      const [ours, theirs] = withoutDifferences(template(values), objects, says)
      return !isDeepStrictEqual(ours.toSorted(byLabel), theirs.toSorted(byLabel))
    })
    expect(unlike).not.toEqual([])
  })
})

describe('a group of workers', () => {
  const group: Values = { workers: { plates: { models: ['plates', 'letters'], min: 1, max: 3, lanes: 2 } } }
  const of = (kind: string, ...more: Values[]) => template([group, { scaler: { kind } }, ...more])

  it('is a few lines, with what they say and the rest from the defaults', () => {
    const { spec } = find(of('none'), 'Deployment', 'worker-plates')
    expect(spec.replicas).toBe(1)
    expect(spec.template.spec.containers[0].args).toEqual(['worker', '--server', 'http://gateway:8080', '--log-format', 'json', '--model=plates', '--model=letters'])
    expect(spec.template.spec.containers[0].env).toContainEqual({ name: 'SPOTTER__WORKER__LANES', value: '2' })
    expect(spec.template.spec.containers[0].resources).toEqual({ requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '1Gi' } })
    expect(spec.template.spec.volumes.map((v: { name: string }) => v.name)).toEqual(['data', 'tmp', 'secrets'])
  })

  it('is taken up by the policy', () => {
    const [spotter, keda] = [of('spotter'), of('keda')]
    expect(find(spotter, 'Deployment', 'autoscaler').spec.template.spec.containers[0].args).toContain('--pool=plates:launcher=kubernetes;deployment=worker-plates;models=plates,letters;min=1;max=3;lanes=2')
    expect(find(spotter, 'Role', 'autoscaler')['rules'][1].resourceNames).toContain('worker-plates')
    expect(find(keda, 'Deployment', 'autoscaler').spec.template.spec.containers[0].args).toContain('--pool=plates:models=plates,letters;min=1;max=3;lanes=2')
    expect(find(keda, 'ScaledObject', 'worker-plates').spec).toMatchObject({ minReplicaCount: 1, maxReplicaCount: 3, triggers: [{ metadata: { pool: 'plates' } }] })
  })

  it('is counted by its models', () => {
    const triggers = (kind: string, ...more: Values[]) => find(of(kind, ...more), 'ScaledObject', 'worker-plates').spec.triggers.map((t: { metadata: object }) => t.metadata)
    expect(triggers('keda-postgres')[0].query).toContain(`split_part(queue, '/', 2) IN ('plates', 'letters') AND`)
    expect(triggers('keda-redis').map((t: Values) => t['listName'])).toEqual(['__engine_pending_list_detect/plates__', '__engine_pending_list_detect/letters__'])
    expect(triggers('keda-sqs', parts['overlays/eks']!).map((t: Values) => t['queueURL'])).toEqual(['plates', 'letters'].flatMap((m) => ['normal', 'high', 'low'].map((p) => `spotter-detect_${m}-${p}`)))
  })

  it('goes by its processors to one worker at least', () => {
    expect(find(of('hpa', { workers: { plates: { min: 0 } } }), 'HorizontalPodAutoscaler', 'worker-plates').spec).toMatchObject({ minReplicas: 1, maxReplicas: 3 })
  })

  it('is left alone where KEDA scales another', () => {
    const objects = of('keda-metrics-api', { scaler: { metricsApi: { group: 'plates' } } })
    expect(ofKind(objects, 'ScaledObject').map(label)).toEqual(['ScaledObject worker-plates'])
    const replicas = ofKind(objects, 'Deployment').filter((d) => d.metadata.name.startsWith('worker-')).map((d) => [d.metadata.name, d.spec.replicas])
    expect(Object.fromEntries(replicas)).toEqual({ 'worker-plates': undefined, 'worker-starter': 1, 'worker-yolox': 1 })
  })

  it('is gone when it is null, and has GPUs when it says so', () => {
    expect(ofKind(template([{ workers: { yolox: null } }]), 'Deployment').map((d) => d.metadata.name)).not.toContain('worker-yolox')
    const images = ofKind(of('none', { gpu: { enabled: true }, workers: { starter: { gpu: false } } }), 'Deployment').map((d) => [d.metadata.name, d.spec.template.spec.containers[0].image])
    expect(Object.fromEntries(images)).toMatchObject({ gateway: 'spotter:0.1.0', 'worker-starter': 'spotter:0.1.0', 'worker-plates': 'spotter-gpu:0.1.0' })
  })
})

describe('a release', () => {
  const everything = own['more of everything']!

  it('says of each object what it is a part of', () => {
    for (const { kind, metadata } of template(everything)) {
      const { labels = {} } = metadata
      expect(labels, `${kind} ${metadata.name}`).toMatchObject({ 'app.kubernetes.io/instance': 'spotter', 'app.kubernetes.io/managed-by': 'Helm', 'app.kubernetes.io/part-of': 'spotter', 'helm.sh/chart': 'spotter-0.1.0' })
      expect(labels['app.kubernetes.io/name']).toBe(metadata.name === 'postgres' ? 'postgres' : 'spotter')
    }
  })

  it.each(['none', 'spotter', 'keda', 'keda-postgres', 'keda-redis', 'keda-metrics-api'])('is in the namespace that helm names, also when scaled by %s', (kind) => {
    const objects = template([{ scaler: { kind } }], 'other')
    expect(objects.filter((o) => o.kind !== 'PriorityClass' && o.metadata.namespace !== 'other').map(label)).toEqual([])
    expect([...textsIn(objects)].filter((text) => /\.spotter:|^[a-z]+\.spotter$/.test(text))).toEqual([])
  })

  it('replaces the gateways when a setting changes, and no worker', () => {
    const [before, after] = [template([]), template([{ settings: { SPOTTER__LOG__LEVEL: 'debug' } }])]
    const changed = podsOf(after).filter(({ owner }) => JSON.stringify(owner.spec.template) !== JSON.stringify(find(before, owner.kind, owner.metadata.name).spec.template))
    expect(changed.map((p) => p.owner.metadata.name).toSorted()).toEqual(['autoscaler', 'gateway'])
    expect(ofKind(after, 'ConfigMap')[0]!['data']['SPOTTER__LOG__LEVEL']).toBe('debug')
  })

  it('has another job to pull models for another image, as jobs can not be changed', () => {
    const name = (tag: string) => ofKind(template([{ image: { tag } }]), 'Job').map((j) => j.metadata.name)
    expect(name('0.1.0')).toEqual(name(''))
    expect(name('0.1.1')).not.toEqual(name(''))
  })

  it('takes what it is told', () => {
    const objects = template(everything)
    const { spec } = find(objects, 'Deployment', 'gateway').spec.template
    expect(spec).toMatchObject({ imagePullSecrets: [{ name: 'registry' }], priorityClassName: 'first', nodeSelector: { disk: 'ssd' }, tolerations: [{ operator: 'Exists' }], affinity: { nodeAffinity: {} } })
    expect(spec.containers[0]).toMatchObject({ image: 'spotter:0.1.1', imagePullPolicy: 'Always' })
    expect(find(objects, 'Deployment', 'gateway').spec.template.metadata.annotations).toMatchObject({ team: 'vision' })
    expect(find(objects, 'Deployment', 'bot').spec.template.spec.tolerations).toHaveLength(3)
    const worker = find(objects, 'Deployment', 'worker-starter').spec.template
    expect(worker).toMatchObject({ metadata: { annotations: { team: 'vision' } }, spec: { nodeSelector: { disk: 'ssd' }, tolerations: [{ operator: 'Exists' }], priorityClassName: 'last' } })
    expect(worker.spec.containers[0].args.at(-1)).toBe('--log-level=debug')
    expect(worker.spec.containers[0].env).toContainEqual({ name: 'SPOTTER__WORKER__JOBSECONDS', value: '30' })
    expect(ofKind(objects, 'Job')).toHaveLength(2)
    expect(find(objects, 'ServiceMonitor', 'gateway').metadata.labels).toMatchObject({ release: 'prometheus' })
  })

  it('makes no volume that is there already, and no policy that is not wanted', () => {
    const objects = template([{ blobs: { existingClaim: 'pictures' }, models: { existingClaim: 'ours' }, networkPolicies: { enabled: false }, priorityClasses: { create: false } }])
    expect(ofKind(objects, 'PersistentVolumeClaim', 'NetworkPolicy', 'PriorityClass')).toEqual([])
    const claims = podsOf(objects).flatMap((p) => (p.spec.volumes ?? []).flatMap((v) => v.persistentVolumeClaim?.claimName ?? []))
    expect([...new Set(claims)].toSorted()).toEqual(['ours', 'pictures'])
  })

  it('keeps its volumes when it is uninstalled, unless they need not be kept', () => {
    const annotations = (keep: boolean) => ofKind(template([{ blobs: { keep }, models: { keep } }]), 'PersistentVolumeClaim').map((c) => ('annotations' in c.metadata ? c.metadata.annotations : undefined))
    expect(annotations(true)).toEqual(Array(2).fill({ 'helm.sh/resource-policy': 'keep' }))
    expect(annotations(false)).toEqual([undefined, undefined])
  })

  it('reaches its own database, and KEDA reads the address from the same Secret', () => {
    const objects = template([...own['a database of their own, counted by KEDA']!])
    expect(find(objects, 'NetworkPolicy', 'gateways-to-database').spec.egress).toEqual([{ to: [{ ipBlock: { cidr: '10.20.30.0/24' } }], ports: [{ port: 5432 }] }])
    expect(find(objects, 'TriggerAuthentication', 'postgres').spec.secretTargetRef).toEqual([{ parameter: 'connection', name: 'postgres-url', key: 'url' }])
    expect(Object.keys(find(objects, 'ScaledObject', 'worker-yolox').spec.triggers[0].metadata)).toEqual(['targetQueryValue', 'query'])
    expect(objects.filter((o) => o.metadata.name.startsWith('postgres') && o.kind !== 'TriggerAuthentication')).toEqual([])
  })

  it('leaves the annotations of ingress-nginx to ingress-nginx', () => {
    const annotations = (ingress: Values) => Object.keys((find(template([parts['base']!, { ingress }]), 'Ingress', 'gateway').metadata as Values)['annotations'] ?? {})
    expect(annotations({ className: 'nginx-public', annotations: { x: 'y' } })).toHaveLength(5)
    expect(annotations({ className: 'traefik' })).toEqual([])
  })
})

describe('wrong values', () => {
  const eks = parts['overlays/eks']!
  const postgres = { backend: { postgres: { external: { enabled: true } } } }

  it.each<[wrong: string, values: Values[], ...says: string[]]>([
    ['a name that is none', [{ image: { tagg: '1' } }], 'image', 'tagg'],
    ['a name in a group that is none', [{ workers: { starter: { replica: 2 } } }], 'workers', 'starter', 'replica'],
    ['a name at the top that is none', [{ worker: {} }], 'worker'],
    ['a scaler that is none', [{ scaler: { kind: 'magic' } }], 'scaler', 'kind', 'keda-postgres'],
    ['a backend that is none', [{ backend: { kind: 'redis' } }], 'backend', 'kind'],
    ['a number that is a text', [{ gateway: { replicas: 'two' } }], 'gateway', 'replicas'],
    ['two bots', [{ bot: { enabled: true, replicas: 2 } }], 'bot', 'replicas'],
    ['a setting that is a number', [{ settings: { SPOTTER__MAXWORKERS: 3 } }], 'settings', 'SPOTTER__MAXWORKERS'],
    ['a setting in small letters', [{ settings: { 'log.level': 'debug' } }], 'log.level'],
    ['a group without models', [{ workers: { plates: { min: 1 } } }], 'workers', 'plates', 'models'],
    ['a group with a name that a pool can not have', [{ workers: { 'my-plates': { models: ['plates'] } } }], 'my-plates'],
    ['a model that would be two settings of a pool', [{ workers: { plates: { models: ['a;max=9'] } } }], 'workers', 'plates', 'models'],
    ['a size without a unit that Kubernetes knows', [{ blobs: { size: '50GB' } }], 'blobs', 'size'],
    ['pictures in a place that is none', [{ blobs: { url: '/mnt/pictures' } }], 'blobs', 'url'],
    ['a role that is none', [{ aws: { roleArn: 'spotter' } }], 'aws', 'roleArn'],
    ['no callers', [{ networkPolicies: { clients: [] } }], 'networkPolicies', 'clients'],
    ['PostgreSQL counted without PostgreSQL', [eks, { scaler: { kind: 'keda-postgres' } }], 'scaler.kind is keda-postgres, which needs backend.kind postgres', 'take keda-sqs'],
    ['Redis without PostgreSQL', [eks, { scaler: { kind: 'keda-redis' } }], 'scaler.kind is keda-redis, which needs backend.kind postgres'],
    ['queues counted without queues', [{ scaler: { kind: 'keda-sqs' } }], 'scaler.kind is keda-sqs, which needs backend.kind aws', 'take keda-postgres'],
    ['AWS without a bucket and a region', [{ backend: { kind: 'aws' } }], 'set blobs.url to s3://BUCKET/PREFIX', 'set aws.region'],
    ['AWS with a database', [eks, postgres], 'backend.postgres.external.enabled is true and backend.kind is aws'],
    ['a database that no gateway may reach', [postgres], 'backend.postgres.external.peers is empty'],
    ['an ingress for no host', [{ ingress: { enabled: true } }], 'set ingress.host'],
    ['a scaler without workers', [{ scaler: { kind: 'keda' }, workers: { starter: null, yolox: null } }], 'workers has no group to scale'],
    ['a group that is not there', [{ scaler: { kind: 'keda-metrics-api', metricsApi: { group: 'plates' } } }], 'scaler.metricsApi.group is plates', 'name one of starter, yolox'],
    ['more workers at least than at most', [{ workers: { yolox: { min: 9 } } }], 'workers.yolox: min is 9 and max is 8: set max to 9 or more'],
    ['nothing to scale between', [{ scaler: { kind: 'keda' }, workers: { yolox: { min: 8 } } }], 'workers.yolox: min and max are both 8'],
    ['a model of two pools', [{ scaler: { kind: 'spotter' }, workers: { more: { models: ['yolox_nano'] } } }], 'the model yolox_nano is in workers.more, too'],
  ])('%s', (_, values, ...says) => {
    const { status, stderr } = helm(['template', 'spotter', chart], ...values)
    expect(status).not.toBe(0)
    for (const text of says) expect(stderr).toContain(text)
  })

  it('may be in two groups where no policy asks whose a model is', () => {
    expect(ofKind(template([{ scaler: { kind: 'keda-postgres' }, workers: { more: { models: ['yolox_nano'] } } }]), 'ScaledObject')).toHaveLength(3)
  })
})

describe('the chart', () => {
  it.each([['the defaults', []], ['the base', [parts['base']!]], ['EKS', [parts['overlays/eks']!]], ...Object.entries(own)] as [string, Values[]][])('has nothing that helm lint warns of, with %s', (_, values) => {
    const { status, stdout, stderr } = helm(['lint', '--strict', '--quiet', chart], ...values)
    expect(stdout + stderr).not.toMatch(/\[(WARNING|ERROR)\]/)
    expect(status).toBe(0)
  })

  it('has the version of the program', () => {
    const { version, appVersion, apiVersion, kubeVersion } = parse(read('deploy/helm/spotter/Chart.yaml')) as Record<string, string>
    expect(read('Directory.Build.props')).toContain(`<Version>${version}</Version>`)
    expect([appVersion, apiVersion, kubeVersion]).toEqual([version, 'v2', '>=1.30.0-0'])
  })

  // Resources and groups of workers are maps that users fill.
  const schema = JSON.parse(read('deploy/helm/spotter/values.schema.json')) as Values
  const resolve = (s: Values): Values => (s['$ref'] ? (schema['definitions'] as Values)[(s['$ref'] as string).split('/').at(-1)!] : s)
  const known = (s: Values, at = ''): string[] =>
    Object.entries((s['properties'] ?? {}) as Values).flatMap(([name, below]) => (resolve(below)['properties'] && name !== 'resources' ? known(resolve(below), `${at}${name}.`) : `${at}${name}`)).filter((name) => name !== 'global')

  /** The values in values.yaml, with what is said before each. */
  function* described(map: YAMLMap<Scalar<string>, Node>, at = ''): Generator<[name: string, comment: string]> {
    for (const [i, { key, value }] of map.items.entries()) {
      const comment = key.commentBefore ?? (i === 0 ? map.commentBefore : null) ?? ''
      if (isMap(value) && !known(schema).includes(`${at}${key.value}`)) yield* described(value as YAMLMap<Scalar<string>, Node>, `${at}${key.value}.`)
      else yield [`${at}${key.value}`, comment]
    }
  }
  const values = [...described(parseDocument(read('deploy/helm/spotter/values.yaml')).contents as YAMLMap<Scalar<string>, Node>)]

  it('has a schema with exactly the values that there are', () => {
    expect(values.map(([name]) => name).toSorted()).toEqual(known(schema).toSorted())
  })

  it('says of every value what it is', () => {
    expect(values.filter(([, comment]) => comment === '').map(([name]) => name)).toEqual([])
  })
})

describe('docs/kubernetes.md', () => {
  const page = read('docs/kubernetes.md')

  it('has files of values that render', () => {
    expect(examples.map(([name]) => name)).toEqual(['my-spotter/values.yaml', 'my-spotter/values-plates.yaml', 'my-eks/values.yaml'])
  })

  const section = page.split(/^## /m).find((text) => text.startsWith('With Helm\n'))!

  it('names values and files that are there', () => {
    const values = parse(read('deploy/helm/spotter/values.yaml')) as Values
    const named = [...section.matchAll(/^\| (`[a-zA-Z.]+`(?:, `[a-zA-Z.]+`)*) \| [^|]* \| [^|]+ \|$/gm)].flatMap((row) => row[1]!.replaceAll('`', '').split(', '))
    expect(named.length).toBeGreaterThan(10)
    expect(named.filter((name) => name.split('.').reduce<any>((v, key) => v?.[key], values) === undefined)).toEqual([])
    for (const [path] of section.matchAll(/\bdeploy\/[\w-]+(\/[\w-]+(\.yaml)?)*/g)) expect(existsSync(join(repository, path)), path).toBe(true)
  })

  it('names every scaler', () => {
    const { kind } = (JSON.parse(read('deploy/helm/spotter/values.schema.json')) as Values)['properties'].scaler.properties
    const rows = [...section.matchAll(/^\| ([^|]+) \| [^|]+ \|$/gm)].flatMap((row) => [...row[1]!.matchAll(/`([a-z-]+)`/g)].map((name) => name[1]!))
    expect(['none', ...rows].toSorted()).toEqual(kind.enum.toSorted())
  })

  it('leaves nothing in the chart that helm would not take', () => {
    expect(readdirSync(chart).toSorted()).toEqual(['.helmignore', 'Chart.yaml', 'files', 'templates', 'values.schema.json', 'values.yaml'])
  })
})
