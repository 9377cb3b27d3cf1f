/** Opens and closes a part of the page by a button; `opened` is called each time it opens. Says whether it is open. */
export function togglePanel(panel: HTMLElement, button: HTMLElement, opened: () => void): { readonly isOpen: boolean } {
  const set = (isOpen: boolean) => {
    panel.hidden = !isOpen
    button.setAttribute('aria-expanded', String(isOpen))
    if (isOpen) opened()
  }
  button.addEventListener('click', () => set(panel.hidden === true))
  return {
    get isOpen() {
      return !panel.hidden
    },
  }
}
