// What kubectl makes of deploy/kubernetes, and how to look at it.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { IContainer } from 'kubernetes-models/v1/Container'
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec'
import { parse, parseAllDocuments } from 'yaml'

export const repository = realpathSync(join(import.meta.dirname, '../..'))
export const deployment = join(repository, 'deploy/kubernetes')

/** An object of Kubernetes; the schemas say what is in it. */
export type Manifest = { apiVersion: string; kind: string; metadata: { name: string; namespace?: string; labels?: Labels }; [field: string]: any }
export type Labels = Record<string, string>

/** The pods that a workload makes. */
export interface Pods {
  owner: Manifest
  labels: Labels
  spec: IPodSpec
}

export interface Rendering {
  name: string
  objects: Manifest[]
}

export const read = (path: string) => readFileSync(join(repository, path), 'utf8')

/** As Kubernetes reads them, for which 0440 is octal. */
export const parseManifests = (text: string): Manifest[] =>
  parseAllDocuments(text, { version: '1.1' }).flatMap((document) => {
    if (document.errors[0]) throw document.errors[0]
    return (document.toJS() as Manifest | null) ?? []
  })

/** Fails as `kubectl apply -k` would. */
export function render(folder: string): Manifest[] {
  const text = execFileSync('kubectl', ['kustomize', folder], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  return parseManifests(text)
}

/** A folder with the files of users, beside the checkout's `deploy`, and what is made of each of its kustomizations. */
function renderOwn(files: Record<string, string>, folders: string[]): Manifest[][] {
  const scratch = mkdtempSync(join(realpathSync(tmpdir()), 'spotter-kubernetes-'))
  try {
    symlinkSync(join(repository, 'deploy'), join(scratch, 'deploy'))
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(scratch, name)), { recursive: true })
      writeFileSync(join(scratch, name), content)
    }
    return folders.map((folder) => render(join(scratch, folder)))
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

function* componentsBelow(folder: string): Generator<string> {
  for (const entry of readdirSync(join(deployment, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* componentsBelow(path)
    else if (entry.name === 'kustomization.yaml') yield folder
  }
}

const on = (base: string, ...components: string[]): Rendering => {
  const path = (name: string) => `../deploy/kubernetes/${name}`
  const kustomization = `resources: [${path(base)}]\ncomponents: [${components.map(path)}]\n`
  return { name: [base, ...components].join(' + '), objects: renderOwn({ 'mine/kustomization.yaml': kustomization }, ['mine'])[0]! }
}

/** The kustomizations that docs/kubernetes.md has its readers write. */
function examples(): Rendering[] {
  const files: Record<string, string> = {}
  const names: string[] = []
  for (const [, name, content] of read('docs/kubernetes.md').matchAll(/<!-- file: (\S+)\/kustomization\.yaml -->\n```yaml\n([\s\S]*?)\n```/g)) {
    names.push(name!)
    files[`${name}/kustomization.yaml`] = content!
    const { secretGenerator = [] } = parse(content!) as { secretGenerator?: { files?: string[] }[] }
    for (const file of secretGenerator.flatMap((s) => s.files ?? [])) files[`${name}/${file}`] = `example of ${file}`
  }
  return renderOwn(files, names).map((objects, i) => ({ name: `docs: ${names[i]}`, objects }))
}

// The one is in the base already, the other only part of those beside it.
const notAlone = ['components/postgres', 'components/keda/objects']

export const base: Rendering = { name: 'base', objects: render(join(deployment, 'base')) }

export const renderings: Rendering[] = [
  base,
  ...readdirSync(join(deployment, 'overlays')).map((name) => ({ name: `overlays/${name}`, objects: render(join(deployment, 'overlays', name)) })),
  ...[...componentsBelow('components')].filter((c) => !notAlone.includes(c)).map((c) => on('base', c)),
  on('overlays/local', 'components/keda/postgres', 'components/monitoring'),
  on('overlays/local', 'components/keda/redis', 'components/monitoring'),
  on('overlays/eks', 'components/keda/sqs', 'components/gpu', 'components/monitoring'),
  on('overlays/eks', 'components/spotter-autoscaler'),
  ...examples(),
]

export const ofKind = (objects: Manifest[], ...kinds: string[]) => objects.filter((o) => kinds.includes(o.kind))

export const label = (object: Manifest) => `${object.kind} ${object.metadata.name}`

export const podsOf = (objects: Manifest[]): Pods[] =>
  ofKind(objects, 'Deployment', 'StatefulSet', 'DaemonSet', 'Job').map((owner) => ({
    owner,
    labels: owner.spec.template.metadata?.labels ?? {},
    spec: owner.spec.template.spec,
  }))

export const containersOf = (pods: Pods): IContainer[] => [...(pods.spec.initContainers ?? []), ...pods.spec.containers]

/** Each container with how to call it. */
export const allContainers = (objects: Manifest[]) =>
  podsOf(objects).flatMap((pods) => containersOf(pods).map((container) => ({ container, pods, at: `${label(pods.owner)}, ${container.name}` })))

export const selects = (selector: { matchLabels?: Labels } | undefined, labels: Labels) =>
  Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value)

/** Every text in an object, wherever it stands. */
export function* textsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value
  else if (value !== null && typeof value === 'object') for (const part of Object.values(value)) yield* textsIn(part)
}
