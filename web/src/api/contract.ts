/** The records of the REST interface as the gateway writes them, as far as the page needs them. */

export type JobState = 'queued' | 'running' | 'succeeded' | 'failed' | 'dead' | 'cancelled'

export interface Box {
  x1: number
  y1: number
  x2: number
  y2: number
}

/** `box` is in pixels of the upright picture, origin top left. */
export interface Detection {
  label: string
  classId: number
  confidence: number
  box: Box
  /** Which pixels are its own, from models that segment. */
  mask?: Mask
  /** From models that find poses. */
  keypoints?: Keypoint[]
  /** From models that find turned boxes. */
  oriented?: OrientedBox
  /** What a second model says about it. */
  then?: { reading?: Reading }
}

export interface Mask {
  /** Outlines as flat lists x, y, x, y …, the largest first. */
  polygons: number[][]
}

export interface Keypoint {
  name: string | null
  x: number
  y: number
  confidence: number | null
}

export interface OrientedBox {
  corners: { x: number; y: number }[]
}

export interface Label {
  label: string
  classId: number
  confidence: number
}

/** A line of text. */
export interface Reading {
  text: string
  confidence: number
}

/** All pixels of one class. */
export interface Region {
  label: string
  classId: number
  /** Of the picture's pixels, 0 to 1. */
  share: number
}

/** A map of the picture, a file of the job. */
export interface PictureMap {
  file: string
  /** The range of its values; not there for classes. */
  least?: number
  greatest?: number
}

export interface VisionResult {
  width: number
  height: number
  detections: Detection[] | null
  labels: Label[] | null
  summary: Record<string, number> | null
  /** From models that read. */
  reading?: Reading
  /** Pairs of keypoints, by index, that are joined by a line. */
  skeleton?: number[][]
  /** From models that map classes, the largest first. */
  regions?: Region[]
  /** From models that map the picture. */
  map?: PictureMap
  /** From models that embed it. */
  embedding?: number[]
}

export interface Timings {
  queuedMs: number
  fetchMs: number
  decodeMs: number
  inferMs: number
  postMs: number
  encodeMs: number
}

/** RFC 9457, with the stable `code` of Spotter. */
export interface Problem {
  type?: string
  title?: string
  status?: number
  detail?: string
  code?: string
}

export interface Job {
  id: string
  /** What its sender calls the picture. */
  name: string | null
  state: JobState
  engine: string
  model: string | null
  created: string
  started: string | null
  finished: string | null
  attempts: number
  /** Who sent it; null where nobody is told apart. */
  by: string | null
  /** Which version of the model answered; null until one did. */
  modelVersion: string | null
  /** What went another way than usual, oldest first. */
  history: JobEvent[]
  /** Jobs ahead; null when it does not wait, or nobody knows. */
  position: number | null
  etaSeconds: number | null
  /** Why it waits although there are workers. */
  waitsFor: string | null
  result: VisionResult | null
  timings: Timings | null
  /** The job of which it has the result, where the same picture was asked for before. */
  cachedFrom: string | null
  error: Problem | null
}

export interface JobEvent {
  at: string
  kind: 'retried' | 'lost' | 'cancelled' | 'redriven'
  /** The attempt that ended by it; 0 when none did. */
  attempt: number
  worker: string | null
  by: string | null
  error: { code: string; detail: string } | null
}

export interface JobPage {
  jobs: Job[]
  next: string | null
}

export interface Model {
  id: string
  engine: string
  family: string
  inputWidth: number
  inputHeight: number
  labels: string[]
  /** Refused models can't be chosen. */
  state: 'ready' | 'loading' | 'absent' | 'refused'
  /** Why its file, as it is now, can't be used. */
  error: Problem | null
  /** Why what was found out about it may be wrong. */
  unsure: string | null
  /** It is used when a request names none. */
  default: boolean
  /** The workers that have it, or tried to. */
  loadedBy: { worker: string; device?: string | null }[]
  /** It comes with Spotter. */
  builtIn: boolean
  /** Addresses of pictures to try it on. */
  samples: string[]
}

export interface Models {
  models: Model[]
  default: string | null
}

/** Whose the key is, and what it may do. */
export interface Caller {
  name: string
  tenant: string | null
  scopes: ('submit' | 'read' | 'operate')[]
}

/** A model that can be downloaded by name. */
export interface CatalogueModel {
  name: string
  task: string
  what: string
  url: string
  bytes: number
  licence: { id: string; holder: string; evidence: string; permissive: boolean }
  state: 'available' | 'pulling' | 'here' | 'failed'
  /** While it is being pulled. */
  bytesHere: number
  error: Problem | null
}

export interface CatalogueView {
  models: CatalogueModel[]
  /** Why this service pulls none. */
  closed: string | null
}

export interface Stats {
  queued: number
  running: number
  succeeded: number
  failed: number
  dead: number
  cancelled: number
  /** Of those that wait: how many wait for a model that nobody has. */
  unserved: number
  workers: number
  desiredWorkers: number
  maxWorkers: number
  lanes: number
  oldestSeconds: number | null
  booting: number
  loading: number
  idle: number
  busy: number
  draining: number
  jobsPerSecond: number | null
}

/** How backlog and fleet stood from `time` on, for as long as one step of the series lasts. */
export interface ScaleSample {
  time: string
  /** The most that waited; null while nobody knew. */
  queued: number | null
  running: number | null
  /** Jobs that came in. */
  arrived: number
  wanted: number
  ready: number
  booting: number
  draining: number
}

export interface ScaleSeries {
  now: string
  stepSeconds: number
  samples: ScaleSample[]
}

export interface ScaleDecision {
  target: number
  launch: number
  drain: string[]
  cancelDrain: string[]
  /** One line for people. */
  reason: string
}

export interface LoggedDecision {
  id: number
  time: string
  decision: ScaleDecision
}

export interface DecisionPage {
  decisions: LoggedDecision[]
  next: string | null
}

export type Preset = 'eco' | 'balanced' | 'fast'

/** How a day went or would have gone; times in seconds. */
export interface ReplayedDay {
  preset: Preset
  maxWorkers: number
  jobs: number
  workerHours: number
  cost: number
  waitP50: number
  waitP95: number
  waitP99: number
  /** Answers that came too late. */
  late: number
  launches: number
  mostWorkers: number
}

export interface WhatIf {
  terms: {
    policy: string
    preset: Preset
    maxWorkers: number
    serviceSeconds: number
    bootSeconds: number
    sloSeconds: number
    pricePerHour: number
  }
  asSet: ReplayedDay
  whatIf: ReplayedDay
}

/** True once nothing about the job will change any more. */
export function hasEnded(job: Job): boolean {
  return job.state !== 'queued' && job.state !== 'running'
}
