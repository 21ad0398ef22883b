// Lines over one time axis, a panel for each unit, on uPlot: a value holds until the next one is known, gaps are gaps, marks are
// lines through all panels. The page that uses it puts the table with the same numbers below.
import { useEffect, useRef, useState, type KeyboardEvent } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { Legend, timeText, useThemeMark, valueText, type ChartSeries } from './chart.tsx'
import { stepTo } from './chart-parts.ts'
import { tickText } from './format.ts'

export interface Panel {
  label: string
  series: readonly ChartSeries[]
  format: (value: number) => string
}

interface LinesProps {
  label: string
  /** In seconds, rising. */
  times: readonly number[]
  panels: readonly Panel[]
  /** Places of `times` at which something happened. */
  marks: readonly number[]
}

const HEIGHT = 120

export function Lines({ label, times, panels, marks }: LinesProps) {
  const frame = useRef<HTMLDivElement>(null)
  const [at, setAt] = useState<number | undefined>(undefined)
  const theme = useThemeMark()

  useEffect(() => {
    const hosts = [...frame.current?.querySelectorAll<HTMLElement>('.panel-drawing') ?? []]
    const together = uPlot.sync('lines')
    const charts = panels.flatMap((panel, i) => {
      const host = hosts[i]
      if (!host) return []
      const options = optionsFor(host, { panel, times, marks, last: i === panels.length - 1, together: together.key, onIndex: setAt })
      const data = [[...times], ...panel.series.map((s) => [...s.values])] as uPlot.AlignedData
      return [{ host, plot: new uPlot(options, data, host) }]
    })
    const resize = new ResizeObserver(() => {
      for (const { host, plot } of charts) plot.setSize({ width: host.clientWidth, height: plot.height })
    })
    for (const { host } of charts) resize.observe(host)
    return () => {
      resize.disconnect()
      for (const { plot } of charts) plot.destroy()
    }
  }, [times, panels, marks, theme])

  const move = (event: KeyboardEvent) => {
    const index = stepTo(event.key, at, times.length)
    if (index === undefined) return
    event.preventDefault()
    setAt(index)
  }
  const time = at === undefined ? undefined : times[at]
  return (
    <figure className="chart">
      {/* Arrow keys walk along the times; the readout below speaks. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex, jsx-a11y/no-noninteractive-element-interactions */}
      <div ref={frame} className="chart-frame" role="group" tabIndex={0} aria-label={`${label}. Arrow keys show the values at each time.`} onKeyDown={move}>
        {panels.map((panel) => (
          <div key={panel.label} className="panel">
            <Legend at={at} series={panel.series} format={panel.format} />
            <div className="panel-drawing" />
          </div>
        ))}
      </div>
      <figcaption className="readout">
        <p role="status" className="readout-time">
          {time === undefined || at === undefined ? 'Point at a time, or use the arrow keys, for its values. Dashed lines: the workers became others.' : `${timeText(time)}: ${panels.flatMap((panel) => panel.series.map((s) => `${s.label} ${valueText(s.values[at], panel.format)}`)).join(', ')}`}
        </p>
      </figcaption>
    </figure>
  )
}

interface Drawing {
  panel: Panel
  times: readonly number[]
  marks: readonly number[]
  /** Times are written below the last one. */
  last: boolean
  together: string
  onIndex: (index: number | undefined) => void
}

function optionsFor(element: HTMLElement, { panel, times, marks, last, together, onIndex }: Drawing): uPlot.Options {
  const style = getComputedStyle(element)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  const axis: uPlot.Axis = { stroke: colour('--ink-2'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false }, font: '11px system-ui, sans-serif' }
  const stepped = uPlot.paths.stepped?.({ align: 1 })
  return {
    width: element.clientWidth,
    // The same room on both sides, so that the times of all panels stand below each other.
    padding: [8, 16, last ? 0 : 8, 0],
    height: last ? HEIGHT + 24 : HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, sync: { key: together } },
    scales: { x: { range: [times[0] ?? 0, (times.at(-1) ?? 0) + 1] }, y: { range: (_u, _min, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [
      { ...axis, gap: 10, show: last, values: (_u, ticks) => ticks.map((t, i) => tickText(t, ticks[i - 1])) },
      { ...axis, size: 84, values: (_u, ticks) => ticks.map((t) => panel.format(t)) },
    ],
    series: [{}, ...panel.series.map((s, i): uPlot.Series => ({ label: s.label, stroke: colour(`--c${i}`), width: 1.5, paths: stepped, points: { show: true, size: 4, fill: colour(`--c${i}`) } }))],
    hooks: {
      setCursor: [(u) => onIndex(u.cursor.idx ?? undefined)],
      drawClear: [(u) => drawMarks(u, marks.map((i) => times[i] ?? 0), colour('--ink-2'))],
    },
  }
}

function drawMarks(u: uPlot, marks: readonly number[], colour: string): void {
  const { top, height } = u.bbox
  u.ctx.save()
  u.ctx.strokeStyle = colour
  u.ctx.setLineDash([3, 3])
  for (const mark of marks) {
    const x = Math.round(u.valToPos(mark, 'x', true)) + 0.5
    u.ctx.beginPath()
    u.ctx.moveTo(x, top)
    u.ctx.lineTo(x, top + height)
    u.ctx.stroke()
  }
  u.ctx.restore()
}
