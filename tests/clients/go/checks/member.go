package checks

import (
	"fmt"
	"sync"
)

// partitions of the topic for groups.
const partitions = 4

// Member is what a member of a group holds and has read.
type Member struct {
	lock     sync.Mutex
	assigned map[int32]bool
	seen     map[string]bool
}

// NewMember holds nothing yet.
func NewMember() *Member {
	return &Member{assigned: map[int32]bool{}, seen: map[string]bool{}}
}

// Hold adds partitions.
func (m *Member) Hold(more []int32) {
	m.lock.Lock()
	defer m.lock.Unlock()
	for _, it := range more {
		m.assigned[it] = true
	}
}

// Lose takes partitions away.
func (m *Member) Lose(some []int32) {
	m.lock.Lock()
	defer m.lock.Unlock()
	for _, it := range some {
		delete(m.assigned, it)
	}
}

// LoseAll takes every partition away.
func (m *Member) LoseAll() {
	m.lock.Lock()
	defer m.lock.Unlock()
	clear(m.assigned)
}

// Saw remembers a record.
func (m *Member) Saw(partition int32, offset int64) {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.seen[place(partition, offset)] = true
}

func place(partition int32, offset int64) string { return fmt.Sprintf("%d:%d", partition, offset) }

func (m *Member) has(place string) bool {
	m.lock.Lock()
	defer m.lock.Unlock()
	return m.seen[place]
}

func (m *Member) count() int {
	m.lock.Lock()
	defer m.lock.Unlock()
	return len(m.seen)
}

// Settled is whether these share every partition among them, each once, and none has nothing.
func Settled(members ...*Member) bool {
	held, all := map[int32]bool{}, 0
	for _, m := range members {
		m.lock.Lock()
		for it := range m.assigned {
			held[it] = true
		}
		some := len(m.assigned)
		m.lock.Unlock()
		if some == 0 {
			return false
		}
		all += some
	}
	return all == partitions && len(held) == partitions
}

// Rebalance lets a second member come and go while records are sent; between them they read each one.
func Rebalance(join func() (*Member, func()), produce func(partition int32, values []string) []int64) string {
	var sent []string
	send := func() {
		for partition := range int32(partitions) {
			for _, offset := range produce(partition, Texts("moving", 50)) {
				sent = append(sent, place(partition, offset))
			}
		}
	}
	send()
	first, leave := join()
	Until("one member with every partition", func() bool { return Settled(first) })
	second, secondLeaves := join()
	Until("two members that share", func() bool { return Settled(first, second) })
	send()
	Until("a record at the second member", func() bool { return second.count() > 0 })
	secondLeaves()
	Until("one member again", func() bool { return Settled(first) })
	send()
	Until("every record read", func() bool {
		for _, it := range sent {
			if !first.has(it) && !second.has(it) {
				return false
			}
		}
		return true
	})
	leave()
	return fmt.Sprintf("%d records, %d by the second member", len(sent), second.count())
}

// Texts are values of records that can be told apart.
func Texts(what string, count int) []string {
	values := make([]string, count)
	for n := range values {
		values[n] = fmt.Sprintf("%s %d", what, n)
	}
	return values
}
