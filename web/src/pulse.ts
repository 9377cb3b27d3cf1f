/** Repeats `beat` while the page is visible, `pauseMs` after the last one ended. */
export function pulse(beat: () => Promise<number>): void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let beating = false

  const go = async () => {
    clearTimeout(timer)
    if (beating || document.hidden) return
    beating = true
    const pauseMs = await beat()
    beating = false
    timer = setTimeout(() => void go(), pauseMs)
  }

  document.addEventListener('visibilitychange', () => void go())
  void go()
}
