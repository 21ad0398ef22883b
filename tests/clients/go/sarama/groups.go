package main

import (
	"context"
	"fmt"
	"os"

	"github.com/IBM/sarama"

	"weir/tests/clients/go/checks"
)

// member of a group.
type member struct {
	*checks.Member
	group sarama.ConsumerGroup
	stop  context.CancelFunc
	done  chan struct{}
}

func (s settings) join(group string) *member {
	joined, err := sarama.NewConsumerGroup(s.servers(), group, config("PLAIN", s.Owner))
	checks.Must(err)
	ctx, stop := context.WithCancel(context.Background())
	m := &member{Member: checks.NewMember(), group: joined, stop: stop, done: make(chan struct{})}
	go func() {
		defer close(m.done)
		for ctx.Err() == nil {
			if err := joined.Consume(ctx, []string{s.GroupTopic}, m); err != nil && ctx.Err() == nil {
				fmt.Fprintln(os.Stderr, "consume:", err)
			}
		}
	}()
	return m
}

// Setup is called with a new assignment.
func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.LoseAll()
	for _, claimed := range session.Claims() {
		m.Hold(claimed)
	}
	return nil
}

// Cleanup is called before the next assignment.
func (m *member) Cleanup(sarama.ConsumerGroupSession) error {
	m.LoseAll()
	return nil
}

// ConsumeClaim reads a partition while it is held.
func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case it, open := <-claim.Messages():
			if !open {
				return nil
			}
			m.Saw(it.Partition, it.Offset)
			session.MarkMessage(it, "")
		case <-session.Context().Done():
			return nil
		}
	}
}

func (m *member) leave() {
	m.stop()
	<-m.done
	checks.Must(m.group.Close())
}

func (s settings) rebalance() string {
	group := s.Name("moves")
	join := func() (*checks.Member, func()) {
		m := s.join(group)
		return m.Member, m.leave
	}
	return checks.Rebalance(join, func(partition int32, values []string) []int64 {
		return s.produce(config("PLAIN", s.Owner), s.GroupTopic, partition, values...)
	})
}
