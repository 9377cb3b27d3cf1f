/** The line through `values` in a field of the given size, newest at the right edge, and the closed area under it. */
export function sparkline(
  values: readonly number[],
  capacity: number,
  width: number,
  height: number,
): { line: string; area: string } {
  if (values.length === 0) return { line: '', area: '' }
  // A scale that never goes below a few jobs keeps one waiting picture from looking like a flood.
  const top = Math.max(4, ...values)
  const step = width / Math.max(1, capacity - 1)
  const start = width - (values.length - 1) * step
  const points = values.map((value, i) => {
    const x = start + i * step
    const y = height - 1 - (value / top) * (height - 2)
    return `${x.toFixed(1)} ${y.toFixed(1)}`
  })
  const line = `M${points.join('L')}`
  return { line, area: `${line}L${width} ${height}L${start.toFixed(1)} ${height}Z` }
}
