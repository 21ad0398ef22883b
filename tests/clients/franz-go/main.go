// Command checks runs franz-go through the gateway: `checks SETTINGS` prints one JSON line per check.
package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}

// produce sends and waits for every acknowledgement; gives the offsets.
func produce(client *kgo.Client, topic string, partition int32, records ...*kgo.Record) []int64 {
	ctx, cancel := within()
	defer cancel()
	for _, record := range records {
		record.Topic, record.Partition = topic, partition
	}
	must(client.ProduceSync(ctx, records...).FirstErr())
	offsets := make([]int64, len(records))
	for n, record := range records {
		offsets[n] = record.Offset
	}
	return offsets
}

func texts(what string, count int) []*kgo.Record {
	records := make([]*kgo.Record, count)
	for n := range records {
		records[n] = kgo.StringRecord(fmt.Sprintf("%s %d", what, n))
	}
	return records
}

// readFrom reads records of a partition without a group's help.
func (s *settings) readFrom(u user, partition int32, offset int64, count int, more ...kgo.Opt) []*kgo.Record {
	places := map[string]map[int32]kgo.Offset{s.Topic: {partition: kgo.NewOffset().At(offset)}}
	client := s.client(u, append(more, kgo.ConsumePartitions(places))...)
	defer client.Close()
	return take(client, count)
}

func take(client *kgo.Client, count int) []*kgo.Record {
	ctx, cancel := within()
	defer cancel()
	var found []*kgo.Record
	for len(found) < count {
		fetches := client.PollFetches(ctx)
		must(fetches.Err())
		found = append(found, fetches.Records()...)
	}
	return found[:count]
}

func (s *settings) login(mechanismName string) string {
	client := s.clientBy(mechanismName, s.Owner)
	defer client.Close()
	ctx, cancel := within()
	defer cancel()
	topics, err := kadm.NewClient(client).ListTopics(ctx)
	must(err)
	expect(topics.Has(s.Topic), "own topic is not listed: %v", topics.Names())
	expect(!topics.Has(s.ForeignTopic), "another tenant's topic is listed")
	logical(topics)
	return ""
}

func (s *settings) wrongPassword() string {
	for _, mechanismName := range []string{"PLAIN", "SCRAM-SHA-256"} {
		client := s.clientBy(mechanismName, user{s.Owner.Username, "wrong"})
		ctx, cancel := within()
		_, err := kadm.NewClient(client).ListTopics(ctx)
		refused(err, kerr.SaslAuthenticationFailed)
		cancel()
		client.Close()
	}
	return ""
}

func (s *settings) headers() string {
	sent := []kgo.RecordHeader{{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte("2")}, {Key: "null"}}
	client := s.client(s.Owner)
	defer client.Close()
	offset := produce(client, s.Topic, 0, &kgo.Record{Key: []byte{0, 255}, Value: []byte("v"), Headers: sent})[0]
	found := s.readFrom(s.Owner, 0, offset, 1)[0]
	expect(fmt.Sprint(found.Headers) == fmt.Sprint(sent), "headers %v", found.Headers)
	return ""
}

func (s *settings) codec(codec kgo.CompressionCodec) string {
	client := s.client(s.Owner, kgo.ProducerBatchCompression(codec))
	defer client.Close()
	records := texts("compressed", 200)
	offset := produce(client, s.Topic, 0, records...)[0]
	for n, it := range s.readFrom(s.Owner, 0, offset, 200) {
		expect(string(it.Value) == string(records[n].Value), "value %d is %s", n, it.Value)
	}
	return ""
}

func (s *settings) transaction() string {
	client := s.client(s.Owner, kgo.TransactionalID(s.name("tx")))
	defer client.Close()
	ctx, cancel := within()
	defer cancel()
	send := func(what string, count int, end kgo.TransactionEndTry) int64 {
		must(client.BeginTransaction())
		offset := produce(client, s.Topic, 1, texts(what, count)...)[0]
		must(client.EndTransaction(ctx, end))
		return offset
	}
	kept := send("kept", 20, kgo.TryCommit)
	send("dropped", 20, kgo.TryAbort)
	last := send("last", 1, kgo.TryCommit)
	found := s.readFrom(s.Owner, 1, kept, 21, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	expect(found[20].Offset == last, "read_committed: the record at %d follows the kept ones", found[20].Offset)
	found = s.readFrom(s.Owner, 1, kept, 41)
	expect(found[40].Offset == last, "read_uncommitted: %d", found[40].Offset)
	return ""
}

func (s *settings) offsets() string {
	client := s.client(s.Owner)
	defer client.Close()
	admin := kadm.NewClient(client)
	ctx, cancel := within()
	defer cancel()
	// Later than every other record, so that a topic in use serves too.
	base := time.Now().Add(10 * time.Minute)
	var at []int64
	for n := range 5 {
		record := &kgo.Record{Value: []byte("timed"), Timestamp: base.Add(time.Duration(n) * time.Second)}
		at = append(at, produce(client, s.Topic, 2, record)[0])
	}
	listed, err := admin.ListOffsetsAfterMilli(ctx, base.Add(2500*time.Millisecond).UnixMilli(), s.Topic)
	must(err)
	found, _ := listed.Lookup(s.Topic, 2)
	expect(found.Offset == at[3], "by time: %d, expected %d", found.Offset, at[3])
	group := s.name("commits")
	var offsets kadm.Offsets
	offsets.AddOffset(s.Topic, 3, 4, -1)
	must(admin.CommitAllOffsets(ctx, group, offsets))
	fetched, err := admin.FetchOffsets(ctx, group)
	must(err)
	back, _ := fetched.Lookup(s.Topic, 3)
	expect(back.At == 4, "committed offset %d", back.At)
	expect(len(fetched.Offsets()[s.Topic]) == 1, "offsets %v", fetched)
	return ""
}

func (s *settings) foreign() string {
	client := s.client(s.Owner)
	defer client.Close()
	ctx, cancel := within()
	defer cancel()
	topics, err := kadm.NewClient(client).ListTopics(ctx, s.ForeignTopic)
	must(err)
	refused(topics[s.ForeignTopic].Err, kerr.UnknownTopicOrPartition)
	return ""
}

func (s *settings) sameNames() string {
	group := s.name("twin")
	mine, other := s.client(s.Owner), s.client(s.Other)
	defer mine.Close()
	defer other.Close()
	ctx, cancel := within()
	defer cancel()
	var offsets kadm.Offsets
	offsets.AddOffset(s.Topic, 0, 3, -1)
	must(kadm.NewClient(mine).CommitAllOffsets(ctx, group, offsets))
	theirs, err := kadm.NewClient(other).FetchOffsets(ctx, group)
	must(err)
	expect(len(theirs) == 0, "the other tenant's group of the same name: %v", theirs)
	topics, err := kadm.NewClient(other).ListTopics(ctx, s.Topic)
	must(err)
	expect(len(topics[s.Topic].Partitions) == 2, "partitions of the other tenant's topic")
	return ""
}

func (s *settings) reader() string {
	owner, reader := s.client(s.Owner), s.client(s.Reader, kgo.DisableIdempotentWrite())
	defer owner.Close()
	defer reader.Close()
	offset := produce(owner, s.Topic, 0, kgo.StringRecord("for readers"))[0]
	ctx, cancel := within()
	defer cancel()
	err := reader.ProduceSync(ctx, &kgo.Record{Topic: s.Topic, Value: []byte("no")}).FirstErr()
	refused(err, kerr.TopicAuthorizationFailed)
	found := s.readFrom(s.Reader, 0, offset, 1)[0]
	expect(string(found.Value) == "for readers", "read by a reader: %s", found.Value)
	return ""
}

func main() {
	s, err := readSettings(os.Args[1])
	must(err)
	var waiting sync.WaitGroup
	waiting.Go(func() { run("rebalance", func() string { return s.rebalance() }) })
	waiting.Go(func() {
		run("rebalance KIP-848", func() string { return s.rebalance(kgo.ServerSideBalancer()) })
	})
	for _, it := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		run("login "+it, func() string { return s.login(it) })
	}
	run("wrong password", s.wrongPassword)
	run("headers", s.headers)
	run("codec gzip", func() string { return s.codec(kgo.GzipCompression()) })
	run("codec snappy", func() string { return s.codec(kgo.SnappyCompression()) })
	run("codec lz4", func() string { return s.codec(kgo.Lz4Compression()) })
	run("codec zstd", func() string { return s.codec(kgo.ZstdCompression()) })
	run("offsets", s.offsets)
	run("describe group", s.describe)
	run("transaction", s.transaction)
	run("foreign topic", s.foreign)
	run("same names", s.sameNames)
	run("reader", s.reader)
	waiting.Wait()
}
