// The schemas let fields pass that nobody knows, as a misspelt one; the types of the same packages don't.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { helmRenderings } from './helm'
import type { Manifest } from './manifests'
import { base, label, renderings } from './manifests'
import { find } from './rule'
import { moduleOf } from './schemas'

/** What the compiler says of objects written as values of their kinds. */
function compile(objects: Manifest[]): string {
  // Where the packages are found, and git looks not.
  const folder = join(import.meta.dirname, 'node_modules/.rendered')
  mkdirSync(folder, { recursive: true })
  const lines = objects.map((o, i) => `export const o${i}: import('${moduleOf(o.apiVersion)}').I${o.kind} = ${JSON.stringify(o)} // ${label(o)}`)
  writeFileSync(join(folder, 'objects.ts'), lines.join('\n'))
  const options = ['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler', '--types', 'node']
  const tsc = spawnSync(process.execPath, [join(import.meta.dirname, 'node_modules/typescript/bin/tsc'), ...options, 'objects.ts'], { cwd: folder, encoding: 'utf8' })
  return tsc.stdout + tsc.stderr
}

describe('fields', () => {
  it('are all known, in every rendering', () => {
    const distinct = new Map([...renderings, ...helmRenderings].flatMap((r) => r.objects).map((o) => [JSON.stringify(o), o]))
    expect(compile([...distinct.values()])).toBe('')
  })

  it('that are misspelt are noticed, however far below', () => {
    const objects = structuredClone(base.objects)
    const [gateway, bot] = [find(objects, 'Deployment', 'gateway'), find(objects, 'Deployment', 'bot')]
    gateway.spec.replica = 2
    bot.spec.template.spec.containers[0].securityContext.readOnlyRootFileSystem = true

    const said = compile([gateway, bot])

    expect(said).toContain('"replica"')
    expect(said).toContain('"readOnlyRootFileSystem"')
  })
})
