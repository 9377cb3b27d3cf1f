// A release from its installation to its end, on a cluster that keeps objects only.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Cluster } from './cluster'
import type { Values } from './helm'
import { chart } from './helm'

let cluster: Cluster
let folder: string

/** What helm says, of a release in the namespace spotter. */
async function helm(command: 'install' | 'upgrade' | 'rollback' | 'uninstall', values?: Values): Promise<string> {
  const args = [command, 'spotter', '--namespace', 'spotter']
  if (values) {
    writeFileSync(join(folder, 'values.json'), JSON.stringify(values))
    args.push(chart, '--disable-openapi-validation', '--values', join(folder, 'values.json'))
  }
  const env = { PATH: process.env['PATH'], HOME: folder, KUBECONFIG: join(folder, 'config') }
  const { stdout } = await promisify(execFile)(process.env['SPOTTER_HELM']!, args, { env, timeout: 30_000 })
  return stdout
}

const of = (kind: string, name: string) => [...cluster.objects.values()].find((o) => o.kind === kind && o.metadata.name === name)
const secret = (name: string, ...keys: string[]) =>
  cluster.objects.set(`/api/v1/namespaces/spotter/secrets/${name}`, { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'spotter' }, data: Object.fromEntries(keys.map((k) => [k, 'eA=='])) })

beforeEach(async () => {
  cluster = new Cluster()
  folder = mkdtempSync(join(tmpdir(), 'spotter-release-'))
  writeFileSync(join(folder, 'config'), await cluster.open())
})

afterEach(() => {
  cluster.close()
  rmSync(folder, { recursive: true })
})

describe('a release', () => {
  it('says which Secrets and keys are missing, and only those', async () => {
    secret('spotter', 'worker-token', 'webhook-secret', 'keys.json')
    secret('spotter-tls', 'tls.crt', 'tls.key')
    const values = { bot: { enabled: true }, monitoring: { enabled: true }, scaler: { kind: 'keda-redis' }, ingress: { enabled: true, host: 'spotter.example.org', tlsSecret: 'spotter-tls' } }

    const said = await helm('install', values)

    expect([...said.matchAll(/^ {2}(\S+): (\S+)$/gm)].map(([, name, key]) => `${name} ${key}`)).toEqual(['metrics-key key', 'redis-password password', 'spotter postgres-password', 'telegram .telegramToken'])
    expect(said).toContain('https://spotter.example.org')
    secret('spotter', 'worker-token', 'webhook-secret', 'keys.json', 'postgres-password')
    expect(await helm('upgrade', { bot: { enabled: false } })).not.toContain('are not there')
  })

  it.each<[string, Values, string[]]>([
    ['in AWS', { backend: { kind: 'aws' }, aws: { region: 'eu-west-1' }, blobs: { url: 's3://ours' } }, ['spotter keys.json', 'spotter webhook-secret', 'spotter worker-token']],
    ['with a database of their own', { backend: { postgres: { external: { enabled: true, peers: [{}] } } } }, ['postgres-url url', 'spotter keys.json', 'spotter webhook-secret', 'spotter worker-token']],
    ['asked by KEDA', { scaler: { kind: 'keda-metrics-api' } }, ['keda-key key', 'spotter keys.json', 'spotter postgres-password', 'spotter webhook-secret', 'spotter worker-token']],
  ])('needs other Secrets %s', async (_, values, needed) => {
    const said = await helm('install', values)

    expect([...said.matchAll(/^ {2}(\S+): (\S+)$/gm)].map(([, name, key]) => `${name} ${key}`).toSorted()).toEqual(needed)
  })

  it('is upgraded while a job still pulls a model, and goes back', async () => {
    await helm('install', { image: { tag: '0.1.0' } })
    const before = cluster.names('Job')

    await helm('upgrade', { image: { tag: '0.1.1' } })

    expect(cluster.names('Job')).toHaveLength(1)
    expect(cluster.names('Job')).not.toEqual(before)
    expect(of('Deployment', 'gateway')!.spec.template.spec.containers[0].image).toBe('spotter:0.1.1')
    await helm('rollback')
    expect(cluster.names('Job')).toEqual(before)
    expect(of('Deployment', 'gateway')!.spec.template.spec.containers[0].image).toBe('spotter:0.1.0')
  })

  it('gets another scaler, and another group, by an upgrade', async () => {
    await helm('install', {})
    expect(of('Deployment', 'worker-starter')!.spec.replicas).toBe(1)

    await helm('upgrade', { scaler: { kind: 'keda-redis' }, workers: { plates: { models: ['plates'] } } })

    expect(cluster.names('ScaledObject').toSorted()).toEqual(['worker-plates', 'worker-starter', 'worker-yolox'])
    expect(of('Deployment', 'worker-starter')!.spec).not.toHaveProperty('replicas')
    await helm('upgrade', { scaler: { kind: 'hpa' } })
    expect(cluster.names('ScaledObject')).toEqual([])
    expect(cluster.names('HorizontalPodAutoscaler')).toHaveLength(2)
    expect(cluster.names('Deployment')).not.toContain('redis')
  })

  it('leaves its volumes, and the next one takes them up', async () => {
    await helm('install', {})
    await helm('uninstall')
    expect([...cluster.objects.values()].map((o) => `${o.kind} ${o.metadata.name}`).toSorted()).toEqual(['PersistentVolumeClaim blobs', 'PersistentVolumeClaim models'])

    await helm('install', {})

    expect(cluster.names('PersistentVolumeClaim').toSorted()).toEqual(['blobs', 'models'])
    expect(cluster.names('Deployment')).toContain('gateway')
  })

  it('can not change the volume of its database by an upgrade', async () => {
    await helm('install', {})
    await expect(helm('upgrade', { backend: { postgres: { size: '30Gi' } } })).rejects.toThrow('immutable')
  })
})
