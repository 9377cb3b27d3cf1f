/** Repeats `beat` while the page is visible, as many milliseconds after the last one ended as that says; the result makes it beat now. */
export function pulse(beat: () => Promise<number>): () => void {
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
  return () => void go()
}
