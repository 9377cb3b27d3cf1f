// Made by generate.mjs from the OpenAPI document of a service; do not change it by hand.

/** A rectangle in pixels of the upright picture (EXIF orientation applied), origin top left. */
export interface Box {
  /** Left edge. */
  x1: number
  /** Top edge. */
  y1: number
  /** Right edge, at least X1. */
  x2: number
  /** Bottom edge, at least Y1. */
  y2: number
}

/** How the webhook delivery of a job stands. */
export interface CallbackView {
  /** Where it goes, without the query. */
  url: string
  /** Where it stands: `pending` also while the job has not ended. */
  state: DeliveryState
  /** Attempts so far. */
  attempts: number
  /** The HTTP status of the last one; null when there was no answer. */
  status: null | number
  /** What went wrong last; null when nothing did. */
  detail: null | string
  /** When it is sent next; null when it is done, and while the job has not ended. */
  nextAt: null | string
}

/** All pixels of a picture that belong to one class. */
export interface ClassRegion {
  /** The class's name. */
  label: string
  /** The class's index: the value of these pixels in the map. */
  classId: number
  /** The share of the picture's pixels that belong to it, 0 to 1. */
  share: number
  /** The rectangle around them. */
  box: Box
  /** Outlines as flat lists x, y, x, y … in pixels, the largest first; none of the background. */
  polygons: Array<Array<number>>
  /** Outlines of what is left out of them, in the same form. */
  holes: Array<Array<number>>
}

/** Where a delivery stands. */
export type DeliveryState = 'pending' | 'delivered' | 'givenUp'

/** One object that was found. */
export interface Detection {
  /** The class's name. */
  label: string
  /** The class's index in the model's output. */
  classId: number
  /** 0 to 1. */
  confidence: number
  /** Where it is. */
  box: Box
  /** Which pixels are its own; null unless the model segments. */
  mask?: null | Mask
  /** Its keypoints; null unless the model finds poses. */
  keypoints?: null | Array<Keypoint>
  /** The names of the zones that it stands in; null when none were asked for. */
  zones?: null | Array<string>
  /** The file of the job that shows it alone; null when none was asked for, and beyond the most that are cut out. */
  crop?: null | string
  /** What the second model says about it; null when none was asked, and for what it was not shown. */
  then?: null | ThenResult
  /** Its turned box, around which Box Detection.Box lies upright; null unless the model finds such. */
  oriented?: null | OrientedBox
}

/** Why a job failed, died or is tried again. */
export interface JobError {
  /** One of ErrorCodes. */
  code: string
  /** One sentence. */
  detail: string
}

/** What happened to a job besides the usual: it was accepted, started, ended. */
export interface JobEvent {
  /** When. */
  at: string
  /** What. */
  kind: JobEventKind
  /** The attempt that ended by it; 0 when none did. */
  attempt: number
  /** Who had that attempt. */
  worker: null | string
  /** Who did it, when a person or a program outside did. */
  by: null | string
  /** Why. */
  error: null | JobError
}

/** The kinds of JobEvent. */
export type JobEventKind = 'retried' | 'lost' | 'cancelled' | 'redriven'

/** The calls that belong to one job. */
export interface JobLinks {
  /** The job. */
  self: string
  /** The annotated picture. */
  image: string
  /** The picture as sent. */
  original: string
  /** Its changes as they happen. */
  events: string
  /** Its result as one line of text. */
  output: string
}

/** One page of the list of jobs. */
export interface JobPage {
  /** Newest first. */
  jobs: Array<JobView>
  /** Pass it as `after` for the next page; null on the last. */
  next: null | string
}

/** Which jobs go first. None starves: of every sixteen turns one begins with the lowest level. */
export type JobPriority = 'high' | 'normal' | 'low'

export type JobResult = {
  /** Width of the upright picture in pixels. */
  width: number
  /** Height of the upright picture in pixels. */
  height: number
  /** Objects, the most confident first; empty when none was found; null when the engine finds no objects. */
  detections: null | Array<Detection>
  /** Labels of the whole picture, the most confident first; null when the engine gives none. */
  labels: null | Array<Label>
  /** The line of text that the picture shows; null unless the engine reads. */
  reading?: null | Reading
  /** Number of detections per label, in the order in which labels first appear. */
  summary: null | Record<string, number>
  /** Pairs of keypoints, by their index, between which a line is drawn; null unless the model finds poses. */
  skeleton?: null | Array<Array<number>>
  /** The classes that pixels belong to, the largest first; null unless the model maps classes. */
  regions?: null | Array<ClassRegion>
  /** The map of the picture; null unless the model makes one. */
  map?: null | PictureMap
  /** The picture as a vector of length 1; null unless the model makes one. */
  embedding?: null | Array<number>
  /** Number of detections per label in each zone that was asked for; null when none was. */
  zones?: null | Record<string, Record<string, number>>
  /** How many detections the second model has looked at; null when none was asked. */
  then?: null | ThenSummary
}

/** Where a job stands. The last four are terminal: a row in one of them never changes again. */
export type JobState = 'queued' | 'running' | 'succeeded' | 'failed' | 'dead' | 'cancelled'

/** Where the time of the attempt that succeeded went, in milliseconds. */
export interface JobTimings {
  /** From acceptance to the last start. */
  queuedMs: number
  /** Reading the picture from the store. */
  fetchMs: number
  /** From its bytes to the model's input. */
  decodeMs: number
  /** The model. */
  inferMs: number
  /** From the model's output to boxes. */
  postMs: number
  /** Drawing and encoding the annotated picture; 0 when none was made. */
  encodeMs: number
}

/** A job as the API shows it. */
export interface JobView {
  /** Its id. */
  id: string
  /** What its sender calls the picture; null when it came without a name. */
  name: null | string
  /** Where it stands. */
  state: JobState
  /** The engine that runs it. */
  engine: string
  /** The model that runs it. */
  model: null | string
  /** Which version of the model made the result, as in GET /v1/models; null until there is one. */
  modelVersion: null | string
  /** When it was accepted. */
  created: string
  /** When its last attempt began. */
  started: null | string
  /** When it ended. */
  finished: null | string
  /** Attempts begun. */
  attempts: number
  /** Which jobs it goes before. */
  priority: JobPriority
  /** It is not started before this; null when nobody asked for that. */
  notBefore: null | string
  /** It fails when it has not been started by then; null when nobody asked for that. */
  expires: null | string
  /** Who sent it; null when nobody is told apart. */
  by: null | string
  /** The job whose stored result is given here, as it was the same work; null when it was run itself. */
  cachedFrom: null | string
  /** What happened besides the usual (attempts that failed, cancelling, redriving), oldest first. */
  history: Array<JobEvent>
  /** Jobs ahead of it in its queue; null unless it is queued. */
  position: null | number
  /** Expected time until it has ended, in seconds; null once it has ended, and when nobody knows. */
  etaSeconds: null | number
  /** How far it is, 0 to 1; null unless it runs and takes long enough for its engine to say. */
  progress: null | number
  /** Why it waits although there are workers; null when it is only not its turn. */
  waitsFor: null | string
  /** Its result; null until it has succeeded. */
  result: null | JobResult
  /** The files that it made, for engines that make any; empty once they have been deleted because of their age. */
  outputs: Array<OutputView>
  /** Where the time went; null until it has succeeded. */
  timings: null | JobTimings
  /** Why it did not succeed, or why its last attempt did not. */
  error: null | Problem
  /** How its webhook delivery stands; null when nobody asked for one, and in the delivery itself. */
  callback: null | CallbackView
  /** Where to find more. */
  links: JobLinks
}

/** A point of an object that means something, as a left wrist. */
export interface Keypoint {
  /** What it is; null when the model does not say. */
  name: null | string
  /** From the left, in pixels of the upright picture. */
  x: number
  /** From the top. */
  y: number
  /** How sure it is that the point can be seen, 0 to 1; null when the model does not say. */
  confidence: null | number
}

/** One answer about the picture as a whole. */
export interface Label {
  /** The class's name. */
  label: string
  /** The class's index in the model's output. */
  classId: number
  /** 0 to 1. */
  confidence: number
}

/** Which pixels of the picture belong to an object. */
export interface Mask {
  /** Outlines as flat lists x, y, x, y … in pixels, the largest first; holes are left out. */
  polygons: Array<Array<number>>
  /** The same pixel by pixel, holes included. */
  rle: RunLengths
}

/** A model in a worker. */
export interface ModelPlace {
  /** The worker. */
  worker: string
  /** The version that runs there; null when none does. */
  version: null | string
  /** Why the newest version could not be loaded there; null when it was. */
  error: null | Problem
  /** What it runs on there, as `cuda`; null when it is not loaded, or the worker does not say. */
  device: null | string
}

/** How a model stands. */
export type ModelState = 'ready' | 'loading' | 'absent' | 'refused'

/** A model as the API shows it. */
export interface ModelView {
  /** The name by which requests choose it. */
  id: string
  /** The engine that runs it; null when it is refused. */
  engine: null | string
  /** How its output is laid out; null when it is refused. */
  family: null | string
  /** Width of its input in pixels. */
  inputWidth: number
  /** Height of its input in pixels. */
  inputHeight: number
  /** The class names, indexed by class id. */
  labels: Array<string>
  /** Its newest version that can be used; null when there is none. */
  version: null | string
  /** How it stands. */
  state: ModelState
  /** Why its file, as it is now, can't be used; null when it can. */
  error: null | Problem
  /** Why what was found out about it may be wrong, and what to say beside its file; null when nothing speaks against it. */
  unsure: null | string
  /** True for the model that comes with Spotter. */
  builtIn: boolean
  /** True for the one used when a request names none. */
  default: boolean
  /** Addresses of pictures to try it on, relative to the page's; only the built-in model has some. */
  samples: Array<string>
  /** The workers that have it, or tried to. */
  loadedBy: Array<ModelPlace>
}

/** The models that there are. */
export interface ModelsView {
  /** The models, in the order in which they are chosen. */
  models: Array<ModelView>
  /** The id of the one used when a request names none; null when no model can be used. */
  default: null | string
}

/** A rectangle that is turned with its object, in pixels of the upright picture. */
export interface OrientedBox {
  /** Its centre, from the left. */
  centreX: number
  /** Its centre, from the top. */
  centreY: number
  /** The edge that lies along Angle. */
  width: number
  /** The other edge. */
  height: number
  /** Degrees by which the width is turned clockwise from the horizontal, from 0 up to 180. */
  angle: number
  /** Its four corners clockwise; from the first to the second it is the width, along Angle. They may lie outside the picture. */
  corners: Array<Point>
}

/** A file that a job made. */
export interface OutputView {
  /** What its engine calls it. */
  name: string
  /** Its media type. */
  type: string
  /** Its length. */
  bytes: number
  /** Where it can be fetched. */
  url: string
}

/** A map of a picture, as large as it, which is a grey PNG among the files of the job. */
export interface PictureMap {
  /** The file's name. */
  file: string
  /** Bits of each of its pixels, 8 or 16. */
  bits: number
  /** The least value that the model gave of the picture; null for a map of classes. */
  least?: null | number
  /** The greatest value; null for a map of classes. */
  greatest?: null | number
}

/** A point in pixels of the upright picture, origin top left. */
export interface Point {
  /** From the left. */
  x: number
  /** From the top. */
  y: number
}

/** A refusal as RFC 9457 writes it, with the stable code that programs look at. */
export interface Problem {
  /** A URI for the code. */
  type: string
  /** The kind of problem in a few words. */
  title: string
  /** The HTTP status. */
  status: number
  /** What happened, to what, and what to do. */
  detail: string
  /** One of ErrorCodes. */
  code: string
}

/** A line of text that was read. */
export interface Reading {
  /** The text; empty when there is none. */
  text: string
  /** The mean of how sure each of its characters is, 0 to 1. */
  confidence: number
}

/** A bitmap in the uncompressed run-length form of the COCO data set: column by column from the top left, the number of pixels outside, then inside, then outside again. */
export interface RunLengths {
  /** Height and width of the bitmap: the picture's. */
  size: Array<number>
  /** The runs; the first is 0 when the first pixel is inside. */
  counts: Array<number>
}

/** What a second model has to say about one detection, in pixels of the whole picture. */
export interface ThenResult {
  /** The second model. */
  model: string
  /** Objects within the box, the most confident first; null when the second model finds none. */
  detections?: null | Array<Detection>
  /** Labels of the box, the most confident first; null when the second model gives none. */
  labels?: null | Array<Label>
  /** The line of text in the box; null unless the second model reads. */
  reading?: null | Reading
  /** The box as a vector of length 1; null unless the second model makes one. */
  embedding?: null | Array<number>
  /** Pairs of keypoints, by their index, between which a line is drawn; null unless the second model finds poses. */
  skeleton?: null | Array<Array<number>>
}

/** How many detections a second model has looked at. */
export interface ThenSummary {
  /** The second model. */
  model: string
  /** How many it has looked at. */
  looked: number
  /** How many it would have looked at besides, were there no limit. */
  leftOut: number
}

/** Options of a submission; those of one engine are refused by the others. */
export interface SubmitOptions {
  /** URL of a picture that Spotter fetches, or several. */
  url?: string | Array<string>
  /** The engine; the model's by default. */
  engine?: 'classify' | 'depth' | 'detect' | 'embed' | 'filter' | 'obb' | 'pose' | 'read' | 'saliency' | 'segment' | 'semantic'
  /** The model's id, as in GET /v1/models; the first by default. */
  model?: string
  /** Least confidence of a detection; default 0.25. */
  confidence?: number
  /** Least confidence of these labels, in place of `confidence`, which all others take; it may be lower. */
  thresholds?: string | Record<string, unknown> | Array<unknown>
  /** Overlap above which the less confident of two boxes of one label is left out; default 0.45. */
  iou?: number
  /** Compare boxes of different labels too: of two that overlap more than `iou`, the less confident is left out. */
  agnostic?: boolean
  /** Only these labels; all by default. */
  labels?: string
  /** How many labels a classifier gives; default 5. */
  top?: number
  /** Look at the picture in overlapping squares with this edge in pixels, for small things in large pictures; at all of it by default. */
  tile?: number
  /** The share of a tile that the next one covers again; default 0.2. */
  overlap?: number
  /** Look at this part of the upright picture only; at all of it by default. */
  roi?: string
  /** Say which of these polygons each detection stands in (with the middle of its lower edge), and how many of each label do. */
  zones?: string | Record<string, unknown> | Array<unknown>
  /** Make the boxes of these labels unrecognisable in the drawn picture and in crops; `*` for all. The picture as sent stays stored as it is. */
  redact?: string
  /** How `redact` does it: only fill leaves nothing of what was there; default blur. */
  redact_with?: 'blur' | 'pixelate' | 'fill'
  /** Cut out the box of each detection, the 50 most confident at most, as JPEG files of the job (`outputs`). */
  crops?: boolean
  /** A second model that looks at the box of each detection, the 32 most confident at most, with a tenth of its edges around it; one that reads text sees all of them, straightened. */
  then?: string
  /** The second model looks at these labels only; at all by default. */
  then_labels?: string
  /** Draw the picture at once, not on first request. */
  annotate?: boolean
  /** Engine `filter`. Which filter. */
  filter?: 'blur' | 'contour' | 'rotate' | 'salt-and-pepper' | 'segment' | 'concat'
  /** Engine `filter`. Instead of `filter` and its settings: the same in words. */
  caption?: string
  /** Engine `filter`. For blur: edge of the square in pixels; default 16. */
  level?: number
  /** Engine `filter`. For rotate: how far; default 90. */
  degrees?: number
  /** Engine `filter`. For rotate: clockwise (default) or anti-clockwise. For concat: horizontal (default) or vertical. */
  direction?: 'clockwise' | 'anti-clockwise' | 'horizontal' | 'vertical'
  /** Engine `filter`. For salt-and-pepper: share of pixels that are drawn; default 0.05. */
  amount?: number
  /** Engine `filter`. For salt-and-pepper: the same number gives the same draw; another one each time by default. */
  seed?: number
  /** Engine `filter`. For segment: what is brighter becomes white; default 100. */
  threshold?: number
  /** Engine `filter`. For concat, which edges touch: right-to-left by default, top-to-bottom when it is vertical. */
  sides?: 'right-to-left' | 'left-to-right' | 'top-to-bottom' | 'bottom-to-top'
  /** Engine `filter`. Whether it works in colour or in grey; default colour. */
  mode?: 'colour' | 'grey'
  /** Engine `filter`. For concat: refuse pictures whose touching edges differ, instead of scaling them. */
  strict?: boolean
  /** Engine `filter`. In grey: spread the values over 0 to 255. */
  stretch?: boolean
  /** Which jobs it goes before; default normal. */
  priority?: 'high' | 'normal' | 'low'
  /** Seconds before which the job is not started; default 0. */
  delay?: number
  /** Seconds after which the job is no longer started and fails with `expired`. */
  expires?: number
  /** URL that is sent a signed webhook when the job has ended. */
  callback?: string
  /** What signs the webhook: `whsec_` and 24 to 64 bytes in Base64. The service's own for this endpoint by default. */
  callback_secret?: string
  /** Take the result of the same picture, model and options, if it is stored; default true. */
  reuse?: boolean
}
