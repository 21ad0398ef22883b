// A topic that a cluster link writes: said wherever it is met, and led to its link.
import type { Topic } from '../../api/types.ts'
import { Facts, Section } from '../../ui/facts.tsx'
import { formatBytes, formatCount } from '../../ui/format.ts'
import { ObjectLink } from '../../ui/object-link.tsx'
import { PartMissing, Skeleton } from '../../ui/states.tsx'
import { Age, Phase } from '../../ui/status.tsx'
import { lagText } from '../cluster_link/link.ts'
import { useClusterLink } from '../cluster_link/queries.ts'

export const Copied = () => <span className="tag busy">copied here</span>

export function MirrorLine({ link }: { link: string }) {
  const found = useClusterLink(link)
  return <p className="mount-line"><Copied /> by the cluster link <ObjectLink id={link} name={found.data?.spec.name} />, and written by nobody else. Taken out of the link, it stays as an ordinary topic.</p>
}

export function MirrorFacts({ topic }: { topic: Topic }) {
  const query = useClusterLink(topic.status.mirror?.cluster_link)
  const copy = query.data?.status.topics.find((t) => t.mirror === topic.id)
  return (
    <Section title="Copied here">
      {query.isPending && <Skeleton lines={3} label="Reading the cluster link" />}
      {query.error && <PartMissing what="The cluster link" error={query.error} again={() => void query.refetch()} />}
      {copy && (
        <Facts items={[
          ['Phase', <Phase key="p" phase={copy.phase} title={copy.message} />],
          !!copy.message && ['Why', copy.message],
          ['Of', <ObjectLink key="o" id={copy.topic} name={copy.source_name} />],
          ['Left to copy', lagText(copy.lag_records)],
          ['Copied', `${formatCount(copy.records)} records, ${formatBytes(copy.bytes)}`],
          ['Was level', <Age key="a" at={copy.caught_up_at} />],
        ]} />
      )}
    </Section>
  )
}
