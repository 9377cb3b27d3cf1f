import { apiKey, keepKey } from '../api/key'
import type { Refusal } from '../api/refusal'
import { setText } from '../dom'

/** Asks for an API key where the service wants one, and lets one go again. */
export class SignIn {
  readonly #form: HTMLFormElement
  readonly #field: HTMLInputElement
  readonly #reason: HTMLElement
  readonly #signOut: HTMLElement

  constructor(form: HTMLFormElement, signOut: HTMLElement, onKey: () => void) {
    this.#form = form
    this.#signOut = signOut
    this.#field = form.querySelector('input')!
    this.#reason = form.querySelector('[role=alert]')!
    form.addEventListener('submit', event => {
      event.preventDefault()
      const key = this.#field.value.trim()
      if (key === '') return
      keepKey(key)
      onKey()
    })
    signOut.addEventListener('click', () => {
      keepKey(null)
      // What is on the page belongs to who has just left.
      location.reload()
    })
  }

  /** The service wants a key, or another one. */
  ask(refusal: Refusal): void {
    const first = this.#form.hidden
    setText(this.#reason, apiKey() === null ? '' : refusal.message)
    this.#show(false)
    if (first) this.#field.focus()
  }

  /** The service is content. */
  done(): void {
    if (!this.#form.hidden) this.#field.value = ''
    this.#show(true)
  }

  #show(isIn: boolean): void {
    this.#form.hidden = isIn
    this.#signOut.hidden = !isIn || apiKey() === null
    document.body.classList.toggle('locked', !isIn)
  }
}
