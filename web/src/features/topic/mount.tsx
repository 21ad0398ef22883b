// A topic that shows what another tenant shares: said wherever it is met, and led to its share.
import type { Topic } from '../../api/types.ts'
import { Facts, Section } from '../../ui/facts.tsx'
import { formatBytes } from '../../ui/format.ts'
import { ObjectLink } from '../../ui/object-link.tsx'
import { PartMissing, Skeleton } from '../../ui/states.tsx'
import { Age, Moment } from '../../ui/status.tsx'
import { useReceivedShare } from '../share/queries.ts'
import { priceText, startText } from '../share/share.ts'
import { SharedLevels } from '../share/shared-levels.tsx'

export const SharedWithYou = () => <span className="tag busy">shared with you</span>

export function MountLine({ receivedShare }: { receivedShare: string }) {
  const share = useReceivedShare(receivedShare)
  return <p className="mount-line"><SharedWithYou /> by the share <ObjectLink id={receivedShare} name={share.data?.spec.name} />. It is read and nothing else; what it shows is the provider’s to say.</p>
}

export function MountFacts({ topic }: { topic: Topic }) {
  const query = useReceivedShare(topic.status.mount?.received_share)
  const share = query.data
  const alias = share?.status.mounts.find((m) => m.topic === topic.id)?.alias
  const shared = share?.spec.topics.find((t) => t.alias === alias)
  return (
    <>
      <Section title="Shared with you">
        {query.isPending && <Skeleton lines={4} label="Reading the share" />}
        {query.error && <PartMissing what="The share" error={query.error} again={() => void query.refetch()} />}
        {share && (
          <Facts items={[
            ['Share', <ObjectLink key="s" id={share.id} name={share.spec.name} />],
            ['From', share.status.provider_name],
            shared !== undefined && ['Its name there', <code key="a">{shared.alias}</code>],
            shared !== undefined && ['Shows', startText(shared.start)],
            shared !== undefined && ['Records', shared.changed ? 'changed, or some of them withheld' : 'as they were written'],
            ['Price', priceText(share.spec.price)],
            ['Ends', share.spec.expires_at ? <Moment key="e" at={share.spec.expires_at} /> : 'does not end by itself'],
            ['Last read', <Age key="l" at={share.status.last_read_at} />],
            ['Read in 30 days', formatBytes(share.status.read_bytes)],
          ]} />
        )}
      </Section>
      {share && <SharedLevels id={share.id} received alias={alias} />}
    </>
  )
}
