import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { Manifest } from './manifests'
import { allContainers, label, ofKind, read, repository } from './manifests'
import type { Rule } from './rule'
import { containerOf } from './rule'

const settings = read('docs/settings.md')
const variables = new Set(settings.match(/SPOTTER__[A-Z0-9_]+/g))
const pools = settings.slice(settings.indexOf('## Pools'), settings.indexOf('On the command line, a pool'))
const known = {
  poolSettings: [...pools.matchAll(/^\| `(\w+)` \|/gm)].map((row) => row[1]!),
  launchers: pools.match(/^\| `launcher` .*\| ([^|]+) \|$/m)![1]!.split(/, | or /),
}

const helps = new Map<string, string>()

/** What the program says of a command; throws when there is none of that name. */
function help(command: string): string {
  let text = helps.get(command)
  if (text === undefined) {
    const program = join(repository, 'src/Spotter.Cli/bin/Release/net10.0/spotter.dll')
    text = execFileSync(process.env['SPOTTER_DOTNET'] ?? 'dotnet', [program, ...command.split(' '), '--help'], { encoding: 'utf8' })
    helps.set(command, text)
  }
  return text
}

/** The flags of a command. */
export const flagsOf = (command: string) => [...help(command).matchAll(/^ {2}(--[a-z-]+)/gm)].map((line) => line[1]!)

/** The commands that the pods run. */
const commands = ['gateway', 'serve', 'worker', 'models pull']

function* wrongArguments(args: string[]): Generator<string> {
  const command = commands.find((c) => ` ${args.join(' ')} `.startsWith(` ${c} `))
  if (!command) {
    yield `the command ${args.join(' ')}`
    return
  }
  for (const flag of args.filter((a) => a.startsWith('-')).map((a) => a.split('=')[0]!))
    if (!flagsOf(command).includes(flag)) yield `${command} ${flag}`
  for (const pool of args.filter((a) => a.startsWith('--pool=')))
    for (const [setting, value] of pool.slice(pool.indexOf(':') + 1).split(';').map((s) => s.split('='))) {
      if (!known.poolSettings.includes(setting!)) yield `${pool}: ${setting}`
      if (setting === 'launcher' && !known.launchers.includes(value!)) yield `${pool}: ${value}`
    }
}

const spotters = (objects: Manifest[]) => allContainers(objects).filter((c) => c.container.image?.startsWith('spotter'))

/** Pools by name, with the Deployment and the models that they are said to have. */
const poolsIn = (objects: Manifest[]) =>
  spotters(objects).flatMap((c) => c.container.args ?? []).filter((a) => a.startsWith('--pool=')).map((text) => {
    const [name, rest] = text.slice('--pool='.length).split(':') as [string, string]
    return { name, ...(Object.fromEntries(rest.split(';').map((s) => s.split('='))) as { deployment?: string; models?: string }) }
  })

export const programRules: Rule[] = [
  {
    says: 'the program takes every command and flag',
    check: (objects) => spotters(objects).flatMap(({ container, at }) => [...wrongArguments(container.args ?? [])].map((wrong) => `${at}: ${wrong}`)),
    mistakes: {
      'a flag that is none': (o) => containerOf(o, 'Deployment', 'gateway').args.push('--telegram-tokenfile=x'),
      'a flag of another command': (o) => containerOf(o, 'Deployment', 'gateway').args.push('--server=http://gateway:8080'),
      'a command that is none': (o) => (containerOf(o, 'Job', 'pull-models').args = ['model', 'pull', 'yolox_nano']),
      'a pool with a setting that is none': (o) => (containerOf(o, 'Deployment', 'autoscaler').args = ['serve', '--pool=x:minimum=1']),
      'a pool with a launcher that is none': (o) => (containerOf(o, 'Deployment', 'autoscaler').args = ['serve', '--pool=x:launcher=nomad']),
    },
  },
  {
    says: 'the program knows every variable',
    check: (objects) => {
      const used = [
        ...spotters(objects).flatMap(({ container, at }) => (container.env ?? []).map((e) => [at, e.name])),
        ...ofKind(objects, 'ConfigMap').flatMap((m) => Object.keys(m.data).map((name) => [label(m), name])),
      ] as [string, string][]
      return used.filter(([, name]) => name.startsWith('SPOTTER') && !variables.has(name)).map(([at, name]) => `${at}: ${name}`)
    },
    mistakes: {
      'a variable that is none': (o) => (containerOf(o, 'Deployment', 'gateway').env[2].name = 'SPOTTER__WORKER__TOKEN_FILE'),
      'a setting that is none': (o) => (o.find((m) => m.kind === 'ConfigMap')!.data = { SPOTTER__STORE: 'postgres' }),
    },
  },
  {
    says: 'whoever scales a pool scales its workers',
    check: (objects) => {
      const models = (name?: string) => {
        const found = objects.find((o) => o.kind === 'Deployment' && o.metadata.name === name)
        const args = (found?.spec.template.spec.containers[0].args ?? []) as string[]
        return args.filter((a) => a.startsWith('--model=')).map((a) => a.slice('--model='.length)).join()
      }
      const asked = ofKind(objects, 'ScaledObject').flatMap((o) => o.spec.triggers.filter((t: any) => t.type.startsWith('external')).map((t: any) => ({ of: o.spec.scaleTargetRef.name as string, pool: t.metadata.pool as string })))
      const pools = poolsIn(objects).map((p) => ({ ...p, deployment: p.deployment ?? asked.find(({ pool }) => pool === p.name)?.of }))
      return [
        ...pools.filter((p) => !p.models || models(p.deployment) !== p.models).map((p) => `--pool ${p.name}`),
        ...asked.filter(({ of, pool }) => !pools.some((p) => p.name === pool && p.deployment === of)).map(({ of }) => `ScaledObject of ${of}`),
      ]
    },
    mistakes: {
      'a pool that nobody has workers for': (o) => (containerOf(o, 'Deployment', 'autoscaler').args = ['gateway', '--pool=x:models=starter']),
      'a pool with the models of others': (o) => (containerOf(o, 'Deployment', 'autoscaler').args = ['serve', '--pool=x:launcher=kubernetes;deployment=worker-starter;models=yolox_nano']),
    },
  },
]
