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

/** Steps of an axis that counts whole things: 1, 2, 5, 10, … */
export const WHOLE_STEPS = Array.from({ length: 48 }, (_, i) => [1, 2, 5][i % 3]! * 10 ** Math.floor(i / 3))
/** Steps of an axis of bytes, whose units are powers of two. */
export const BINARY_STEPS = Array.from({ length: 53 }, (_, i) => 2 ** i)

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

/** Where an arrow key leads from a place among so many; nowhere for other keys. */
export function stepTo(key: string, at: number | undefined, count: number): number | undefined {
  const steps: Record<string, number> = { ArrowRight: (at ?? -1) + 1, ArrowLeft: (at ?? count) - 1, Home: 0, End: count - 1 }
  const next = steps[key]
  return next === undefined ? undefined : Math.max(0, Math.min(count - 1, next))
}
