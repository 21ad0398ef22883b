package main

import (
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"weir/tests/clients/go/checks"
)

// settings is the file that the driver wrote.
type settings struct{ *checks.Settings }

func mechanism(name string, u checks.User) sasl.Mechanism {
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

func (s settings) client(u checks.User, more ...kgo.Opt) *kgo.Client {
	return s.clientBy("PLAIN", u, more...)
}

func (s settings) options(mechanismName string, u checks.User, more ...kgo.Opt) []kgo.Opt {
	return append([]kgo.Opt{
		kgo.SeedBrokers(s.Bootstrap),
		kgo.SASL(mechanism(mechanismName, u)),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(0),
	}, more...)
}

func (s settings) clientBy(mechanismName string, u checks.User, more ...kgo.Opt) *kgo.Client {
	client, err := kgo.NewClient(s.options(mechanismName, u, more...)...)
	checks.Must(err)
	return client
}
