import type { Caller, CatalogueModel, CatalogueView, DecisionPage, Job, JobPage, Models, Preset, ScaleSeries, Stats, WhatIf } from './contract'
import { keyHeaders } from './key'
import { readRefusal, Unreachable } from './refusal'

// Addresses are relative to the page, so that everything works behind a path of a reverse proxy as well.
export const jobUrl = (id: string) => `v1/jobs/${encodeURIComponent(id)}`
/** The annotated picture, with the boxes that are at least this certain. */
export const annotatedUrl = (id: string, confidence: number) => `${jobUrl(id)}/image?confidence=${confidence}`
export const originalUrl = (id: string) => `${jobUrl(id)}/original`
export const eventsUrl = (id: string) => `${jobUrl(id)}/events`

const timeoutMs = 15_000
// A day of many jobs takes a while to be played again, and a thousand results to be put together.
const longTimeoutMs = 60_000

const jsonBody = { 'Content-Type': 'application/json' }

async function request(url: string, init: RequestInit = {}, withinMs: number = timeoutMs, headers: Record<string, string> = {}): Promise<Response> {
  let answer: Response
  try {
    answer = await fetch(url, { ...init, headers: { ...keyHeaders(), ...headers }, cache: 'no-store', signal: AbortSignal.timeout(withinMs) })
  } catch {
    throw new Unreachable('Spotter does not answer. Is the server still running?')
  }
  if (!answer.ok) throw readRefusal(answer.status, await answer.text(), answer.headers.get('retry-after'))
  return answer
}

async function json<T>(url: string, init?: RequestInit, withinMs?: number): Promise<T> {
  return (await (await request(url, init, withinMs)).json()) as T
}

async function post<T>(url: string, body: unknown): Promise<T> {
  return (await (await request(url, { method: 'POST', body: JSON.stringify(body) }, timeoutMs, jsonBody)).json()) as T
}

export const getJob = (id: string) => json<Job>(jobUrl(id))
export const cancelJob = (id: string) => json<Job>(jobUrl(id), { method: 'DELETE' })
export const getModels = () => json<Models>('v1/models')
export const getCaller = () => json<Caller>('v1/caller')
/** The models that can be downloaded. Whoever may not operate the service is refused. */
export const getCatalogue = () => json<CatalogueView>('v1/catalogue')
/** Has one downloaded, with the licence that is accepted where one has to be; the catalogue says how far it is. */
export const pullModel = (name: string, acceptLicence: string | null = null) => post<CatalogueModel>(`v1/catalogue/${encodeURIComponent(name)}`, { acceptLicence })
export const getStats = () => json<Stats>('v1/stats')

/** Backlog and workers of the last seconds. */
export const getSeries = (seconds: number) => json<ScaleSeries>(`v1/scaling/series?seconds=${seconds}`)
/** The latest scaling decisions, newest first. */
export const listDecisions = (limit: number) => json<DecisionPage>(`v1/scaling/decisions?limit=${limit}`)

/** The days whose arrivals are recorded, newest first. */
export const getScalingDays = () => json<{ days: string[] }>('v1/scaling/days')

/** A recorded day with other settings, beside the same as it is set; `maxWorkers` null for as it is set. */
export function getWhatIf(day: string, preset: Preset, maxWorkers: number | null): Promise<WhatIf> {
  const query = new URLSearchParams({ day, preset })
  if (maxWorkers !== null) query.set('maxWorkers', String(maxWorkers))
  return json<WhatIf>(`v1/scaling/what-if?${query}`, {}, longTimeoutMs)
}

/** Newest first; `after` is the `next` of the page before. */
export function listJobs(limit: number, after: string | null): Promise<JobPage> {
  const query = new URLSearchParams({ limit: String(limit) })
  if (after !== null) query.set('after', after)
  return json<JobPage>(`v1/jobs?${query}`)
}

/** Jobs that used up their attempts, newest first. */
export const listDead = (limit: number) => json<JobPage>(`v1/dead?limit=${limit}`)

/** Which dead jobs to put back: these, or all that died of one error. */
export type Redrive = { ids: string[] } | { error: string }
/** Puts dead jobs back into their queues; says how many. */
export const redriveDead = (which: Redrive) => post<{ redriven: number }>('v1/dead/redrive', which)

/** A picture that comes with a model, as a file. */
export async function getSample(url: string): Promise<File> {
  const picture = await getBlob(url)
  return new File([picture], url.slice(url.lastIndexOf('/') + 1), { type: picture.type })
}

/** What is at an address of the service. */
export async function getBlob(url: string): Promise<Blob> {
  return (await request(url)).blob()
}

/** The results of jobs as one file in the format of another tool, and what to call it. */
export async function exportResults(format: string, jobs: readonly string[]): Promise<{ blob: Blob; name: string }> {
  const answer = await request('v1/results', { method: 'POST', body: JSON.stringify({ format, jobs }) }, longTimeoutMs, jsonBody)
  const name = /filename="?([\w.-]+)/.exec(answer.headers.get('content-disposition') ?? '')?.[1] ?? `results.${format}`
  return { blob: await answer.blob(), name }
}

/** The picture of a job as it was sent. */
export const getOriginal = (id: string) => getBlob(originalUrl(id))
