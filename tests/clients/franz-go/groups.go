package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// member of a group that commits what it read; remembers it by partition:offset.
type member struct {
	client *kgo.Client
	done   chan struct{}

	sync.Mutex
	assigned map[int32]bool
	seen     map[string]bool
}

func (s *settings) join(group string, more ...kgo.Opt) *member {
	m := &member{done: make(chan struct{}), assigned: map[int32]bool{}, seen: map[string]bool{}}
	change := func(held bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, places map[string][]int32) {
			m.Lock()
			defer m.Unlock()
			for _, partition := range places[s.GroupTopic] {
				if held {
					m.assigned[partition] = true
				} else {
					delete(m.assigned, partition)
				}
			}
		}
	}
	m.client = s.client(s.Owner, append([]kgo.Opt{
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(s.GroupTopic), kgo.HeartbeatInterval(200 * time.Millisecond),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.AutoCommitInterval(100 * time.Millisecond),
		kgo.OnPartitionsAssigned(change(true)), kgo.OnPartitionsRevoked(change(false)),
		kgo.OnPartitionsLost(change(false)),
	}, more...)...)
	go m.read()
	return m
}

func (m *member) read() {
	defer close(m.done)
	for {
		fetches := m.client.PollFetches(context.Background())
		if fetches.IsClientClosed() {
			return
		}
		m.Lock()
		fetches.EachRecord(func(it *kgo.Record) { m.seen[fmt.Sprintf("%d:%d", it.Partition, it.Offset)] = true })
		m.Unlock()
	}
}

func (m *member) leave() {
	must(m.client.CommitUncommittedOffsets(context.Background()))
	m.client.Close()
	<-m.done
}

func (m *member) has(place string) bool {
	m.Lock()
	defer m.Unlock()
	return m.seen[place]
}

func (m *member) count() int {
	m.Lock()
	defer m.Unlock()
	return len(m.seen)
}

func settled(members ...*member) bool {
	held := map[int32]bool{}
	all := 0
	for _, m := range members {
		m.Lock()
		for partition := range m.assigned {
			held[partition] = true
		}
		some := len(m.assigned)
		m.Unlock()
		if some == 0 {
			return false
		}
		all += some
	}
	return all == 4 && len(held) == 4
}

func (s *settings) rebalance(more ...kgo.Opt) string {
	group, sent := s.name("moves"), []string{}
	client := s.client(s.Owner)
	defer client.Close()
	send := func() {
		for partition := range int32(4) {
			for _, offset := range produce(client, s.GroupTopic, partition, texts("moving", 50)...) {
				sent = append(sent, fmt.Sprintf("%d:%d", partition, offset))
			}
		}
	}
	send()
	first := s.join(group, more...)
	until("one member with every partition", func() bool { return settled(first) })
	second := s.join(group, more...)
	until("two members that share", func() bool { return settled(first, second) })
	send()
	until("a record at the second member", func() bool { return second.count() > 0 })
	second.leave()
	until("one member again", func() bool { return settled(first) })
	send()
	until("every record read", func() bool {
		for _, it := range sent {
			if !first.has(it) && !second.has(it) {
				return false
			}
		}
		return true
	})
	first.leave()
	return fmt.Sprintf("%d records, %d by the second member", len(sent), second.count())
}

func (s *settings) describe() string {
	group := s.name("described")
	m := s.join(group)
	defer m.leave()
	until("an assignment", func() bool { return settled(m) })
	client := s.client(s.Owner)
	defer client.Close()
	ctx, cancel := within()
	defer cancel()
	admin := kadm.NewClient(client)
	described, err := admin.DescribeGroups(ctx, group)
	must(err)
	found := described[group]
	must(found.Err)
	expect(len(found.Members) == 1, "members %v", found.Members)
	places := found.AssignedPartitions()
	expect(len(places[s.GroupTopic]) == 4, "assignment %v", places)
	logical(found)
	listed, err := admin.ListGroups(ctx)
	must(err)
	_, there := listed[group]
	expect(there, "the group is not listed")
	logical(listed)
	return ""
}
