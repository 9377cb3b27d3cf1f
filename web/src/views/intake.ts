/** Ways for pictures to come onto the page: drop, paste, pick. */
export function watchIntake(zone: HTMLElement, input: HTMLInputElement, take: (files: File[]) => void): void {
  input.addEventListener('change', () => {
    if (input.files !== null) take([...input.files])
    // Picking the same file again is a new wish, and only a cleared input tells it.
    input.value = ''
  })

  document.addEventListener('paste', event => {
    const files = [...(event.clipboardData?.files ?? [])]
    if (files.length > 0) {
      event.preventDefault()
      take(files)
    }
  })

  // The whole window takes drops: a picture let go beside the zone would replace the page otherwise.
  let depth = 0
  const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true
  const lit = (on: boolean) => zone.classList.toggle('over', on)
  window.addEventListener('dragenter', event => {
    if (!carriesFiles(event)) return
    depth++
    lit(true)
  })
  window.addEventListener('dragleave', event => {
    if (!carriesFiles(event)) return
    depth = Math.max(0, depth - 1)
    if (depth === 0) lit(false)
  })
  window.addEventListener('dragover', event => {
    if (carriesFiles(event)) event.preventDefault()
  })
  window.addEventListener('drop', event => {
    if (!carriesFiles(event) || event.dataTransfer === null) return
    event.preventDefault()
    depth = 0
    lit(false)
    void droppedFiles(event.dataTransfer).then(take)
  })
}

/** The files of a drop; of folders, the pictures in them. */
async function droppedFiles(transfer: DataTransfer): Promise<File[]> {
  // The list is emptied as soon as the event is over, so everything is taken out before the first wait.
  const entries = [...transfer.items].map(item => item.webkitGetAsEntry())
  const plain = [...transfer.files]
  if (!entries.some(entry => entry?.isDirectory)) return plain
  const files = await Promise.all(entries.map(entry => (entry === null ? [] : filesIn(entry, false))))
  return files.flat()
}

async function filesIn(entry: FileSystemEntry, inFolder: boolean): Promise<File[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
    // Folders hold other things beside pictures; what was dropped by itself was meant.
    return !inFolder || file.type.startsWith('image/') ? [file] : []
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const files: File[] = []
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (batch.length === 0) return files
    for (const child of batch) files.push(...(await filesIn(child, true)))
  }
}
