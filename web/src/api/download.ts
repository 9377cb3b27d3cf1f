import { getBlob } from './client'
import { apiKey } from './key'

// A browser begins a download some time after it was told to.
const keepMs = 60_000

const wanted = new WeakMap<HTMLImageElement, string>()

/** Shows the picture at an address in an element. An element can't show a key, so with one the picture is fetched. */
export function showPicture(image: HTMLImageElement, url: string): void {
  wanted.set(image, url)
  if (apiKey() === null || url.startsWith('blob:')) {
    image.src = url
    return
  }
  getBlob(url).then(
    blob => {
      // Another one may have been asked for meanwhile.
      if (wanted.get(image) !== url) return
      const local = URL.createObjectURL(blob)
      const forget = () => URL.revokeObjectURL(local)
      image.addEventListener('load', forget, { once: true })
      image.addEventListener('error', forget, { once: true })
      image.src = local
    },
    () => {
      if (wanted.get(image) === url) image.dispatchEvent(new Event('error'))
    },
  )
}

/** Lets a link for downloads work with a key too, which the browser would not show by itself. */
export function downloadWithKey(link: HTMLAnchorElement, onError: (error: unknown) => void): void {
  link.addEventListener('click', event => {
    if (apiKey() === null) return
    event.preventDefault()
    getBlob(link.href).then(blob => saveBlob(blob, link.download), onError)
  })
}

/** Has the browser save a file. */
export function saveBlob(blob: Blob, name: string): void {
  const local = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = local
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(local), keepMs)
}
