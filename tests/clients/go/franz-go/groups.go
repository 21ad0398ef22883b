package main

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"weir/tests/clients/go/checks"
)

// member of a group that commits what it read.
type member struct {
	*checks.Member
	client *kgo.Client
	done   chan struct{}
}

func (s settings) join(group string, more ...kgo.Opt) *member {
	m := &member{Member: checks.NewMember(), done: make(chan struct{})}
	change := func(do func([]int32)) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, places map[string][]int32) { do(places[s.GroupTopic]) }
	}
	m.client = s.client(s.Owner, append([]kgo.Opt{
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(s.GroupTopic), kgo.HeartbeatInterval(200 * time.Millisecond),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.AutoCommitInterval(100 * time.Millisecond),
		kgo.OnPartitionsAssigned(change(m.Hold)), kgo.OnPartitionsRevoked(change(m.Lose)),
		kgo.OnPartitionsLost(change(m.Lose)),
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
		fetches.EachRecord(func(it *kgo.Record) { m.Saw(it.Partition, it.Offset) })
	}
}

func (m *member) leave() {
	checks.Must(m.client.CommitUncommittedOffsets(context.Background()))
	m.client.Close()
	<-m.done
}

func (s settings) rebalance(more ...kgo.Opt) string {
	group, client := s.Name("moves"), s.client(s.Owner)
	defer client.Close()
	join := func() (*checks.Member, func()) {
		m := s.join(group, more...)
		return m.Member, m.leave
	}
	return checks.Rebalance(join, func(partition int32, values []string) []int64 {
		return produce(client, s.GroupTopic, partition, records(values)...)
	})
}

// Own topics only, whether the client resolves the pattern or, by KIP-848, the gateway.
func (s settings) patterns() string {
	pattern := "^(conformance|foreign)-" + s.Run + "$"
	for _, more := range [][]kgo.Opt{nil, {kgo.ServerSideBalancer()}} {
		var lock sync.Mutex
		found := map[string]bool{}
		assigned := func(_ context.Context, _ *kgo.Client, places map[string][]int32) {
			lock.Lock()
			defer lock.Unlock()
			for topic := range places {
				found[topic] = true
			}
		}
		client := s.client(s.Owner, append([]kgo.Opt{kgo.ConsumerGroup(s.Name("pattern")), kgo.ConsumeRegex(),
			kgo.ConsumeTopics(pattern), kgo.OnPartitionsAssigned(assigned)}, more...)...)
		checks.Until("an assignment", func() bool {
			lock.Lock()
			defer lock.Unlock()
			return len(found) > 0
		})
		client.Close()
		checks.Expect(len(found) == 1 && found[s.Topic], "topics that match: %v", found)
	}
	return ""
}

func (s settings) describe() string {
	group := s.Name("described")
	m := s.join(group)
	defer m.leave()
	checks.Until("an assignment", func() bool { return checks.Settled(m.Member) })
	client := s.client(s.Owner)
	defer client.Close()
	ctx, cancel := within()
	defer cancel()
	admin := kadm.NewClient(client)
	described, err := admin.DescribeGroups(ctx, group)
	checks.Must(err)
	found := described[group]
	checks.Must(found.Err)
	checks.Expect(len(found.Members) == 1, "members %v", found.Members)
	places := found.AssignedPartitions()
	checks.Expect(len(places[s.GroupTopic]) == 4, "assignment %v", places)
	checks.Logical(found)
	listed, err := admin.ListGroups(ctx)
	checks.Must(err)
	_, there := listed[group]
	checks.Expect(there, "the group is not listed")
	checks.Logical(listed)
	return ""
}
