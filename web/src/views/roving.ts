/**
 * Makes a group of buttons one stop of the Tab key; the arrow keys, Home and End move inside. A picture may hold a
 * hundred boxes, and nobody should have to tab through them all.
 */
export function moveWithArrows(group: HTMLElement, selector: string): { refresh(): void } {
  const items = () => [...group.querySelectorAll<HTMLElement>(selector)]

  const makeStop = (stop: HTMLElement | undefined) => {
    for (const item of items()) item.tabIndex = item === stop ? 0 : -1
  }

  group.addEventListener('focusin', event => {
    const item = (event.target as Element).closest<HTMLElement>(selector)
    if (item !== null) makeStop(item)
  })

  group.addEventListener('keydown', event => {
    const all = items()
    const at = all.indexOf(document.activeElement as HTMLElement)
    if (at < 0) return
    const to = {
      ArrowDown: at + 1,
      ArrowRight: at + 1,
      ArrowUp: at - 1,
      ArrowLeft: at - 1,
      Home: 0,
      End: all.length - 1,
    }[event.key]
    if (to === undefined) return
    event.preventDefault()
    all[Math.min(Math.max(to, 0), all.length - 1)]?.focus()
  })

  return {
    refresh() {
      const all = items()
      makeStop(all.find(item => item.tabIndex === 0) ?? all[0])
    },
  }
}
