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

	"weir/tests/clients/go/checks"
)

func (s settings) servers() []string { return []string{s.Bootstrap} }

// produce sends and waits for every acknowledgement; gives the offsets.
func (s settings) produce(c *sarama.Config, topic string, partition int32, values ...string) []int64 {
	producer, err := sarama.NewSyncProducer(s.servers(), c)
	checks.Must(err)
	defer producer.Close()
	return send(producer, topic, partition, values...)
}

func send(producer sarama.SyncProducer, topic string, partition int32, values ...string) []int64 {
	messages := make([]*sarama.ProducerMessage, len(values))
	for n, value := range values {
		messages[n] = &sarama.ProducerMessage{Topic: topic, Partition: partition, Value: sarama.StringEncoder(value)}
	}
	checks.Must(producer.SendMessages(messages))
	offsets := make([]int64, len(messages))
	for n, it := range messages {
		offsets[n] = it.Offset
	}
	return offsets
}

// readFrom reads records of a partition without a group's help.
func (s settings) readFrom(c *sarama.Config, partition int32, offset int64, count int) []*sarama.ConsumerMessage {
	consumer, err := sarama.NewConsumer(s.servers(), c)
	checks.Must(err)
	defer consumer.Close()
	part, err := consumer.ConsumePartition(s.Topic, partition, offset)
	checks.Must(err)
	defer part.Close()
	var found []*sarama.ConsumerMessage
	for end := time.After(checks.Patience); len(found) < count; {
		select {
		case message := <-part.Messages():
			found = append(found, message)
		case <-end:
			panic(fmt.Sprintf("%d of %d records read", len(found), count))
		}
	}
	return found
}

func (s settings) login(mechanism string) string {
	client, err := sarama.NewClient(s.servers(), config(mechanism, s.Owner))
	checks.Must(err)
	defer client.Close()
	topics, err := client.Topics()
	checks.Must(err)
	checks.Expect(slices.Contains(topics, s.Topic), "own topic is not listed: %v", topics)
	checks.Expect(!slices.Contains(topics, s.ForeignTopic), "another tenant's topic is listed")
	checks.Logical(topics)
	return ""
}

func (s settings) wrongPassword() string {
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256"} {
		c := config(mechanism, checks.User{Username: s.Owner.Username, Password: "wrong"})
		c.Metadata.Retry.Max = 0
		_, err := sarama.NewClient(s.servers(), c)
		checks.Refused(err, sarama.ErrSASLAuthenticationFailed)
	}
	return ""
}

func (s settings) headers() string {
	producer, err := sarama.NewSyncProducer(s.servers(), config("PLAIN", s.Owner))
	checks.Must(err)
	defer producer.Close()
	sent := []sarama.RecordHeader{{Key: []byte("a"), Value: []byte("1")}, {Key: []byte("a"), Value: []byte("2")}, {Key: []byte("empty"), Value: []byte{}}}
	message := &sarama.ProducerMessage{Topic: s.Topic, Key: sarama.ByteEncoder{0, 255}, Value: sarama.StringEncoder("v"), Headers: sent}
	_, offset, err := producer.SendMessage(message)
	checks.Must(err)
	found := s.readFrom(config("PLAIN", s.Owner), 0, offset, 1)[0]
	checks.Expect(len(found.Headers) == len(sent), "headers %v", found.Headers)
	for n, it := range found.Headers {
		checks.Expect(string(it.Key) == string(sent[n].Key) && string(it.Value) == string(sent[n].Value), "header %d: %v", n, it)
	}
	return ""
}

func (s settings) codec(codec sarama.CompressionCodec) string {
	c := config("PLAIN", s.Owner)
	c.Producer.Compression = codec
	values := checks.Texts("compressed", 200)
	offset := s.produce(c, s.Topic, 0, values...)[0]
	for n, it := range s.readFrom(c, 0, offset, 200) {
		checks.Expect(string(it.Value) == values[n], "value %d is %s", n, it.Value)
	}
	return ""
}

func (s settings) idempotence() string {
	c := config("SCRAM-SHA-256", s.Owner)
	c.Producer.Idempotent, c.Net.MaxOpenRequests = true, 1
	offsets := s.produce(c, s.Topic, 3, checks.Texts("once", 1000)...)
	for n, it := range offsets {
		checks.Expect(it == offsets[0]+int64(n), "offsets have a gap: %d after %d", it, n)
	}
	return ""
}

func (s settings) transaction() string {
	c := config("PLAIN", s.Owner)
	c.Producer.Idempotent, c.Net.MaxOpenRequests, c.Producer.Transaction.ID = true, 1, s.Name("tx")
	producer, err := sarama.NewSyncProducer(s.servers(), c)
	checks.Must(err)
	defer producer.Close()
	within := func(what string, count int, end func() error) int64 {
		checks.Must(producer.BeginTxn())
		offset := send(producer, s.Topic, 1, checks.Texts(what, count)...)[0]
		checks.Must(end())
		return offset
	}
	kept := within("kept", 20, producer.CommitTxn)
	within("dropped", 20, producer.AbortTxn)
	last := within("last", 1, producer.CommitTxn)
	committed := config("PLAIN", s.Owner)
	committed.Consumer.IsolationLevel = sarama.ReadCommitted
	found := s.readFrom(committed, 1, kept, 21)
	checks.Expect(found[20].Offset == last, "read_committed: the record at %d follows the kept ones", found[20].Offset)
	found = s.readFrom(config("PLAIN", s.Owner), 1, kept, 41)
	checks.Expect(found[40].Offset == last, "read_uncommitted: %d", found[40].Offset)
	return ""
}

func (s settings) foreign() string {
	admin, err := sarama.NewClusterAdmin(s.servers(), config("PLAIN", s.Owner))
	checks.Must(err)
	defer admin.Close()
	told, err := admin.DescribeTopics([]string{s.ForeignTopic})
	checks.Must(err)
	checks.Refused(told[0].Err, sarama.ErrUnknownTopicOrPartition)
	return ""
}

func (s settings) sameNames() string {
	mine, err := sarama.NewClusterAdmin(s.servers(), config("PLAIN", s.Owner))
	checks.Must(err)
	defer mine.Close()
	other, err := sarama.NewClusterAdmin(s.servers(), config("PLAIN", s.Other))
	checks.Must(err)
	defer other.Close()
	group := s.Name("twin")
	m := s.join(group)
	checks.Until("a member with every partition", func() bool { return checks.Settled(m.Member) })
	s.produce(config("PLAIN", s.Owner), s.GroupTopic, 0, "of the twin")
	checks.Until("a committed offset", func() bool {
		offsets, err := mine.ListConsumerGroupOffsets(group, map[string][]int32{s.GroupTopic: {0}})
		checks.Must(err)
		block := offsets.GetBlock(s.GroupTopic, 0)
		return block != nil && block.Offset > 0
	})
	m.leave()
	theirs, err := other.ListConsumerGroupOffsets(group, nil)
	checks.Must(err)
	checks.Expect(len(theirs.Blocks) == 0, "the other tenant's group of the same name: %v", theirs.Blocks)
	groups, err := other.ListConsumerGroups()
	checks.Must(err)
	_, listed := groups[group]
	checks.Expect(!listed, "the other tenant lists the group")
	topics, err := other.DescribeTopics([]string{s.Topic})
	checks.Must(err)
	checks.Expect(len(topics[0].Partitions) == 2, "partitions of the other tenant's topic: %v", topics[0].Partitions)
	return ""
}

// An administrator makes a topic, changes it, makes it grow, and deletes it.
func (s settings) administer() string {
	admin, err := sarama.NewClusterAdmin(s.servers(), config("PLAIN", s.Administrator))
	checks.Must(err)
	defer admin.Close()
	name, made, changed := "made-"+s.Run+"-sarama", "7200000", "3600000"
	retention := func(expected string) {
		resource := sarama.ConfigResource{Type: sarama.TopicResource, Name: name, ConfigNames: []string{"retention.ms"}}
		found, err := admin.DescribeConfig(resource)
		checks.Must(err)
		checks.Expect(len(found) == 1 && found[0].Value == expected, "retention %v", found)
	}
	detail := &sarama.TopicDetail{NumPartitions: 2, ReplicationFactor: -1, ConfigEntries: map[string]*string{"retention.ms": &made}}
	checks.Must(admin.CreateTopic(name, detail, false))
	retention(made)
	checks.Must(admin.CreatePartitions(name, 3, nil, false))
	told, err := admin.DescribeTopics([]string{name})
	checks.Must(err)
	checks.Expect(len(told[0].Partitions) == 3, "partitions %v", told[0].Partitions)
	entry := map[string]sarama.IncrementalAlterConfigsEntry{"retention.ms": {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &changed}}
	checks.Must(admin.IncrementalAlterConfig(sarama.TopicResource, name, entry, false))
	retention(changed)
	checks.Must(admin.DeleteTopic(name))
	topics, err := admin.ListTopics()
	checks.Must(err)
	_, listed := topics[name]
	checks.Expect(!listed, "it is deleted, and listed")
	return ""
}

func (s settings) reader() string {
	offset := s.produce(config("PLAIN", s.Owner), s.Topic, 0, "for readers")[0]
	c := config("PLAIN", s.Reader)
	producer, err := sarama.NewSyncProducer(s.servers(), c)
	checks.Must(err)
	defer producer.Close()
	_, _, err = producer.SendMessage(&sarama.ProducerMessage{Topic: s.Topic, Value: sarama.StringEncoder("no")})
	checks.Refused(err, sarama.ErrTopicAuthorizationFailed)
	admin, err := sarama.NewClusterAdmin(s.servers(), c)
	checks.Must(err)
	defer admin.Close()
	err = admin.CreateTopic(s.Topic+"-more", &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: -1}, false)
	checks.Refused(err, sarama.ErrTopicAuthorizationFailed)
	found := s.readFrom(c, 0, offset, 1)[0]
	checks.Expect(string(found.Value) == "for readers", "read by a reader: %s", found.Value)
	c.Producer.Idempotent, c.Net.MaxOpenRequests, c.Producer.Transaction.ID = true, 1, s.Name("no")
	_, err = sarama.NewSyncProducer(s.servers(), c)
	checks.Refused(err, sarama.ErrTransactionalIDAuthorizationFailed)
	return ""
}

// stranger may read one topic, and is no member of any group.
func (s settings) stranger() string {
	offset := s.produce(config("PLAIN", s.Owner), s.Topic, 0, "for strangers")[0]
	c := config("PLAIN", s.Stranger)
	found := s.readFrom(c, 0, offset, 1)[0]
	checks.Expect(string(found.Value) == "for strangers", "read by a stranger: %s", found.Value)
	consumer, err := sarama.NewConsumer(s.servers(), c)
	checks.Must(err)
	defer consumer.Close()
	_, err = consumer.ConsumePartition(s.GroupTopic, 0, sarama.OffsetOldest)
	checks.Refused(err, sarama.ErrTopicAuthorizationFailed)
	group, err := sarama.NewConsumerGroup(s.servers(), s.Name("no"), c)
	checks.Must(err)
	defer group.Close()
	ctx, cancel := context.WithTimeout(context.Background(), checks.Patience)
	defer cancel()
	checks.Refused(group.Consume(ctx, []string{s.Topic}, &member{Member: checks.NewMember()}), sarama.ErrGroupAuthorizationFailed)
	return ""
}

func main() {
	s := settings{checks.ReadSettings(os.Args[1])}
	var waiting sync.WaitGroup
	waiting.Go(func() { checks.Run("rebalance", s.rebalance) })
	for _, it := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		checks.Run("login "+it, func() string { return s.login(it) })
	}
	checks.Run("wrong password", s.wrongPassword)
	checks.Run("headers", s.headers)
	checks.Run("codec gzip", func() string { return s.codec(sarama.CompressionGZIP) })
	checks.Run("codec snappy", func() string { return s.codec(sarama.CompressionSnappy) })
	checks.Run("codec lz4", func() string { return s.codec(sarama.CompressionLZ4) })
	checks.Run("codec zstd", func() string { return s.codec(sarama.CompressionZSTD) })
	checks.Run("idempotence", s.idempotence)
	checks.Run("transaction", s.transaction)
	checks.Run("foreign topic", s.foreign)
	checks.Run("same names", s.sameNames)
	checks.Run("administration", s.administer)
	checks.Run("reader", s.reader)
	checks.Run("stranger", s.stranger)
	waiting.Wait()
}
