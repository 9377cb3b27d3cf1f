import type { Detection, Label, VisionResult } from '../api/contract'

/** A detection and where it stands in the answer, which stays the same whatever is shown. */
export interface Finding {
  index: number
  detection: Detection
}

export interface LabelCount {
  label: string
  classId: number
  count: number
}

/** What is at least as sure as `confidence`, surest first. */
export function findingsAbove(detections: readonly Detection[], confidence: number): Finding[] {
  return detections
    .map((detection, index) => ({ index, detection }))
    .filter(finding => finding.detection.confidence >= confidence)
    .sort((a, b) => b.detection.confidence - a.detection.confidence)
}

/** What to call a detection: the text that was read in it, or else its label. */
export function nameOf({ label, then }: Detection): string {
  return then?.reading?.text || label
}

/** What the whole picture shows: its labels, or the text that was read; null for objects in it. */
export function answersOf({ labels, reading }: VisionResult): readonly Label[] | null {
  if (reading === undefined) return labels
  return reading.text === '' ? [] : [{ label: reading.text, classId: 0, confidence: reading.confidence }]
}

/** How many there are of each label, most first, then by name. */
export function countLabels(findings: readonly Finding[]): LabelCount[] {
  const counts = new Map<string, LabelCount>()
  for (const { detection } of findings) {
    const known = counts.get(detection.label)
    if (known === undefined) counts.set(detection.label, { label: detection.label, classId: detection.classId, count: 1 })
    else known.count++
  }
  return [...counts.values()].sort((a, b) => b.count - a.count || a.label.localeCompare(b.label))
}

/** Large boxes first, so that small ones are drawn over them and can be pointed at. */
export function largestFirst(findings: readonly Finding[]): Finding[] {
  const area = ({ detection: { box } }: Finding) => (box.x2 - box.x1) * (box.y2 - box.y1)
  return [...findings].sort((a, b) => area(b) - area(a))
}
