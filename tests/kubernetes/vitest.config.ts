import { spawnSync } from 'node:child_process'
import { defineConfig } from 'vitest/config'

const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0

export default defineConfig({
  test: {
    include: hasKubectl ? ['*.test.ts'] : ['skipped.ts'],
    // All files look at the same renderings, which take a second each.
    fileParallelism: false,
    isolate: false,
    testTimeout: 60_000,
  },
})
