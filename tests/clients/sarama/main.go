// Command checks runs sarama through the gateway: `checks SETTINGS` prints one JSON line per check.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

func (s *settings) servers() []string { return []string{s.Bootstrap} }

// produce sends and waits for every acknowledgement; gives the offsets.
func (s *settings) produce(c *sarama.Config, topic string, partition int32, values ...string) []int64 {
	producer, err := sarama.NewSyncProducer(s.servers(), c)
	must(err)
	defer producer.Close()
	return send(producer, topic, partition, values...)
}

func send(producer sarama.SyncProducer, topic string, partition int32, values ...string) []int64 {
	messages := make([]*sarama.ProducerMessage, len(values))
	for n, value := range values {
		messages[n] = &sarama.ProducerMessage{Topic: topic, Partition: partition, Value: sarama.StringEncoder(value)}
	}
	must(producer.SendMessages(messages))
	offsets := make([]int64, len(messages))
	for n, it := range messages {
		offsets[n] = it.Offset
	}
	return offsets
}

func texts(what string, count int) []string {
	values := make([]string, count)
	for n := range values {
		values[n] = fmt.Sprintf("%s %d", what, n)
	}
	return values
}

// readFrom reads records of a partition without a group's help.
func (s *settings) readFrom(c *sarama.Config, partition int32, offset int64, count int) []*sarama.ConsumerMessage {
	consumer, err := sarama.NewConsumer(s.servers(), c)
	must(err)
	defer consumer.Close()
	part, err := consumer.ConsumePartition(s.Topic, partition, offset)
	must(err)
	defer part.Close()
	var found []*sarama.ConsumerMessage
	for end := time.After(patience); len(found) < count; {
		select {
		case message := <-part.Messages():
			found = append(found, message)
		case <-end:
			panic(fmt.Sprintf("%d of %d records read", len(found), count))
		}
	}
	return found
}

func (s *settings) login(mechanism string) string {
	client, err := sarama.NewClient(s.servers(), config(mechanism, s.Owner))
	must(err)
	defer client.Close()
	topics, err := client.Topics()
	must(err)
	expect(slices.Contains(topics, s.Topic), "own topic is not listed: %v", topics)
	expect(!slices.Contains(topics, s.ForeignTopic), "another tenant's topic is listed")
	logical(topics)
	return ""
}

func (s *settings) wrongPassword() string {
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256"} {
		c := config(mechanism, user{s.Owner.Username, "wrong"})
		c.Metadata.Retry.Max = 0
		_, err := sarama.NewClient(s.servers(), c)
		refused(err, sarama.ErrSASLAuthenticationFailed)
	}
	return ""
}

func (s *settings) headers() string {
	producer, err := sarama.NewSyncProducer(s.servers(), config("PLAIN", s.Owner))
	must(err)
	defer producer.Close()
	sent := []sarama.RecordHeader{{Key: []byte("a"), Value: []byte("1")}, {Key: []byte("a"), Value: []byte("2")}, {Key: []byte("empty"), Value: []byte{}}}
	message := &sarama.ProducerMessage{Topic: s.Topic, Key: sarama.ByteEncoder{0, 255}, Value: sarama.StringEncoder("v"), Headers: sent}
	_, offset, err := producer.SendMessage(message)
	must(err)
	found := s.readFrom(config("PLAIN", s.Owner), 0, offset, 1)[0]
	expect(len(found.Headers) == len(sent), "headers %v", found.Headers)
	for n, it := range found.Headers {
		expect(string(it.Key) == string(sent[n].Key) && string(it.Value) == string(sent[n].Value), "header %d: %v", n, it)
	}
	return ""
}

func (s *settings) codec(codec sarama.CompressionCodec) string {
	c := config("PLAIN", s.Owner)
	c.Producer.Compression = codec
	values := texts("compressed", 200)
	offset := s.produce(c, s.Topic, 0, values...)[0]
	for n, it := range s.readFrom(c, 0, offset, 200) {
		expect(string(it.Value) == values[n], "value %d is %s", n, it.Value)
	}
	return ""
}

func (s *settings) idempotence() string {
	c := config("SCRAM-SHA-256", s.Owner)
	c.Producer.Idempotent, c.Net.MaxOpenRequests = true, 1
	offsets := s.produce(c, s.Topic, 3, texts("once", 1000)...)
	for n, it := range offsets {
		expect(it == offsets[0]+int64(n), "offsets have a gap: %d after %d", it, n)
	}
	return ""
}

func (s *settings) transaction() string {
	c := config("PLAIN", s.Owner)
	c.Producer.Idempotent, c.Net.MaxOpenRequests, c.Producer.Transaction.ID = true, 1, s.name("tx")
	producer, err := sarama.NewSyncProducer(s.servers(), c)
	must(err)
	defer producer.Close()
	within := func(what string, count int, end func() error) int64 {
		must(producer.BeginTxn())
		offset := send(producer, s.Topic, 1, texts(what, count)...)[0]
		must(end())
		return offset
	}
	kept := within("kept", 20, producer.CommitTxn)
	within("dropped", 20, producer.AbortTxn)
	last := within("last", 1, producer.CommitTxn)
	committed := config("PLAIN", s.Owner)
	committed.Consumer.IsolationLevel = sarama.ReadCommitted
	found := s.readFrom(committed, 1, kept, 21)
	expect(found[20].Offset == last, "read_committed: the record at %d follows the kept ones", found[20].Offset)
	found = s.readFrom(config("PLAIN", s.Owner), 1, kept, 41)
	expect(found[40].Offset == last, "read_uncommitted: %d", found[40].Offset)
	return ""
}

func (s *settings) foreign() string {
	admin, err := sarama.NewClusterAdmin(s.servers(), config("PLAIN", s.Owner))
	must(err)
	defer admin.Close()
	told, err := admin.DescribeTopics([]string{s.ForeignTopic})
	must(err)
	refused(told[0].Err, sarama.ErrUnknownTopicOrPartition)
	return ""
}

func (s *settings) sameNames() string {
	mine, err := sarama.NewClusterAdmin(s.servers(), config("PLAIN", s.Owner))
	must(err)
	defer mine.Close()
	other, err := sarama.NewClusterAdmin(s.servers(), config("PLAIN", s.Other))
	must(err)
	defer other.Close()
	group := s.name("twin")
	m := s.join(group)
	until("a member with every partition", func() bool { return settled(m) })
	s.produce(config("PLAIN", s.Owner), s.GroupTopic, 0, "of the twin")
	until("a committed offset", func() bool {
		offsets, err := mine.ListConsumerGroupOffsets(group, map[string][]int32{s.GroupTopic: {0}})
		must(err)
		block := offsets.GetBlock(s.GroupTopic, 0)
		return block != nil && block.Offset > 0
	})
	m.leave()
	theirs, err := other.ListConsumerGroupOffsets(group, nil)
	must(err)
	expect(len(theirs.Blocks) == 0, "the other tenant's group of the same name: %v", theirs.Blocks)
	groups, err := other.ListConsumerGroups()
	must(err)
	_, listed := groups[group]
	expect(!listed, "the other tenant lists the group")
	topics, err := other.DescribeTopics([]string{s.Topic})
	must(err)
	expect(len(topics[0].Partitions) == 2, "partitions of the other tenant's topic: %v", topics[0].Partitions)
	return ""
}

func (s *settings) reader() string {
	offset := s.produce(config("PLAIN", s.Owner), s.Topic, 0, "for readers")[0]
	c := config("PLAIN", s.Reader)
	producer, err := sarama.NewSyncProducer(s.servers(), c)
	must(err)
	defer producer.Close()
	_, _, err = producer.SendMessage(&sarama.ProducerMessage{Topic: s.Topic, Value: sarama.StringEncoder("no")})
	refused(err, sarama.ErrTopicAuthorizationFailed)
	admin, err := sarama.NewClusterAdmin(s.servers(), c)
	must(err)
	defer admin.Close()
	err = admin.CreateTopic(s.Topic+"-more", &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: -1}, false)
	refused(err, sarama.ErrTopicAuthorizationFailed)
	found := s.readFrom(c, 0, offset, 1)[0]
	expect(string(found.Value) == "for readers", "read by a reader: %s", found.Value)
	return ""
}

// member of a group; remembers what it read by partition:offset.
type member struct {
	group sarama.ConsumerGroup
	stop  context.CancelFunc
	done  chan struct{}

	sync.Mutex
	assigned map[int32]bool
	seen     map[string]bool
}

func (s *settings) join(group string) *member {
	joined, err := sarama.NewConsumerGroup(s.servers(), group, config("PLAIN", s.Owner))
	must(err)
	ctx, stop := context.WithCancel(context.Background())
	m := &member{group: joined, stop: stop, done: make(chan struct{}), assigned: map[int32]bool{}, seen: map[string]bool{}}
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

func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.Lock()
	defer m.Unlock()
	m.assigned = map[int32]bool{}
	for _, partitions := range session.Claims() {
		for _, it := range partitions {
			m.assigned[it] = true
		}
	}
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error {
	m.Lock()
	defer m.Unlock()
	m.assigned = map[int32]bool{}
	return nil
}

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case it, open := <-claim.Messages():
			if !open {
				return nil
			}
			m.Lock()
			m.seen[fmt.Sprintf("%d:%d", it.Partition, it.Offset)] = true
			m.Unlock()
			session.MarkMessage(it, "")
		case <-session.Context().Done():
			return nil
		}
	}
}

func (m *member) leave() {
	m.stop()
	<-m.done
	must(m.group.Close())
}

func (m *member) has(place string) bool {
	m.Lock()
	defer m.Unlock()
	return m.seen[place]
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

func (s *settings) rebalance() string {
	group, sent := s.name("moves"), []string{}
	send := func() {
		for partition := range int32(4) {
			for _, offset := range s.produce(config("PLAIN", s.Owner), s.GroupTopic, partition, texts("moving", 50)...) {
				sent = append(sent, fmt.Sprintf("%d:%d", partition, offset))
			}
		}
	}
	send()
	first := s.join(group)
	until("one member with every partition", func() bool { return settled(first) })
	second := s.join(group)
	until("two members that share", func() bool { return settled(first, second) })
	send()
	until("a record at the second member", func() bool {
		second.Lock()
		defer second.Unlock()
		return len(second.seen) > 0
	})
	second.leave()
	until("one member again", func() bool { return settled(first) })
	send()
	until("every record read", func() bool {
		return !slices.ContainsFunc(sent, func(place string) bool { return !first.has(place) && !second.has(place) })
	})
	first.leave()
	return fmt.Sprintf("%d records", len(sent))
}

func main() {
	s, err := readSettings(os.Args[1])
	must(err)
	var waiting sync.WaitGroup
	waiting.Go(func() { run("rebalance", s.rebalance) })
	for _, it := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		run("login "+it, func() string { return s.login(it) })
	}
	run("wrong password", s.wrongPassword)
	run("headers", s.headers)
	run("codec gzip", func() string { return s.codec(sarama.CompressionGZIP) })
	run("codec snappy", func() string { return s.codec(sarama.CompressionSnappy) })
	run("codec lz4", func() string { return s.codec(sarama.CompressionLZ4) })
	run("codec zstd", func() string { return s.codec(sarama.CompressionZSTD) })
	run("idempotence", s.idempotence)
	run("transaction", s.transaction)
	run("foreign topic", s.foreign)
	run("same names", s.sameNames)
	run("reader", s.reader)
	waiting.Wait()
}
