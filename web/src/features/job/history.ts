// Decisions about a job's workers as lines over time.
import type { JobScalingDecision } from '../../api/types.ts'
import type { Panel } from '../../ui/lines.tsx'
import { formatCount } from '../../ui/format.ts'
import { rateText } from './job.ts'

export interface History {
  /** In seconds, rising. */
  times: number[]
  panels: Panel[]
  /** Places at which the workers became others. */
  marks: number[]
}

/** From decisions, the newest first. */
export function historyOf(decisions: readonly JobScalingDecision[]): History {
  const rising = [...decisions].reverse()
  const values = (of: (d: JobScalingDecision) => number | null | undefined) => rising.map((d) => of(d) ?? null)
  return {
    times: rising.map((d) => Date.parse(d.at) / 1000),
    panels: [
      { label: 'Workers', format: formatCount, series: [{ key: 'given', label: 'Workers', values: values((d) => d.workers_given) }, { key: 'wanted', label: 'Asked for', values: values((d) => d.workers_wanted) }] },
      { label: 'Records a second', format: (value) => rateText(value), series: [{ key: 'arriving', label: 'Arriving', values: values((d) => d.terms?.arrival_rate) }, { key: 'able', label: 'Could do', values: values((d) => d.terms?.true_rate) }] },
      { label: 'Records that wait', format: formatCount, series: [{ key: 'lag', label: 'Waiting', values: values((d) => d.lag) }] },
    ],
    marks: rising.flatMap((d, i) => (d.outcome === 'HOLD' ? [] : [i])),
  }
}
