// Free labels as small tags.

export function Labels({ labels }: { labels: Record<string, string> | undefined }) {
  const entries = Object.entries(labels ?? {})
  if (entries.length === 0) return <span className="muted">none</span>
  return <span className="labels">{entries.map(([k, v]) => <span key={k} className="tag off">{k}={v}</span>)}</span>
}
