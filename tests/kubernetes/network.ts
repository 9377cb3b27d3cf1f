import { BlockList, isIPv6 } from 'node:net'
import type { Manifest, Pods } from './manifests'
import { label, ofKind, podsOf, selects } from './manifests'
import type { Rule } from './rule'
import { find } from './rule'

/** Who may talk to whom, at which port; both sides have to let it through. */
const talks: [from: string, to: string, port: number][] = [
  ['worker', 'gateway', 8080],
  ['worker', 'autoscaler', 8080],
  ['gateway', 'postgres', 5432],
  ['bot', 'postgres', 5432],
  ['autoscaler', 'postgres', 5432],
  ['gateway', 'redis', 6379],
  ['bot', 'redis', 6379],
  ['autoscaler', 'redis', 6379],
]

/** Whoever sends webhooks or fetches from Telegram, and what fetches models. */
const reachesInternet = ['gateway', 'bot', 'autoscaler', 'models']

/** Namespaces from which calls may come. */
const callers = ['ingress-nginx', 'keda', 'monitoring']

const inside = ['10.1.2.3', '100.64.1.1', '127.0.0.1', '169.254.169.254', '172.20.0.1', '192.168.1.1', '0.0.0.0', '224.0.0.1', '::1', 'fd00:ec2::254', 'fe80::1', '::ffff:10.1.2.3']
const outside = ['149.154.167.220', '2001:67c:4e8:f004::9']

const component = (pods: Pods) => pods.labels['app.kubernetes.io/component'] ?? '?'

const policiesOf = (objects: Manifest[], pods: Pods, direction: 'Ingress' | 'Egress') =>
  ofKind(objects, 'NetworkPolicy').filter((p) => p.spec.policyTypes.includes(direction) && selects(p.spec.podSelector, pods.labels))

const hasPort = (rule: any, port: number) => !rule.ports || rule.ports.some((p: any) => p.port === port)

function lets(objects: Manifest[], pods: Pods, direction: 'Ingress' | 'Egress', other: Pods, port: number): boolean {
  const [rules, peers] = direction === 'Ingress' ? (['ingress', 'from'] as const) : (['egress', 'to'] as const)
  const policies = policiesOf(objects, pods, direction)
  return (
    policies.length === 0 ||
    policies.some((p) => (p.spec[rules] ?? []).some((rule: any) =>
      hasPort(rule, port) && (!rule[peers] || rule[peers].some((peer: any) => !peer.namespaceSelector && peer.podSelector && selects(peer.podSelector, other.labels)))))
  )
}

/** Each pair that can talk, at a port that the other listens on. */
function flows(objects: Manifest[]): string[] {
  const all = podsOf(objects)
  return all.flatMap((from) => all.flatMap((to) => to.spec.containers.flatMap((c) => c.ports ?? [])
    .filter(({ containerPort }) => lets(objects, from, 'Egress', to, containerPort) && lets(objects, to, 'Ingress', from, containerPort))
    .map(({ containerPort }) => `${component(from)} to ${component(to)}:${containerPort}`)))
}

/** Those that have to be open: both ends are there, and the autoscaler has a Service where it runs. */
const needed = (objects: Manifest[]) => {
  const there = podsOf(objects).map(component)
  const runs = (name: string) => name !== 'autoscaler' || objects.some((o) => o.kind === 'Service' && o.metadata.name === name)
  return talks.filter(([from, to]) => there.includes(from) && there.includes(to) && runs(to)).map(([from, to, port]) => `${from} to ${to}:${port}`)
}

function contains(block: { cidr: string; except?: string[] }, address: string): boolean {
  const kind = isIPv6(address) ? 'ipv6' : 'ipv4'
  const within = (cidr: string) => {
    const [network, bits] = cidr.split('/') as [string, string]
    if (isIPv6(network) !== (kind === 'ipv6')) return false
    const list = new BlockList()
    list.addSubnet(network, Number(bits), kind)
    return list.check(address, kind)
  }
  return within(block.cidr) && !(block.except ?? []).some(within)
}

const reaches = (objects: Manifest[], pods: Pods, address: string, port: number) => {
  const policies = policiesOf(objects, pods, 'Egress')
  return policies.length === 0 || policies.some((p) => (p.spec.egress ?? []).some((rule: any) =>
    hasPort(rule, port) && (!rule.to || rule.to.some((peer: any) => peer.ipBlock && contains(peer.ipBlock, address)))))
}

/** The autoscaler also reaches the API server, whose address nobody knows before. */
const reachesApi = (objects: Manifest[]) => (objects.some((o) => o.kind === 'RoleBinding') ? ['autoscaler'] : [])

export const networkRules: Rule[] = [
  {
    says: 'who has to talk can, and nobody else',
    check: (objects) => {
      const [can, must] = [flows(objects), needed(objects)]
      return [...new Set([...can.filter((f) => !must.includes(f)).map((f) => `open: ${f}`), ...must.filter((f) => !can.includes(f)).map((f) => `closed: ${f}`)])]
    },
    mistakes: {
      'no rule that denies': (o) => (find(o, 'NetworkPolicy', 'nothing').spec.podSelector = { matchLabels: { nobody: 'yes' } }),
      'workers that reach the database': (o) => (find(o, 'NetworkPolicy', 'gateways-to-postgres').spec.podSelector = {}) && (find(o, 'NetworkPolicy', 'postgres-from-gateways').spec.ingress[0].from = [{ podSelector: {} }]),
      'workers that are cut off': (o) => (find(o, 'NetworkPolicy', 'workers-to-gateway').spec.egress = []),
      'another port': (o) => (find(o, 'NetworkPolicy', 'gateway-from-workers').spec.ingress[0].ports[0].port = 8081),
    },
  },
  {
    says: 'only who sends to the internet reaches it, and nothing that is private',
    check: (objects) =>
      podsOf(objects).flatMap((pods) => {
        const name = component(pods)
        const wrong = outside.filter((a) => reaches(objects, pods, a, 443) !== reachesInternet.includes(name)).map((a) => `${name} ${reachesInternet.includes(name) ? 'does not reach' : 'reaches'} ${a}`)
        if (reachesApi(objects).includes(name)) return wrong
        return [...wrong, ...inside.filter((a) => [80, 443].some((port) => reaches(objects, pods, a, port))).map((a) => `${name} reaches ${a}`)]
      }),
    mistakes: {
      'a worker on the internet': (o) => (find(o, 'Deployment', 'worker-starter').spec.template.metadata.labels.egress = 'internet'),
      'a bot that is cut off': (o) => delete find(o, 'Deployment', 'bot').spec.template.metadata.labels.egress,
      'a metadata service in reach': (o) => (find(o, 'NetworkPolicy', 'internet').spec.egress[0].to[0].ipBlock.except.splice(4, 1)),
      'private networks of IPv6 in reach': (o) => (find(o, 'NetworkPolicy', 'internet').spec.egress[0].to[1].ipBlock.except = []),
      'every port': (o) => delete find(o, 'NetworkPolicy', 'internet').spec.egress[0].to,
    },
  },
  {
    says: 'every port of a network policy is one of its pods',
    check: (objects) =>
      ofKind(objects, 'NetworkPolicy').flatMap((policy) => {
        const portsOf = (selector: any) => podsOf(objects).filter((p) => selects(selector, p.labels)).flatMap((p) => p.spec.containers.flatMap((c) => (c.ports ?? []).map((x) => x.containerPort)))
        const unknown = (rule: any, selector: any) => (rule.ports ?? []).map((p: any) => p.port as number).filter((port: number) => !portsOf(selector).includes(port))
        return [
          ...(policy.spec.ingress ?? []).flatMap((rule: any) => unknown(rule, policy.spec.podSelector)),
          // Peers in other namespaces, and addresses, are no pods of ours.
          ...(policy.spec.egress ?? []).flatMap((rule: any) => (rule.to ?? []).filter((peer: any) => peer.podSelector && !peer.namespaceSelector).flatMap((peer: any) => unknown(rule, peer.podSelector))),
        ].map((port) => `${label(policy)}: ${port}`)
      }),
    mistakes: {
      'a port that the gateway does not have': (o) => (find(o, 'NetworkPolicy', 'clients').spec.ingress[0].ports[0].port = 80),
      'a port that the database does not have': (o) => (find(o, 'NetworkPolicy', 'gateways-to-postgres').spec.egress[0].ports[0].port = 5433),
    },
  },
  {
    says: 'calls come from known namespaces only',
    check: (objects) =>
      ofKind(objects, 'NetworkPolicy').flatMap((policy) =>
        (policy.spec.ingress ?? []).flatMap((rule: any) => rule.from ?? [{ namespaceSelector: {} }]).filter((peer: any) => peer.namespaceSelector)
          .map((peer: any) => peer.namespaceSelector.matchLabels?.['kubernetes.io/metadata.name'] ?? 'any namespace')
          .filter((name: string) => !callers.includes(name)).map((name: string) => `${label(policy)}: ${name}`)),
    mistakes: {
      'a namespace that is not known': (o) => (find(o, 'NetworkPolicy', 'clients').spec.ingress[0].from[0].namespaceSelector.matchLabels['kubernetes.io/metadata.name'] = 'default'),
      'everybody': (o) => delete find(o, 'NetworkPolicy', 'clients').spec.ingress[0].from,
    },
  },
]
