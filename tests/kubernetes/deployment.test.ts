// What is said of Kubernetes elsewhere holds: seeds' numbers, the docs, alerts, permissions.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { base, deployment, label, ofKind, podsOf, read, render, renderings, repository } from './manifests'
import { find } from './rule'

const named = (name: string) => renderings.find((r) => r.name === name)!.objects

describe('the base', () => {
  it('has two gateways, one bot with its token in .telegramToken, and a Deployment of workers for each group of models', () => {
    expect(Object.fromEntries(podsOf(base.objects).map((p) => [label(p.owner), p.owner.spec.replicas]))).toEqual({
      'Deployment autoscaler': 0,
      'Deployment bot': 1,
      'Deployment gateway': 2,
      'Deployment worker-starter': 1,
      'Deployment worker-yolox': 1,
      'StatefulSet postgres': 1,
      'Job pull-models': undefined,
    })
    expect(find(base.objects, 'Deployment', 'bot').spec.template.spec.containers[0].args).toContain('/run/telegram/.telegramToken')
  })

  it('lets in what the program lets in: 32 MiB, in Base64', () => {
    const size = find(base.objects, 'Ingress', 'gateway').metadata['annotations' as 'name'] as unknown as Record<string, string>
    expect(Number.parseInt(size['nginx.ingress.kubernetes.io/proxy-body-size']!)).toBeGreaterThan((32 * 4) / 3)
  })
})

describe('overlays', () => {
  it('on one node share volumes that one node can mount, and need no token', () => {
    const local = named('overlays/local')
    expect(ofKind(local, 'PersistentVolumeClaim').map((c) => c.spec.accessModes)).toEqual([['ReadWriteOnce'], ['ReadWriteOnce']])
    expect(find(local, 'Deployment', 'bot').spec.replicas).toBe(0)
  })

  it('on EKS have no database, and a role for whoever knows the job store', () => {
    const eks = named('overlays/eks')
    expect(ofKind(eks, 'StatefulSet')).toEqual([])
    const roles = ofKind(eks, 'ServiceAccount').filter((a) => 'annotations' in a.metadata).map((a) => a.metadata.name)
    expect(roles).toEqual(['autoscaler', 'gateway'])
  })

  it('on EKS give that role what docs/aws.md and docs/storage.md ask for, and no more', () => {
    const policy = JSON.parse(read('deploy/kubernetes/overlays/eks/permissions.json')) as { Statement: { Action: string[] }[] }
    const asked = [read('docs/aws.md').match(/A gateway may `dynamodb:.*?`sqs:CreateQueue`/s)![0], read('docs/storage.md').match(/What must be allowed.*?on\n? *`arn:aws:s3:::my-pictures`/s)![0]].flatMap((text) => {
      let service = ''
      return [...text.matchAll(/`(?:(dynamodb|sqs|s3):)?([A-Z][A-Za-z]+)`/g)].map(([, s, action]) => `${(service = s ?? service)}:${action}`)
    })
    expect(policy.Statement.flatMap((s) => s.Action).toSorted()).toEqual(asked.toSorted())
  })
})

describe('scaling', () => {
  it('by processors goes from 1 to 10', () => {
    for (const { spec } of ofKind(named('base + components/hpa'), 'HorizontalPodAutoscaler')) expect([spec.minReplicas, spec.maxReplicas]).toEqual([1, 10])
  })

  it.each(['keda/postgres', 'keda/redis', 'keda/sqs', 'keda/metrics-api'])('by %s is as the service before was set, but for the number that was fixed', (component) => {
    for (const { spec } of ofKind(named(`base + components/${component}`), 'ScaledObject')) {
      expect(spec).toMatchObject({
        // Looking into SQS costs money.
        pollingInterval: component === 'keda/sqs' ? 10 : 1,
        cooldownPeriod: 60,
        maxReplicaCount: 8,
        advanced: {
          restoreToOriginalReplicaCount: true,
          horizontalPodAutoscalerConfig: { behavior: { scaleDown: { stabilizationWindowSeconds: 60, policies: [{ type: 'Percent', value: 50, periodSeconds: 2 }] } } },
        },
      })
      expect(spec.minReplicaCount).toBeLessThan(spec.maxReplicaCount)
      for (const { metadata } of spec.triggers) expect([metadata.targetQueryValue, metadata.listLength, metadata.queueLength, metadata.targetValue]).toContain('5')
    }
  })

  it.each(['keda', 'keda/external'])('by %s leaves it to the policy when to let go, and how far', (component) => {
    const objects = named(`base + components/${component}`)
    const pools = find(objects, 'Deployment', 'autoscaler').spec.template.spec.containers[0].args.filter((a: string) => a.startsWith('--pool='))
    for (const { spec } of ofKind(objects, 'ScaledObject')) {
      expect(spec).toMatchObject({ minReplicaCount: 0, cooldownPeriod: 0, advanced: { horizontalPodAutoscalerConfig: { behavior: { scaleUp: { stabilizationWindowSeconds: 0, policies: [{ type: 'Pods', value: spec.maxReplicaCount, periodSeconds: 1 }] }, scaleDown: { stabilizationWindowSeconds: 0 } } } } })
      const [{ type, metadata }] = spec.triggers
      expect([type, metadata.scalerAddress]).toEqual(['external-push', 'keda-scaler.spotter:9090'])
      expect(pools.find((p: string) => p.startsWith(`--pool=${metadata.pool}:`))).toContain(`max=${spec.maxReplicaCount};`)
    }
  })

  it('by Spotter needs pods and the numbers of two Deployments, and nothing else', () => {
    expect(find(named('base + components/spotter-autoscaler'), 'Role', 'autoscaler')['rules']).toEqual([
      { apiGroups: [''], resources: ['pods'], verbs: ['list', 'patch'] },
      { apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['worker-starter', 'worker-yolox'], verbs: ['get'] },
      { apiGroups: ['apps'], resources: ['deployments/scale'], resourceNames: ['worker-starter', 'worker-yolox'], verbs: ['patch'] },
    ])
  })

  it('by Redis reads the lists that the backend fills, where the gateways fill them', () => {
    const scripts = read('src/Spotter.Backends/Redis/RedisScripts.cs')
    expect(scripts).toContain("return '__engine_pending_list_' .. queue .. '__'")
    const objects = named('base + components/keda/redis')
    const address = find(objects, 'Deployment', 'gateway').spec.template.spec.containers[0].env.find((e: { name: string }) => e.name === 'SPOTTER__REDIS__URL').value as string
    for (const { spec } of ofKind(objects, 'ScaledObject'))
      for (const { metadata } of spec.triggers) {
        expect(metadata.listName).toMatch(/^__engine_pending_list_[a-z]+(\/[a-z_]+)?__$/)
        expect(address).toMatch(new RegExp(`@${(metadata.address as string).replace('.spotter', '')}/${metadata.databaseIndex}$`))
      }
  })

  it('by PostgreSQL asks for columns that are there', () => {
    const schema = read('src/Spotter.Backends/Postgres/PostgresQueueStep.cs')
    const tallies = schema.slice(schema.indexOf('CREATE TABLE tallies'), schema.indexOf(');', schema.indexOf('CREATE TABLE tallies')))
    for (const { spec } of ofKind(named('base + components/keda/postgres'), 'ScaledObject')) {
      const query = spec.triggers[0].metadata.query as string
      for (const [column] of query.matchAll(/\b(entered|departed|running|queue)\b/g)) expect(tallies).toMatch(new RegExp(`\\b${column} (text|bigint) NOT NULL`))
    }
  })
})

describe('alerts', () => {
  const file = 'deploy/kubernetes/components/monitoring/rules.yaml'
  const { spec } = parse(read(file)) as { spec: { groups: { rules: unknown[] }[] } }

  it('are those of deploy/monitoring, which are tried on a real Prometheus', () => {
    expect(spec.groups.flatMap((g) => g.rules).length).toBeGreaterThan(20)
    expect(spec.groups).toEqual((parse(read('deploy/monitoring/rules.yaml')) as { groups: unknown }).groups)
  })
})

describe('docs/kubernetes.md', () => {
  const page = read('docs/kubernetes.md')

  it('has examples that render', () => {
    expect(renderings.map((r) => r.name).filter((name) => name.startsWith('docs: '))).toEqual(['docs: my-spotter', 'docs: my-eks', 'docs: my-keda'])
  })

  it('names components and overlays that are there, and leaves none out', () => {
    const there = readdirSync(join(deployment, 'components')).filter((name) => name !== 'postgres')
    for (const name of there) expect(page).toContain(`components/${name}`)
    for (const [path] of page.matchAll(/\bdeploy\/kubernetes(\/[\w-]+(\.json|\.yaml)?)*/g)) expect(existsSync(join(repository, path)), path).toBe(true)
  })

  it('says the version of the image', () => {
    const [, version] = podsOf(render(join(deployment, 'overlays/local')))[0]!.spec.containers[0]!.image!.split(':')
    expect(page).toContain(`spotter:${version}`)
    expect(read('Directory.Build.props')).toContain(`<Version>${version}</Version>`)
  })
})
