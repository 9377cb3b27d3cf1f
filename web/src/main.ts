import './styles/base.css'
import './styles/strip.css'
import './styles/intake.css'
import './styles/card.css'
import './styles/album.css'
import './styles/recent.css'
import './styles/starter.css'
import './styles/scaling.css'
import './styles/panels.css'
import { Announcer } from './announcer'
import { getCaller, getModels, getStats } from './api/client'
import type { Model, Stats } from './api/contract'
import { apiKey } from './api/key'
import { Refusal } from './api/refusal'
import { sentConfidence } from './api/submit'
import { byId, el, setText } from './dom'
import { gatewayFeed } from './jobs/feed'
import { JobFollower } from './jobs/follower'
import { UploadQueue } from './jobs/uploadQueue'
import { ModelOffer } from './models/modelOffer'
import { Pictures } from './pictures'
import { pulse } from './pulse'
import { Setting } from './setting'
import { percent } from './text'
import { Album } from './views/album'
import { DeadPanel } from './views/deadPanel'
import { watchIntake } from './views/intake'
import { ModelsPanel } from './views/modelsPanel'
import { OfferView } from './views/offerView'
import { Recent } from './views/recent'
import { ScalingPanel } from './views/scalingPanel'
import { SignIn } from './views/signIn'
import { Starter } from './views/starter'
import { Strip } from './views/strip'

// A browser opens six connections to a server over HTTP/1.1. Three uploads and two streams leave one for everything
// else, so that a drop of a thousand pictures doesn't stop the numbers from moving or a job from being cancelled.
const uploadsAtOnce = 3
const streamsAtOnce = 2

const takeUpMs = 500
const mostTakeUpLooks = 120

const confidence = new Setting(0.25)
const model = new Setting<Model | null>(null)
const announcer = new Announcer(byId('announcer'))
const follower = new JobFollower(gatewayFeed, streamsAtOnce)
const strip = new Strip(byId('strip'))
const scaling = new ScalingPanel(byId('scaling'), byId('scaling-toggle'))

const offer = new ModelOffer(useModel)

const pictures = new Pictures({
  host: byId('pictures'),
  uploads: new UploadQueue(uploadsAtOnce),
  follower,
  confidence,
  model,
  offer,
  announce: text => announcer.say(text),
  changed: ({ total, ended }) => {
    document.body.classList.toggle('has-pictures', total > 0)
    setText(byId('tally'), total > 1 && ended < total ? `${ended} of ${total} done` : '')
    byId('clear').hidden = total < 2 || ended < total
    album.refresh()
  },
})
const album = new Album(byId('album'), byId('pictures'), () => pictures.shown(), confidence)
byId('clear').addEventListener('click', () => pictures.clearEnded())

const starter = new Starter(byId('starter'), offer, files => pictures.add(files), text => announcer.say(text))

const recent = new Recent(byId('recent'), confidence, job => pictures.open(job))
const dead = new DeadPanel(byId('dead'), byId('dead-toggle'), job => pictures.open(job))
new ModelsPanel(byId('models'), byId('models-toggle'), () => operates === true, () => void loadModels())

watchIntake(byId('drop'), byId('file') as HTMLInputElement, files => {
  if (model.value !== null && files.length > 0) pictures.add(files)
})

setUpConfidence(byId('confidence') as HTMLInputElement)
setUpModelChoice(byId('model') as HTMLSelectElement)

document.addEventListener('visibilitychange', () => (document.hidden ? follower.suspend() : follower.resume()))

const signIn = new SignIn(byId('sign-in') as HTMLFormElement, byId('sign-out'), () => {
  operates = null
  beatNow()
})

/** Whether whoever looks may run the service; null while that is not known. */
let operates: boolean | null = null
let seen = ''
let modelsAge = Number.POSITIVE_INFINITY
const beatNow = pulse(async () => {
  try {
    const stats = await getStats()
    signIn.done()
    operates ??= (await getCaller()).scopes.includes('operate')
    byId('scaling-toggle').hidden = !operates
    setText(byId('curl'), curlSample())
    strip.show(stats)
    void scaling.refresh(stats)
    dead.show(stats)
    if (++modelsAge > (model.value === null ? 3 : 60)) await loadModels()
    recent.age()
    // The list changes only when a count does.
    const counts = fingerprint(stats)
    if (counts !== seen) {
      seen = counts
      await recent.refresh()
    }
    return 1_000
  } catch (error) {
    seen = ''
    if (error instanceof Refusal && (error.status === 401 || error.status === 403)) {
      signIn.ask(error)
      modelsAge = Number.POSITIVE_INFINITY
      // Nothing changes before somebody gives a key.
      return 60_000
    }
    strip.showLost()
    return 2_000
  }
})

/** What sends a picture from a terminal, with the key as a variable where one is needed: it is not to be seen on the screen. */
function curlSample(): string {
  const key = apiKey() === null ? '' : '-H "Authorization: Bearer $SPOTTER_KEY" '
  return `curl ${key}-F image=@photo.jpg ${new URL('v1/jobs', document.baseURI).href}`
}

function fingerprint({ queued, running, succeeded, failed, dead, cancelled }: Stats): string {
  return [queued, running, succeeded, failed, dead, cancelled].join()
}

function setUpConfidence(slider: HTMLInputElement): void {
  slider.min = String(sentConfidence)
  slider.addEventListener('input', () => (confidence.value = slider.valueAsNumber))
  confidence.watch(value => {
    slider.value = String(value)
    slider.setAttribute('aria-valuetext', percent(value))
    const least = Number(slider.min)
    slider.style.setProperty('--fill', String((value - least) / (Number(slider.max) - least)))
    setText(byId('confidence-value'), percent(value))
  })
}

let models: Model[] = []

function setUpModelChoice(select: HTMLSelectElement): void {
  select.addEventListener('change', () => (model.value = models.find(({ id }) => id === select.value) ?? null))
  model.watch(chosen => starter.show(chosen))
  byId('no-model').append(new OfferView(offer).element)
}

/** Chooses a model once the service has taken it up, which it does within seconds. */
async function useModel(id: string): Promise<void> {
  for (let looks = 0; looks < mostTakeUpLooks; looks++) {
    await loadModels()
    const found = models.find(one => one.id === id)
    if (found !== undefined) {
      model.value = found
      ;(byId('model') as HTMLSelectElement).value = id
      announcer.say(`${id} is here and in use.`)
      return
    }
    await new Promise(resolve => setTimeout(resolve, takeUpMs))
  }
  throw new Error(`${id} has come, and the service does not take it up; its log says why.`)
}

async function loadModels(): Promise<void> {
  const answer = await getModels()
  modelsAge = 0
  models = answer.models.filter(({ state }) => state !== 'refused')
  const chosen = models.find(({ id }) => id === model.value?.id) ?? models.find(({ id }) => id === answer.default) ?? models[0] ?? null
  model.value = chosen

  const select = byId('model') as HTMLSelectElement
  const options = models.map(({ id }) => id)
  if ([...select.options].map(option => option.value).join('\n') !== options.join('\n')) {
    select.replaceChildren(...options.map(id => el('option', { value: id }, id)))
  }
  if (chosen !== null) select.value = chosen.id
  byId('model-choice').hidden = models.length < 2
  document.body.classList.toggle('several-models', models.length > 1)
  document.body.classList.toggle('no-model', chosen === null)
  byId('no-model').hidden = chosen !== null
  if (operates === true && (chosen === null || chosen.builtIn)) void offer.look()
  ;(byId('file') as HTMLInputElement).disabled = chosen === null
}
