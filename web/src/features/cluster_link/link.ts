// What a link's form holds, and how a link is told. Pure; reading what was typed never fails, only parsing does.
import type { ClusterLink, LinkedTopic } from '../../api/types.ts'
import { formatCount } from '../../ui/format.ts'
import type { Fault, Parsed } from '../../ui/form/parse.ts'

export interface TopicDraft {
  topic: string
  name: string
}

export function readTopics(text: string): TopicDraft[] {
  return text === '' ? [] : (JSON.parse(text) as TopicDraft[])
}

/** A link may copy nothing, so an empty list is a text, too. */
export const topicsText = (topics: readonly TopicDraft[]): string => JSON.stringify(topics)

export function printTopics(value: unknown): string {
  return topicsText((value as LinkedTopic[]).map(({ topic, name }) => ({ topic, name: name ?? '' })))
}

export function parseTopics(text: string): Parsed<LinkedTopic[]> {
  const topics = readTopics(text)
  const faults: Fault[] = topics.flatMap(({ name }, at) => (name === '' || /^[a-zA-Z0-9._-]{1,200}$/.test(name.trim()) ? [] : [{ at: `${at}/name`, detail: 'Letters, digits, dots, dashes and underscores' }]))
  if (faults.length > 0) return { ok: false, error: 'See above', faults }
  return { ok: true, value: topics.map(({ topic, name }) => (name.trim() === '' ? { topic } : { topic, name: name.trim() })) }
}

/** How far a copy is behind. */
export function lagText(lag: number | null | undefined): string {
  if (lag === null || lag === undefined) return 'not known yet'
  return lag === 0 ? 'nothing' : `${formatCount(lag)} ${lag === 1 ? 'record' : 'records'}`
}

export const isPaused = (link: Pick<ClusterLink, 'spec'>): boolean => link.spec.desired_state === 'PAUSED'
