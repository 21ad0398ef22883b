// What a quota is asked for.
import { useAll } from '../../api/hooks.ts'
import { labelsField, type Field } from '../../ui/form/fields.ts'
import { LimitsEditor, SubjectEditor } from './editors.tsx'
import { parseLimits, parseSubject, printLimits } from './quota.ts'

export function useQuotaFields(): readonly Field[] {
  const clusters = useAll('/v1/clusters').data ?? []
  const accounts = (useAll('/v1/service-accounts').data ?? []).map((a) => ({ id: a.id, name: a.spec.name }))
  return [
    { name: 'cluster', label: 'Cluster', kind: 'select', required: true, fixed: true, options: clusters.map((c) => ({ value: c.id, label: c.spec.name })) },
    {
      name: 'subject', label: 'For whom', kind: 'custom', required: true, initial: '{"kind":"TENANT"}', parse: parseSubject, print: (value) => JSON.stringify(value),
      render: ({ id, text, onChange }) => <SubjectEditor id={id} text={text} onChange={onChange} accounts={accounts} />,
      hint: 'Every quota that matches applies, and the tightest wins. The kind cannot change later.',
    },
    {
      name: 'limits', label: 'Limits', kind: 'custom', required: true, parse: parseLimits, print: printLimits,
      render: ({ id, text, onChange }) => <LimitsEditor id={id} text={text} onChange={onChange} />,
      hint: 'Over all gateways together. Empty: no limit.',
    },
    {
      name: 'mode', label: 'What it does', kind: 'select', required: true, initial: 'SHADOW', hint: 'Begin with counting: you see whom it would slow down before it does.',
      options: [{ value: 'SHADOW', label: 'Shadow: only counts who would be throttled' }, { value: 'ENFORCE', label: 'Enforce: throttles' }],
    },
    { name: 'burst_seconds', label: 'Saved-up seconds', kind: 'whole', min: 0, max: 60, initial: '0', advanced: true, hint: 'For how long unused rate is saved up; 0 is a tenth of a second.' },
    labelsField(),
  ]
}
