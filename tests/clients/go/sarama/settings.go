package main

import (
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"time"

	"github.com/IBM/sarama"
	"github.com/xdg-go/scram"

	"weir/tests/clients/go/checks"
)

// settings is the file that the driver wrote.
type settings struct{ *checks.Settings }

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
func config(mechanism string, u checks.User) *sarama.Config {
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
