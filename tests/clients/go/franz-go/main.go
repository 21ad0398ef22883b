// Command checks runs franz-go through the gateway: `checks SETTINGS [gaps]` prints one JSON line per check.
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

	"weir/tests/clients/go/checks"
)

func within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), checks.Patience)
}

// produce sends and waits for every acknowledgement; gives the offsets.
func produce(client *kgo.Client, topic string, partition int32, records ...*kgo.Record) []int64 {
	ctx, cancel := within()
	defer cancel()
	for _, record := range records {
		record.Topic, record.Partition = topic, partition
	}
	checks.Must(client.ProduceSync(ctx, records...).FirstErr())
	offsets := make([]int64, len(records))
	for n, record := range records {
		offsets[n] = record.Offset
	}
	return offsets
}

func texts(what string, count int) []*kgo.Record { return records(checks.Texts(what, count)) }

func records(values []string) []*kgo.Record {
	records := make([]*kgo.Record, len(values))
	for n, it := range values {
		records[n] = kgo.StringRecord(it)
	}
	return records
}

// readFrom reads records of a partition without a group's help.
func (s settings) readFrom(u checks.User, partition int32, offset int64, count int, more ...kgo.Opt) []*kgo.Record {
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
		checks.Must(fetches.Err())
		found = append(found, fetches.Records()...)
	}
	return found[:count]
}

func (s settings) login(mechanismName string) string {
	client := s.clientBy(mechanismName, s.Owner)
	defer client.Close()
	ctx, cancel := within()
	defer cancel()
	topics, err := kadm.NewClient(client).ListTopics(ctx)
	checks.Must(err)
	checks.Expect(topics.Has(s.Topic), "own topic is not listed: %v", topics.Names())
	checks.Expect(!topics.Has(s.ForeignTopic), "another tenant's topic is listed")
	checks.Logical(topics)
	return ""
}

func (s settings) wrongPassword() string {
	for _, mechanismName := range []string{"PLAIN", "SCRAM-SHA-256"} {
		client := s.clientBy(mechanismName, checks.User{Username: s.Owner.Username, Password: "wrong"})
		ctx, cancel := within()
		_, err := kadm.NewClient(client).ListTopics(ctx)
		checks.Refused(err, kerr.SaslAuthenticationFailed)
		cancel()
		client.Close()
	}
	return ""
}

func (s settings) headers() string {
	sent := []kgo.RecordHeader{{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte("2")}, {Key: "null"}}
	client := s.client(s.Owner)
	defer client.Close()
	offset := produce(client, s.Topic, 0, &kgo.Record{Key: []byte{0, 255}, Value: []byte("v"), Headers: sent})[0]
	found := s.readFrom(s.Owner, 0, offset, 1)[0]
	checks.Expect(fmt.Sprint(found.Headers) == fmt.Sprint(sent), "headers %v", found.Headers)
	return ""
}

func (s settings) codec(codec kgo.CompressionCodec) string {
	client := s.client(s.Owner, kgo.ProducerBatchCompression(codec))
	defer client.Close()
	records := texts("compressed", 200)
	offset := produce(client, s.Topic, 0, records...)[0]
	for n, it := range s.readFrom(s.Owner, 0, offset, 200) {
		checks.Expect(string(it.Value) == string(records[n].Value), "value %d is %s", n, it.Value)
	}
	return ""
}

// Idempotent unless told otherwise.
func (s settings) idempotence() string {
	client := s.client(s.Owner)
	defer client.Close()
	offsets := produce(client, s.Topic, 3, texts("once", 1000)...)
	for n, it := range offsets {
		checks.Expect(it == offsets[0]+int64(n), "offsets have a gap: %d after %d", it, n)
	}
	return ""
}

func (s settings) offsets() string {
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
	checks.Must(err)
	found, _ := listed.Lookup(s.Topic, 2)
	checks.Expect(found.Offset == at[3], "by time: %d, expected %d", found.Offset, at[3])
	group := s.Name("commits")
	var offsets kadm.Offsets
	offsets.AddOffset(s.Topic, 3, 4, -1)
	checks.Must(admin.CommitAllOffsets(ctx, group, offsets))
	fetched, err := admin.FetchOffsets(ctx, group)
	checks.Must(err)
	back, _ := fetched.Lookup(s.Topic, 3)
	checks.Expect(back.At == 4, "committed offset %d", back.At)
	checks.Expect(len(fetched.Offsets()[s.Topic]) == 1, "offsets %v", fetched)
	return ""
}

func (s settings) foreign() string {
	client := s.client(s.Owner)
	defer client.Close()
	ctx, cancel := within()
	defer cancel()
	topics, err := kadm.NewClient(client).ListTopics(ctx, s.ForeignTopic)
	checks.Must(err)
	checks.Refused(topics[s.ForeignTopic].Err, kerr.UnknownTopicOrPartition)
	return ""
}

func (s settings) sameNames() string {
	group := s.Name("twin")
	mine, other := s.client(s.Owner), s.client(s.Other)
	defer mine.Close()
	defer other.Close()
	ctx, cancel := within()
	defer cancel()
	var offsets kadm.Offsets
	offsets.AddOffset(s.Topic, 0, 3, -1)
	checks.Must(kadm.NewClient(mine).CommitAllOffsets(ctx, group, offsets))
	theirs, err := kadm.NewClient(other).FetchOffsets(ctx, group)
	checks.Must(err)
	checks.Expect(len(theirs) == 0, "the other tenant's group of the same name: %v", theirs)
	topics, err := kadm.NewClient(other).ListTopics(ctx, s.Topic)
	checks.Must(err)
	checks.Expect(len(topics[s.Topic].Partitions) == 2, "partitions of the other tenant's topic")
	return ""
}

// An administrator makes a topic, changes it, makes it grow, and deletes it.
func (s settings) administer() string {
	client := s.client(s.Administrator)
	defer client.Close()
	ctx, cancel := within()
	defer cancel()
	admin, name, made, changed := kadm.NewClient(client), "made-"+s.Run+"-franz", "7200000", "3600000"
	retention := func(expected string) {
		found, err := admin.DescribeTopicConfigs(ctx, name)
		checks.Must(err)
		config, err := found.On(name, nil)
		checks.Must(err)
		for _, it := range config.Configs {
			if it.Key == "retention.ms" {
				checks.Expect(it.MaybeValue() == expected, "retention %s", it.MaybeValue())
				return
			}
		}
		panic("no retention")
	}
	_, err := admin.CreateTopic(ctx, 2, -1, map[string]*string{"retention.ms": &made}, name)
	checks.Must(err)
	retention(made)
	grown, err := admin.UpdatePartitions(ctx, 3, name)
	checks.Must(err)
	checks.Must(grown.Error())
	topics, err := admin.ListTopics(ctx, name)
	checks.Must(err)
	checks.Expect(len(topics[name].Partitions) == 3, "partitions %v", topics)
	told, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: &changed}}, name)
	checks.Must(err)
	for _, it := range told {
		checks.Must(it.Err)
	}
	retention(changed)
	_, err = admin.DeleteTopic(ctx, name)
	checks.Must(err)
	topics, err = admin.ListTopics(ctx)
	checks.Must(err)
	checks.Expect(!topics.Has(name), "it is deleted, and listed")
	return ""
}

func (s settings) reader() string {
	owner, reader := s.client(s.Owner), s.client(s.Reader, kgo.DisableIdempotentWrite())
	defer owner.Close()
	defer reader.Close()
	offset := produce(owner, s.Topic, 0, kgo.StringRecord("for readers"))[0]
	ctx, cancel := within()
	defer cancel()
	err := reader.ProduceSync(ctx, &kgo.Record{Topic: s.Topic, Value: []byte("no")}).FirstErr()
	checks.Refused(err, kerr.TopicAuthorizationFailed)
	found := s.readFrom(s.Reader, 0, offset, 1)[0]
	checks.Expect(string(found.Value) == "for readers", "read by a reader: %s", found.Value)
	_, err = kadm.NewClient(reader).CreateTopic(ctx, 1, -1, nil, s.Topic+"-more")
	checks.Refused(err, kerr.TopicAuthorizationFailed)
	transactional := s.client(s.Reader, kgo.TransactionalID(s.Name("no")))
	defer transactional.Close()
	// Its id is asked for here.
	checks.Refused(transactional.BeginTransaction(), kerr.TransactionalIDAuthorizationFailed)
	return ""
}

// stranger may read one topic, and is no member of any group.
func (s settings) stranger() string {
	owner := s.client(s.Owner)
	defer owner.Close()
	offset := produce(owner, s.Topic, 0, kgo.StringRecord("for strangers"))[0]
	found := s.readFrom(s.Stranger, 0, offset, 1)[0]
	checks.Expect(string(found.Value) == "for strangers", "read by a stranger: %s", found.Value)
	refused := func(expected error, more ...kgo.Opt) {
		client := s.client(s.Stranger, more...)
		defer client.Close()
		ctx, cancel := within()
		defer cancel()
		checks.Refused(client.PollFetches(ctx).Err0(), expected)
	}
	begin := kgo.NewOffset().AtStart()
	hidden := map[string]map[int32]kgo.Offset{s.GroupTopic: {0: begin}}
	refused(kerr.TopicAuthorizationFailed, kgo.ConsumePartitions(hidden))
	refused(kerr.GroupAuthorizationFailed, kgo.ConsumerGroup(s.Name("no")), kgo.ConsumeTopics(s.Topic))
	refused(kerr.GroupAuthorizationFailed, kgo.ConsumerGroup(s.Name("no")), kgo.ConsumeTopics(s.Topic), kgo.ServerSideBalancer())
	return ""
}

func main() {
	s := settings{checks.ReadSettings(os.Args[1])}
	if len(os.Args) > 2 && os.Args[2] == "gaps" {
		checks.Run("gaps read_uncommitted", func() string { return s.gaps(kgo.ReadUncommitted()) })
		checks.Run("gaps read_committed", func() string { return s.gaps(kgo.ReadCommitted()) })
		return
	}
	var waiting sync.WaitGroup
	waiting.Go(func() { checks.Run("rebalance", func() string { return s.rebalance() }) })
	waiting.Go(func() {
		checks.Run("rebalance KIP-848", func() string { return s.rebalance(kgo.ServerSideBalancer()) })
	})
	for _, it := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		checks.Run("login "+it, func() string { return s.login(it) })
	}
	checks.Run("wrong password", s.wrongPassword)
	checks.Run("headers", s.headers)
	checks.Run("codec gzip", func() string { return s.codec(kgo.GzipCompression()) })
	checks.Run("codec snappy", func() string { return s.codec(kgo.SnappyCompression()) })
	checks.Run("codec lz4", func() string { return s.codec(kgo.Lz4Compression()) })
	checks.Run("codec zstd", func() string { return s.codec(kgo.ZstdCompression()) })
	checks.Run("idempotence", s.idempotence)
	checks.Run("offsets", s.offsets)
	checks.Run("describe group", s.describe)
	checks.Run("patterns", s.patterns)
	checks.Run("transaction", s.transaction)
	checks.Run("consume transform produce", s.consumeTransformProduce)
	checks.Run("fencing", s.fencing)
	checks.Run("foreign topic", s.foreign)
	checks.Run("same names", s.sameNames)
	checks.Run("administration", s.administer)
	checks.Run("reader", s.reader)
	checks.Run("stranger", s.stranger)
	waiting.Wait()
}
