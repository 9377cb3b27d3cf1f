import { describe, expect, it } from 'vitest'
import { helmRenderings } from './helm'
import { base, renderings } from './manifests'
import { networkRules } from './network'
import { podRules } from './pods'
import { programRules } from './program'
import { referenceRules } from './references'
import { schemaRules } from './schemas'

const rules = [...schemaRules, ...podRules, ...referenceRules, ...networkRules, ...programRules]

describe.each([...renderings, ...helmRenderings])('$name', ({ objects }) => {
  it.each(rules)('$says', async ({ check }) => {
    expect(await check(objects)).toEqual([])
  })
})

describe('a mistake is noticed', () => {
  const mistakes = rules.flatMap(({ says, check, mistakes }) => Object.entries(mistakes).map(([mistake, make]) => ({ says, mistake, make, check })))

  it.each(mistakes)('$mistake ($says)', async ({ make, check }) => {
    const objects = structuredClone(base.objects)
    make(objects)
    expect(await check(objects)).not.toEqual([])
  })
})
