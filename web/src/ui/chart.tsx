// Stacked bars over time, on uPlot: axes, units, exact values on hover and by arrow keys, gaps shown as gaps. The page
// that uses it puts the table with the same numbers below.
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { formatTime, tickText } from './format.ts'
import { drawIncomplete, stack, stepTo } from './chart-parts.ts'

export interface ChartSeries {
  key: string
  label: string
  values: readonly (number | null)[]
}

interface ChartProps {
  label: string
  /** Beginnings of the periods, in seconds. */
  times: readonly number[]
  series: readonly ChartSeries[]
  format: (value: number) => string
  /** From here on numbers may still grow; in seconds. */
  incompleteFrom?: number
  height?: number
  scale?: Scale
}

/** How the values' axis is cut and labelled, where the drawing's own decimal steps do not fit. */
export interface Scale {
  steps?: number[]
  text?: (ticks: number[]) => string[]
}

export const SERIES_COLOURS = 7

export function Chart({ label, times, series, format, incompleteFrom, height = 240, scale }: ChartProps) {
  const frame = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const [at, setAt] = useState<number | undefined>(undefined)
  const theme = useThemeMark()
  const stacked = useMemo(() => stack(series.map((s) => s.values)), [series])

  useEffect(() => {
    const element = frame.current
    if (!element) return
    const options = optionsFor(element, { series, times, format, height, incompleteFrom, scale, onIndex: setAt })
    const data = [[...times], ...[...stacked].reverse()] as uPlot.AlignedData
    const chart = new uPlot(options, data, element)
    plot.current = chart
    const resize = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height }))
    resize.observe(element)
    return () => {
      resize.disconnect()
      chart.destroy()
      plot.current = undefined
    }
  }, [series, times, stacked, format, height, incompleteFrom, scale, theme])

  const move = (event: KeyboardEvent) => {
    const index = stepTo(event.key, at, times.length)
    if (index === undefined) return
    event.preventDefault()
    const chart = plot.current
    chart?.setCursor({ left: chart.valToPos(times[index] ?? 0, 'x'), top: 1 })
    setAt(index)
  }
  return (
    <figure className="chart">
      {/* Arrow keys walk along the bars; the readout below speaks. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex, jsx-a11y/no-noninteractive-element-interactions */}
      <div ref={frame} className="chart-frame" role="group" tabIndex={0} aria-label={`${label}. Arrow keys show the value of each period.`} onKeyDown={move} />
      <Readout at={at} times={times} series={series} format={format} />
    </figure>
  )
}

function Readout({ at, times, series, format }: Pick<ChartProps, 'times' | 'series' | 'format'> & { at: number | undefined }) {
  const time = at === undefined ? undefined : times[at]
  return (
    <figcaption className="readout">
      <Legend at={at} series={series} format={format} />
      <p role="status" className="readout-time">{time === undefined ? 'Point at a bar, or use the arrow keys, for its values.' : `${timeText(time)}: ${totalText(series, at ?? 0, format)}`}</p>
    </figcaption>
  )
}

/** The series' names and colours, and what they say at one time. */
export function Legend({ at, series, format }: Pick<ChartProps, 'series' | 'format'> & { at: number | undefined }) {
  return (
    <ul className="legend">
      {series.map((s, i) => (
        <li key={s.key}>
          <span className={`swatch c${i % SERIES_COLOURS}`} aria-hidden="true" />
          {s.label}
          {at !== undefined && <span className="tabular"> {valueText(s.values[at], format)}</span>}
        </li>
      ))}
    </ul>
  )
}

export const timeText = (seconds: number): string => formatTime(new Date(seconds * 1000).toISOString(), 'minute')

export function valueText(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? 'no data' : format(value)
}

function totalText(series: readonly ChartSeries[], at: number, format: (value: number) => string): string {
  const values = series.map((s) => s.values[at]).filter((v) => v !== null && v !== undefined)
  return values.length === 0 ? 'no data' : format(values.reduce((a, b) => a + b, 0))
}

interface Drawing {
  series: readonly ChartSeries[]
  times: readonly number[]
  format: (value: number) => string
  height: number
  incompleteFrom?: number
  scale?: Scale
  onIndex: (index: number | undefined) => void
}

function optionsFor(element: HTMLElement, drawing: Drawing): uPlot.Options {
  const style = getComputedStyle(element)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  const axis: uPlot.Axis = { stroke: colour('--ink-2'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false }, font: '11px system-ui, sans-serif' }
  // The tallest stack is drawn first and the others over it, so each band keeps its own colour.
  const bands = drawing.series.map((s, i): uPlot.Series => ({
    label: s.label,
    fill: colour(`--c${i % SERIES_COLOURS}`),
    width: 0,
    paths: uPlot.paths.bars?.({ size: [0.7, 56], align: 1 }),
    points: { show: false },
  }))
  const step = (drawing.times[1] ?? 0) - (drawing.times[0] ?? 0)
  const last = (drawing.times.at(-1) ?? 0) + (step || 3600)
  return {
    width: element.clientWidth,
    height: drawing.height,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: { x: { range: [drawing.times[0] ?? 0, last] }, y: { range: (_u, _min, max) => [0, max > 0 ? max * 1.08 : 1] } },
    axes: [
      { ...axis, gap: 10, values: (_u, ticks) => ticks.map((t, i) => tickText(t, ticks[i - 1])) },
      { ...axis, size: 84, incrs: drawing.scale?.steps, values: (_u, ticks) => drawing.scale?.text?.(ticks) ?? ticks.map((t) => drawing.format(t)) },
    ],
    series: [{}, ...bands.reverse()],
    hooks: {
      setCursor: [(u) => drawing.onIndex(u.cursor.idx ?? undefined)],
      drawClear: [(u) => drawIncomplete(u, drawing.incompleteFrom, colour('--wash'))],
    },
  }
}

/** Changes when the colours do: the canvas must be drawn anew then. */
export function useThemeMark(): string {
  const read = () => `${document.documentElement.dataset.theme ?? ''}${matchMedia('(prefers-color-scheme: dark)').matches}`
  const [mark, setMark] = useState(read)
  useEffect(() => {
    const again = () => setMark(read())
    const media = matchMedia('(prefers-color-scheme: dark)')
    const watcher = new MutationObserver(again)
    media.addEventListener('change', again)
    watcher.observe(document.documentElement, { attributeFilter: ['data-theme'] })
    return () => {
      media.removeEventListener('change', again)
      watcher.disconnect()
    }
  }, [])
  return mark
}
