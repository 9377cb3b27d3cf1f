import type { Manifest } from './manifests'
import { allContainers, label, ofKind, podsOf } from './manifests'
import type { Rule } from './rule'
import { containerOf, find } from './rule'

/** Kinds of volumes that the profile allows. */
const volumes = ['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim', 'projected', 'secret']

/** Who may talk to the Kubernetes API: accounts with a role. */
const withRole = (objects: Manifest[]) => ofKind(objects, 'RoleBinding', 'ClusterRoleBinding').flatMap((b) => b.subjects.map((s: { name: string }) => s.name))

function* notRestricted(objects: Manifest[]): Generator<string> {
  for (const { owner, spec } of podsOf(objects)) {
    if (spec.hostNetwork || spec.hostPID || spec.hostIPC) yield `${label(owner)} is in a namespace of its host`
    for (const volume of spec.volumes ?? [])
      if (!volumes.some((kind) => kind in volume)) yield `${label(owner)}: the volume ${volume.name} is of a kind that is not allowed`
  }
  for (const { container, pods, at } of allContainers(objects)) {
    const [own, pod] = [container.securityContext ?? {}, pods.spec.securityContext ?? {}]
    if (own.privileged) yield `${at} is privileged`
    if (own.allowPrivilegeEscalation !== false) yield `${at} may gain privileges`
    if ((own.runAsNonRoot ?? pod.runAsNonRoot) !== true) yield `${at} may run as root`
    if ((own.runAsUser ?? pod.runAsUser) === 0) yield `${at} runs as root`
    if ((own.seccompProfile ?? pod.seccompProfile)?.type !== 'RuntimeDefault') yield `${at} has no seccomp profile`
    if (JSON.stringify(own.capabilities?.drop) !== '["ALL"]' || own.capabilities?.add) yield `${at} has capabilities`
    if (container.ports?.some((p) => p.hostPort)) yield `${at} has a port of its host`
  }
}

export const podRules: Rule[] = [
  {
    says: 'every pod satisfies the pod security standard `restricted`, which the namespace enforces',
    check: (objects) => {
      const enforced = ofKind(objects, 'Namespace').filter((n) => n.metadata.labels?.['pod-security.kubernetes.io/enforce'] === 'restricted')
      return [...notRestricted(objects), ...(enforced.length === 1 ? [] : ['the namespace does not enforce it'])]
    },
    mistakes: {
      'a pod that may run as root': (o) => delete find(o, 'Deployment', 'bot').spec.template.spec.securityContext.runAsNonRoot,
      'a user that is root': (o) => (find(o, 'StatefulSet', 'postgres').spec.template.spec.securityContext.runAsUser = 0),
      'no seccomp profile': (o) => delete find(o, 'Job', 'pull-models').spec.template.spec.securityContext.seccompProfile,
      'a capability': (o) => (containerOf(o, 'Deployment', 'gateway').securityContext.capabilities.add = ['NET_ADMIN']),
      'more privileges': (o) => delete containerOf(o, 'Deployment', 'gateway').securityContext.allowPrivilegeEscalation,
      'a folder of the host': (o) => find(o, 'Deployment', 'gateway').spec.template.spec.volumes.push({ name: 'host', hostPath: { path: '/' } }),
      'the network of the host': (o) => (find(o, 'Deployment', 'gateway').spec.template.spec.hostNetwork = true),
      'a namespace that enforces less': (o) => (find(o, 'Namespace', 'spotter').metadata.labels!['pod-security.kubernetes.io/enforce'] = 'baseline'),
    },
  },
  {
    says: 'no container can write to its image',
    check: (objects) => allContainers(objects).filter((c) => c.container.securityContext?.readOnlyRootFilesystem !== true).map((c) => c.at),
    mistakes: { 'a root that can be written to': (o) => (containerOf(o, 'Deployment', 'gateway').securityContext.readOnlyRootFilesystem = false) },
  },
  {
    says: 'only who has a role gets a token for the Kubernetes API',
    check: (objects) =>
      podsOf(objects)
        .filter(({ spec }) => (spec.automountServiceAccountToken !== false) !== withRole(objects).includes(spec.serviceAccountName))
        .map(({ owner }) => label(owner)),
    mistakes: { 'a worker with a token': (o) => delete find(o, 'Deployment', 'worker-starter').spec.template.spec.automountServiceAccountToken },
  },
  {
    says: 'every container asks for a processor and for as much memory as it may take',
    check: (objects) =>
      allContainers(objects)
        .filter(({ container: { resources } }) => !resources?.requests?.cpu || !resources.limits?.memory || resources.limits.memory !== resources.requests.memory)
        .map((c) => c.at),
    mistakes: {
      'no requests': (o) => delete containerOf(o, 'Deployment', 'worker-starter').resources.requests,
      'memory that may not be there': (o) => (containerOf(o, 'StatefulSet', 'postgres').resources.limits.memory = '2Gi'),
    },
  },
  {
    says: 'every container with a port is probed, at a port that it has',
    check: (objects) =>
      allContainers(objects).flatMap(({ container, at }) => {
        const ports = container.ports ?? []
        const probes = [container.startupProbe, container.readinessProbe, container.livenessProbe]
        return [
          ...(ports.length > 0 && !(container.readinessProbe && container.livenessProbe) ? [`${at} is not probed`] : []),
          ...probes
            .map((p) => p?.httpGet?.port)
            .filter((port) => port !== undefined && !ports.some((p) => p.name === port || p.containerPort === port))
            .map((port) => `${at} is probed at ${port}`),
        ]
      }),
    mistakes: {
      'no probe': (o) => delete containerOf(o, 'Deployment', 'gateway').readinessProbe,
      'a probe of another port': (o) => (containerOf(o, 'Deployment', 'gateway').livenessProbe.httpGet.port = 'web'),
    },
  },
  {
    says: 'every image has a version',
    check: (objects) => allContainers(objects).filter(({ container }) => !/:(?!latest$)[\w][\w.-]*$/.test(container.image ?? '')).map((c) => `${c.at}: ${c.container.image}`),
    mistakes: {
      'no version': (o) => (containerOf(o, 'Deployment', 'gateway').image = 'spotter'),
      'the latest version': (o) => (containerOf(o, 'Deployment', 'gateway').image = 'spotter:latest'),
    },
  },
  {
    says: 'whoever ends has 60 seconds for it, a worker twice what a job may take, and a rank when nodes are full',
    check: (objects) =>
      podsOf(objects)
        .filter(({ owner, labels, spec }) => spec.terminationGracePeriodSeconds !== (labels['app.kubernetes.io/component'] === 'worker' ? 120 : 60) || (owner.kind !== 'Job' && !spec.priorityClassName))
        .map(({ owner }) => label(owner)),
    mistakes: {
      'no time to finish': (o) => delete find(o, 'Deployment', 'worker-yolox').spec.template.spec.terminationGracePeriodSeconds,
      'no rank': (o) => delete find(o, 'Deployment', 'bot').spec.template.spec.priorityClassName,
    },
  },
]
