interface Identified {
  id: string
}

/**
 * Puts the newest page before what older pages brought. `joined` is false when the two share no job: then some may
 * lie between them that nobody has seen, and only the new page is kept.
 */
export function mergeNewest<T extends Identified>(known: readonly T[], page: readonly T[]): { jobs: T[]; joined: boolean } {
  const inPage = new Set(page.map(job => job.id))
  const joined = known.some(job => inPage.has(job.id))
  return { jobs: joined ? [...page, ...known.filter(job => !inPage.has(job.id))] : [...page], joined }
}
