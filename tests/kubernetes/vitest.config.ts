import { spawnSync } from 'node:child_process'
import { defineConfig } from 'vitest/config'
import { findHelm } from './helm-program.ts'

const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0
const helm = hasKubectl ? findHelm() : null

export default defineConfig({
  test: {
    include: [...(hasKubectl ? ['*.test.ts'] : ['skipped.ts']), ...(helm === null ? ['skipped-helm.ts'] : [])],
    exclude: helm === null ? ['helm*.test.ts'] : [],
    // All files look at the same renderings, which take a second each.
    fileParallelism: false,
    isolate: false,
    testTimeout: 60_000,
    env: helm === null ? {} : { SPOTTER_HELM: helm },
  },
})
