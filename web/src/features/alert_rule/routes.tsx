// Alerts: thresholds of the tenant's own, and which of them are exceeded.
import { useParams } from '@tanstack/react-router'
import type { AlertRule } from '../../api/types.ts'
import { kindNamed } from '../../app/kinds.ts'
import { useDialogInAddress } from '../../app/search.ts'
import { Button } from '../../ui/button.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { Crumb, Crumbs } from '../../ui/crumbs.tsx'
import { Facts } from '../../ui/facts.tsx'
import { words } from '../../ui/format.ts'
import { Labels } from '../../ui/labels.tsx'
import { Collection, PageHead } from '../../ui/list-page.tsx'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { ObjectPage } from '../../ui/object-page.tsx'
import { Age, Moment, Phase } from '../../ui/status.tsx'
import type { Column } from '../../ui/table.tsx'
import { reasonText, ruleText, valueText } from './alert.ts'
import { useAlertFields } from './forms.ts'
import { useAlertRule, useAlertRules } from './queries.ts'

const KIND = kindNamed('AlertRule')!

export function AlertsPage() {
  const create = useDialogInAddress('create')
  const list = useAlertRules()
  const fields = useAlertFields()
  const clusterName = useNames('/v1/clusters')
  const button = <Button tone="primary" icon="plus" onClick={create.show}>Create alert rule</Button>
  const columns: Column<AlertRule>[] = [
    { key: 'name', label: 'Name', cell: (r) => <ObjectLink id={r.id} name={r.spec.name} />, sort: (r) => r.spec.name },
    { key: 'state', label: 'State', cell: (r) => <Phase phase={r.status.state ?? r.status.phase} title={reasonText(r.status)} />, sort: (r) => r.status.state },
    { key: 'value', label: 'Value now', align: 'right', cell: (r) => valueText(r.spec.kind, r.status), sort: (r) => r.status.value },
    { key: 'rule', label: 'Fires at', cell: (r) => ruleText(r.spec) },
    { key: 'cluster', label: 'Cluster', cell: (r) => <ObjectLink id={r.spec.cluster} name={clusterName(r.spec.cluster)} />, sort: (r) => clusterName(r.spec.cluster) },
    { key: 'since', label: 'Since', cell: (r) => <Age at={r.status.since} />, sort: (r) => r.status.since },
  ]
  return (
    <>
      <PageHead title="Alerts" intro="Thresholds of your own. When one is exceeded, when it no longer is, and when nobody can tell, watchers of events hear of it." actions={button} />
      <Collection
        list={list} caption="Alert rules" noun={['alert rule', 'alert rules']} columns={columns}
        text={(r) => `${r.spec.name} ${clusterName(r.spec.cluster) ?? ''} ${r.spec.kind} ${r.spec.group ?? ''} ${r.spec.topic ?? ''} ${r.status.state ?? ''}`}
        empty={{ title: 'No alert rules yet', text: 'Watch how long clients wait for quotas, how full a cluster is, or how far a consumer group is behind.', action: button }}
      />
      <ChangeDialog
        open={create.open} title="Create an alert rule" act="Create alert rule" fields={fields}
        call={() => ({ method: 'post', path: '/v1/alert-rules' })} onClose={create.close} onDone={() => undefined}
      />
    </>
  )
}

export function AlertPage() {
  const { id } = useParams({ strict: false })
  const fields = useAlertFields()
  const clusterName = useNames('/v1/clusters')
  return (
    <ObjectPage
      kind={KIND} query={useAlertRule(id)} fields={fields}
      deletes="Nobody is told any more when the threshold is exceeded."
      crumbs={() => <Crumbs><Crumb to="/alerts">Alerts</Crumb></Crumbs>}
    >
      {({ spec, status, metadata }) => (
        <Facts items={[
          ['State', status.state ? <Phase key="s" phase={status.state} /> : 'not looked at yet'],
          ['Value now', valueText(spec.kind, status)],
          status.reason !== undefined && ['Why', reasonText(status)],
          ['Fires at', ruleText(spec)],
          ['Since', <Moment key="i" at={status.since} />],
          ['Looked at', <Age key="a" at={status.evaluated_at} />],
          ['Kind', words(spec.kind)],
          spec.group !== undefined && ['Consumer group', spec.group],
          spec.group !== undefined && ['Topic', spec.topic ?? 'all that it reads'],
          ['Cluster', <ObjectLink key="c" id={spec.cluster} name={clusterName(spec.cluster)} />],
          ['Labels', <Labels key="l" labels={metadata.labels} />],
        ]} />
      )}
    </ObjectPage>
  )
}
