package main

import (
	"errors"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"weir/tests/clients/go/checks"
)

func (s settings) transaction() string {
	client := s.client(s.Owner, kgo.TransactionalID(s.Name("tx")))
	defer client.Close()
	ctx, cancel := within()
	defer cancel()
	send := func(what string, count int, end kgo.TransactionEndTry) int64 {
		checks.Must(client.BeginTransaction())
		offset := produce(client, s.Topic, 1, texts(what, count)...)[0]
		checks.Must(client.EndTransaction(ctx, end))
		return offset
	}
	kept := send("kept", 20, kgo.TryCommit)
	send("dropped", 20, kgo.TryAbort)
	last := send("last", 1, kgo.TryCommit)
	found := s.readFrom(s.Owner, 1, kept, 21, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	checks.Expect(found[20].Offset == last, "read_committed: the record at %d follows the kept ones", found[20].Offset)
	found = s.readFrom(s.Owner, 1, kept, 41)
	checks.Expect(found[40].Offset == last, "read_uncommitted: %d", found[40].Offset)
	return ""
}

// An old producer of the same name cannot commit.
func (s settings) fencing() string {
	name := s.Name("fenced")
	old, fresh := s.client(s.Owner, kgo.TransactionalID(name)), s.client(s.Owner, kgo.TransactionalID(name))
	defer old.Close()
	defer fresh.Close()
	ctx, cancel := within()
	defer cancel()
	checks.Must(old.BeginTransaction())
	produce(old, s.Topic, 0, kgo.StringRecord("of the old"))
	checks.Must(fresh.BeginTransaction())
	produce(fresh, s.Topic, 0, kgo.StringRecord("of the new"))
	err := old.EndTransaction(ctx, kgo.TryCommit)
	fenced := errors.Is(err, kerr.ProducerFenced) || errors.Is(err, kerr.InvalidProducerEpoch)
	checks.Expect(fenced, "the old producer's commit: %v", err)
	checks.Must(fresh.EndTransaction(ctx, kgo.TryCommit))
	return ""
}

// What was read is committed with what was written of it, or neither is.
func (s settings) consumeTransformProduce() string {
	plain := s.client(s.Owner)
	defer plain.Close()
	produce(plain, s.GroupTopic, 0, texts("in", 10)...)
	group := s.Name("ctp")
	session, err := kgo.NewGroupTransactSession(s.options("PLAIN", s.Owner,
		kgo.TransactionalID(s.Name("ctp")), kgo.ConsumerGroup(group), kgo.ConsumeTopics(s.GroupTopic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.RequireStableFetchOffsets(),
	)...)
	checks.Must(err)
	defer session.Close()
	committed := func() int64 {
		ctx, cancel := within()
		defer cancel()
		offsets, err := kadm.NewClient(plain).FetchOffsets(ctx, group)
		checks.Must(err)
		at, _ := offsets.Lookup(s.GroupTopic, 0)
		return at.At
	}
	for _, try := range []kgo.TransactionEndTry{kgo.TryAbort, kgo.TryCommit} {
		ctx, cancel := within()
		checks.Must(session.Begin())
		var read []*kgo.Record
		// Earlier checks wrote to other partitions, and those may come last.
		for !slices.ContainsFunc(read, func(it *kgo.Record) bool { return it.Partition == 0 }) {
			fetches := session.PollFetches(ctx)
			checks.Must(fetches.Err())
			read = append(read, fetches.Records()...)
		}
		for _, it := range read {
			out := &kgo.Record{Topic: s.Topic, Partition: 3, Value: it.Value}
			checks.Must(session.ProduceSync(ctx, out).FirstErr())
		}
		done, err := session.End(ctx, try)
		checks.Must(err)
		checks.Expect(done == (try == kgo.TryCommit), "the transaction ended as %v", done)
		if done {
			// Brokers mark offsets after the answer.
			checks.Until("a committed offset", func() bool { return committed() > 0 })
		} else {
			at := committed()
			checks.Expect(at <= 0, "offset %d of an aborted transaction", at)
		}
		cancel()
	}
	return ""
}
