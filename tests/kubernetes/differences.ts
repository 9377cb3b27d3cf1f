import type { Labels, Manifest } from './manifests'
import { ofKind, podsOf } from './manifests'

interface Difference {
  /** What is unlike kustomize's. */
  says: string
  /** Why it has to be. */
  why: string
  /** Takes it out of both. */
  takeOut: (ours: Manifest[], theirs: Manifest[]) => void
}

type Metadata = Manifest['metadata'] & { annotations?: Labels }

const ownLabels = ['app.kubernetes.io/name', 'app.kubernetes.io/version', 'app.kubernetes.io/part-of', 'app.kubernetes.io/instance', 'app.kubernetes.io/managed-by', 'helm.sh/chart']

/** Takes entries out, and what is then empty. */
function strip(metadata: Metadata, field: 'labels' | 'annotations', entries: string[]) {
  for (const entry of entries) delete metadata[field]?.[entry]
  if (Object.keys(metadata[field] ?? {}).length === 0) delete metadata[field]
}

const sameAs = (objects: Manifest[], { kind, metadata: { name } }: Manifest) => objects.find((o) => o.kind === kind && o.metadata.name === name)

/** All that the chart and kustomize don't have in common. */
export const differences: Difference[] = [
  {
    says: 'there is no Namespace',
    why: 'Helm makes it, or whoever installs: a release in a namespace that it makes itself could not be installed',
    takeOut: (_, theirs) => theirs.splice(0, theirs.length, ...theirs.filter((o) => o.kind !== 'Namespace')),
  },
  {
    says: 'objects have the labels of a release',
    why: 'users and tools find what belongs to a release by them; those that kustomize has, too, are compared',
    takeOut: (ours, theirs) => {
      for (const object of ours) strip(object.metadata, 'labels', ownLabels.filter((l) => !(l in (sameAs(theirs, object)?.metadata.labels ?? {}))))
    },
  },
  {
    says: 'the ConfigMap has one name, and the pods that read it have its checksum',
    why: 'kustomize changes the name with the content, so that pods are replaced; Helm would remove the map of the release before',
    takeOut: (ours, theirs) => {
      for (const { owner, labels } of podsOf(ours)) if (labels['role'] === 'gateway' && /^[0-9a-f]{64}$/.test(owner.spec.template.metadata.annotations?.['checksum/store'])) strip(owner.spec.template.metadata, 'annotations', ['checksum/store'])
      for (const map of ofKind(theirs, 'ConfigMap')) map.metadata.name = map.metadata.name.replace(/^store-[a-z0-9]{10}$/, 'store')
      for (const { spec } of podsOf(theirs))
        for (const { configMapRef } of spec.containers.flatMap((c) => c.envFrom ?? [])) if (configMapRef) configMapRef.name = configMapRef.name!.replace(/^store-[a-z0-9]{10}$/, 'store')
    },
  },
  {
    says: 'the job that pulls a model has its content in its name',
    why: 'a Job can not be changed: kubectl has to wait until it is gone, and helm would fail',
    takeOut: (ours) => {
      for (const job of ofKind(ours, 'Job')) job.metadata.name = job.metadata.name.replace(/-[0-9a-f]{10}$/, '')
    },
  },
  {
    says: 'volumes are kept',
    why: 'helm uninstall would delete pictures',
    takeOut: (ours) => {
      for (const { metadata } of ofKind(ours, 'PersistentVolumeClaim')) if ((metadata as Metadata).annotations?.['helm.sh/resource-policy'] === 'keep') strip(metadata, 'annotations', ['helm.sh/resource-policy'])
    },
  },
  {
    says: 'the group that keda-metrics-api leaves alone has a number of pods',
    why: 'it is in the values; kustomize takes it out for all groups, which leaves what there was before',
    takeOut: (ours, theirs) => {
      const scaled = ofKind(ours, 'ScaledObject')
      if (!scaled.some((o) => o.spec.triggers[0].type === 'metrics-api')) return
      for (const deployment of ofKind(ours, 'Deployment'))
        if (deployment.metadata.name === 'worker-yolox' && !('replicas' in sameAs(theirs, deployment)!.spec) && deployment.spec.replicas === 1) delete deployment.spec.replicas
    },
  },
]

/** Copies of both without what they may differ in, but for one difference. */
export function withoutDifferences(ours: Manifest[], theirs: Manifest[], but?: string): [Manifest[], Manifest[]] {
  const copies: [Manifest[], Manifest[]] = [structuredClone(ours), structuredClone(theirs)]
  // Names first, by which the objects are found.
  for (const { says, takeOut } of differences.toReversed()) if (says !== but) takeOut(...copies)
  return copies
}
