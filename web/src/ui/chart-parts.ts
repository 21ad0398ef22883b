// Arithmetic and drawing of the chart that need no component.
import type uPlot from 'uplot'

/** Running sums over the series; a period without any value stays a gap. */
export function stack(series: readonly (readonly (number | null)[])[]): (number | null)[][] {
  const heights: (number | null)[] = []
  return series.map((values) => values.map((value, i) => {
    const below = heights[i] ?? null
    if (value !== null) heights[i] = (below ?? 0) + value
    else heights[i] = below
    return heights[i]
  }))
}

/** A wash behind the time whose numbers may still grow. */
export function drawIncomplete(u: uPlot, from: number | undefined, colour: string): void {
  if (from === undefined) return
  const { left, top, width, height } = u.bbox
  const x = Math.max(left, u.valToPos(from, 'x', true))
  if (x >= left + width) return
  u.ctx.save()
  u.ctx.fillStyle = colour
  u.ctx.fillRect(x, top, left + width - x, height)
  u.ctx.restore()
}
