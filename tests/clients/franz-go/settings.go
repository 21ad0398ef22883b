package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
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
	Run          string `json:"run"`

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

func mechanism(name string, u user) sasl.Mechanism {
	auth := scram.Auth{User: u.Username, Pass: u.Password}
	switch name {
	case "SCRAM-SHA-256":
		return auth.AsSha256Mechanism()
	case "SCRAM-SHA-512":
		return auth.AsSha512Mechanism()
	default:
		return plain.Auth{User: u.Username, Pass: u.Password}.AsMechanism()
	}
}

func (s *settings) client(u user, more ...kgo.Opt) *kgo.Client {
	return s.clientBy("PLAIN", u, more...)
}

func (s *settings) clientBy(mechanismName string, u user, more ...kgo.Opt) *kgo.Client {
	options := append([]kgo.Opt{
		kgo.SeedBrokers(s.Bootstrap),
		kgo.SASL(mechanism(mechanismName, u)),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(0),
	}, more...)
	client, err := kgo.NewClient(options...)
	must(err)
	return client
}
