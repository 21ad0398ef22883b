package main

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"fmt"
	"hash"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
	"github.com/xdg-go/scram"
)

type user struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// settings is the file that the driver wrote.
type settings struct {
	Bootstrap    string `json:"bootstrap"`
	Owner        user   `json:"owner"`
	Other        user   `json:"other"`
	Reader       user   `json:"reader"`
	Topic        string `json:"topic"`
	GroupTopic   string `json:"group_topic"`
	ForeignTopic string `json:"foreign_topic"`

	prefix  string
	numbers atomic.Int64
}

func readSettings(path string) (*settings, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := &settings{prefix: fmt.Sprintf("%08x", rand.Uint32())}
	return s, json.Unmarshal(text, s)
}

// name is a group or transactional id that nobody has used.
func (s *settings) name(what string) string {
	return fmt.Sprintf("%s-%s-%d", what, s.prefix, s.numbers.Add(1))
}

// exchange is the SCRAM client that sarama leaves to its users.
type exchange struct {
	hash         scram.HashGeneratorFcn
	conversation *scram.ClientConversation
}

func (e *exchange) Begin(username, password, identity string) error {
	client, err := e.hash.NewClient(username, password, identity)
	if err == nil {
		e.conversation = client.NewConversation()
	}
	return err
}

func (e *exchange) Step(challenge string) (string, error) { return e.conversation.Step(challenge) }

func (e *exchange) Done() bool { return e.conversation.Done() }

// config of a user; the newest protocol that sarama speaks.
func config(mechanism string, u user) *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.MaxVersion
	c.ClientID = "the-client"
	c.Net.SASL.Enable = true
	c.Net.SASL.User, c.Net.SASL.Password = u.Username, u.Password
	c.Net.SASL.Mechanism = sarama.SASLMechanism(mechanism)
	hashes := map[string]func() hash.Hash{"SCRAM-SHA-256": sha256.New, "SCRAM-SHA-512": sha512.New}
	if generator, scrams := hashes[mechanism]; scrams {
		c.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient {
			return &exchange{hash: generator}
		}
	}
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Producer.Return.Successes = true
	c.Producer.Partitioner = sarama.NewManualPartitioner
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Consumer.Offsets.AutoCommit.Interval = 100 * time.Millisecond
	c.Consumer.Group.Heartbeat.Interval = 200 * time.Millisecond
	c.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{sarama.NewBalanceStrategyRange()}
	return c
}
