package main

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"weir/tests/clients/go/checks"
)

const quiet = 3 * time.Second

// gaps reads what gaps.py of confluent-kafka left: the good records, none of what is withheld, and what comes
// behind it.
func (s settings) gaps(level kgo.IsolationLevel) string {
	places := map[string]map[int32]kgo.Offset{s.Topic: {3: kgo.NewOffset().AtStart()}}
	client := s.client(s.Owner, kgo.ConsumePartitions(places), kgo.FetchIsolationLevel(level))
	defer client.Close()
	found := take(client, 2)
	ctx, cancel := context.WithTimeout(context.Background(), quiet)
	defer cancel()
	for ctx.Err() == nil {
		fetches := client.PollFetches(ctx)
		if ctx.Err() == nil {
			checks.Must(fetches.Err())
		}
		found = append(found, fetches.Records()...)
	}
	first := found[0]
	offset := produce(client, s.Topic, 3, &kgo.Record{Value: first.Value})[0]
	next := take(client, 1)[0]
	checks.Expect(next.Offset == offset && bytes.Equal(next.Value, first.Value), "offset %d instead of %d", next.Offset, offset)
	return fmt.Sprintf("%d records", len(found)+1)
}
