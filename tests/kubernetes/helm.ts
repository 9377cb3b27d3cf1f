// What helm makes of deploy/helm/spotter.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { Manifest, Rendering } from './manifests'
import { deployment, parseManifests, read, repository } from './manifests'

export const chart = join(repository, 'deploy/helm/spotter')

/** Values of the chart, as a file of them has. */
export type Values = { [name: string]: any }

/** The program's path; set by vitest.config.ts, which leaves it out where there is none. */
const program = process.env['SPOTTER_HELM']

export interface Said {
  status: number | null
  stdout: string
  stderr: string
}

/** Runs helm with values, the later ones over the earlier ones. */
export function helm(args: string[], ...values: Values[]): Said {
  const scratch = mkdtempSync(join(tmpdir(), 'spotter-helm-'))
  try {
    const files = values.map((v, i) => {
      const file = join(scratch, `${i}.json`)
      writeFileSync(file, JSON.stringify(v))
      return file
    })
    // No cluster, plugins or repositories of whoever runs this.
    const env = { PATH: process.env['PATH'], HOME: scratch, KUBECONFIG: join(scratch, 'none') }
    return spawnSync(program!, [...args, ...files.flatMap((f) => ['--values', f])], { encoding: 'utf8', env })
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

const made = new Map<string, Manifest[]>()

/** The objects of a release `spotter`; throws what helm says when it refuses. */
export function template(values: Values[], namespace = 'spotter'): Manifest[] {
  const key = JSON.stringify([values, namespace])
  const before = made.get(key)
  if (before) return before
  const { status, stdout, stderr } = helm(['template', 'spotter', chart, '--namespace', namespace], ...values)
  if (status !== 0) throw new Error(stderr)
  const objects = parseManifests(stdout)
  made.set(key, objects)
  return objects
}

/** What the values of kustomize's parts are; the part's name is that of its folder. */
export const parts: Record<string, Values> = {
  base: { bot: { enabled: true }, ingress: { enabled: true, host: 'spotter.example.org', tlsSecret: 'spotter-tls' } },
  'overlays/local': {
    gateway: { replicas: 1, resources: { requests: { cpu: '100m', memory: '768Mi' }, limits: { memory: '768Mi' } } },
    bot: { enabled: true, replicas: 0 },
    blobs: { size: '1Gi', accessModes: ['ReadWriteOnce'] },
    models: { size: '1Gi', accessModes: ['ReadWriteOnce'] },
    workers: { yolox: { replicas: 0 } },
    workerDefaults: { resources: { requests: { cpu: '100m', memory: '768Mi' }, limits: { memory: '768Mi' } } },
  },
  'overlays/eks': {
    bot: { enabled: true },
    backend: { kind: 'aws' },
    aws: { region: 'eu-central-1', roleArn: 'arn:aws:iam::111122223333:role/spotter-gateway' },
    blobs: { url: 's3://my-pictures/spotter' },
    models: { storageClass: 'efs' },
    ingress: {
      enabled: true,
      host: 'spotter.example.org',
      className: 'alb',
      annotations: {
        'alb.ingress.kubernetes.io/scheme': 'internet-facing',
        'alb.ingress.kubernetes.io/target-type': 'ip',
        'alb.ingress.kubernetes.io/listen-ports': '[{"HTTPS": 443}]',
        'alb.ingress.kubernetes.io/healthcheck-path': '/readyz',
        'alb.ingress.kubernetes.io/load-balancer-attributes': 'idle_timeout.timeout_seconds=120',
      },
    },
    networkPolicies: { clients: [{ ipBlock: { cidr: '192.168.0.0/16' } }] },
  },
  'components/spotter-autoscaler': { scaler: { kind: 'spotter' }, workerDefaults: { max: 10 } },
  'components/keda': { scaler: { kind: 'keda' } },
  'components/keda/external': { scaler: { kind: 'keda' } },
  'components/keda/postgres': { scaler: { kind: 'keda-postgres' } },
  'components/keda/redis': { scaler: { kind: 'keda-redis' } },
  'components/keda/sqs': { scaler: { kind: 'keda-sqs' } },
  'components/keda/metrics-api': { scaler: { kind: 'keda-metrics-api' } },
  'components/hpa': { scaler: { kind: 'hpa' }, workerDefaults: { max: 10 } },
  'components/gpu': { gpu: { enabled: true } },
  'components/monitoring': { monitoring: { enabled: true } },
}

const aws = parts['overlays/eks']!
const plates: Values = { workers: { plates: { models: ['plates', 'letters'], modelsVolume: true, max: 3, lanes: 2, resources: { requests: { cpu: '2' } } } } }
const ownDatabase: Values = { backend: { postgres: { external: { enabled: true, peers: [{ ipBlock: { cidr: '10.20.30.0/24' } }] } } } }

/** Values that deploy/kubernetes has no folder for. */
export const own: Record<string, Values[]> = {
  'the defaults': [],
  ...Object.fromEntries(['none', 'spotter', 'keda', 'keda-postgres', 'keda-redis', 'keda-metrics-api', 'hpa'].map((kind) => [`a third group, scaled by ${kind}`, [plates, { scaler: { kind } }]])),
  'a third group, scaled by keda-sqs': [aws, plates, { scaler: { kind: 'keda-sqs' } }],
  'a database of their own': [ownDatabase],
  'a database of their own, counted by KEDA': [ownDatabase, { scaler: { kind: 'keda-postgres' } }],
  'a database of their own, with Redis': [ownDatabase, { scaler: { kind: 'keda-redis' } }],
  'a bucket beside PostgreSQL': [{ blobs: { url: 's3://my-pictures' }, aws: { region: 'eu-central-1' } }],
  'one group on GPUs': [plates, { workers: { plates: { gpu: true } } }],
  'a group less': [{ workers: { yolox: null }, models: { pull: [] } }],
  'more of everything': [
    {
      image: { repository: 'spotter', tag: '0.1.1', pullPolicy: 'Always', pullSecrets: ['registry'] },
      settings: { SPOTTER__LOG__LEVEL: 'debug' },
      gateway: { extraEnv: [{ name: 'SPOTTER__WEBHOOKS__SECRETFILE', value: '/run/spotter/webhook-secret' }], podAnnotations: { team: 'vision' }, nodeSelector: { disk: 'ssd' }, tolerations: [{ operator: 'Exists' }], affinity: { nodeAffinity: {} } },
      bot: { enabled: true },
      models: { pull: ['yolox_nano', 'yolox_s'] },
      workerDefaults: { podAnnotations: { team: 'vision' }, nodeSelector: { disk: 'ssd' }, tolerations: [{ operator: 'Exists' }], extraArgs: ['--log-level=debug'], extraEnv: [{ name: 'SPOTTER__WORKER__JOBSECONDS', value: '30' }] },
      monitoring: { enabled: true, labels: { release: 'prometheus' } },
      priorityClasses: { service: 'first', worker: 'last' },
    },
  ],
}

/** The files of values that docs/kubernetes.md has its readers write. */
export const examples: [name: string, values: Values][] = [...read('docs/kubernetes.md').matchAll(/<!-- file: (\S+\/values\S*\.yaml) -->\n```yaml\n([\s\S]*?)\n```/g)].map(
  ([, name, content]) => [name!, parseAllDocuments(content!)[0]!.toJS() as Values],
)

/** The chart makes no namespace; the docs have its users apply this one. */
const namespace = parseManifests(readFileSync(join(deployment, 'core/namespace.yaml'), 'utf8'))

export const helmRenderings: Rendering[] = program
  ? [...Object.entries(own), ...examples.map(([name, values]) => [name, [values]] as const)].map(([name, values]) => ({ name: `helm: ${name}`, objects: [...namespace, ...template([...values])] }))
  : []
