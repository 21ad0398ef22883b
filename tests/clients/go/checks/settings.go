package checks

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
)

// User is what a client signs in with.
type User struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// Settings is the file that the driver wrote.
type Settings struct {
	Bootstrap     string `json:"bootstrap"`
	Owner         User   `json:"owner"`
	Other         User   `json:"other"`
	Reader        User   `json:"reader"`
	Stranger      User   `json:"stranger"`
	Administrator User   `json:"administrator"`
	Topic         string `json:"topic"`
	GroupTopic    string `json:"group_topic"`
	ForeignTopic  string `json:"foreign_topic"`
	Run           string `json:"run"`

	prefix  string
	numbers atomic.Int64
}

// ReadSettings reads the file.
func ReadSettings(path string) *Settings {
	text, err := os.ReadFile(path)
	Must(err)
	s := &Settings{prefix: fmt.Sprintf("%08x", rand.Uint32())}
	Must(json.Unmarshal(text, s))
	return s
}

// Name is a group or transactional id that nobody has used.
func (s *Settings) Name(what string) string {
	return fmt.Sprintf("%s-%s-%d", what, s.prefix, s.numbers.Add(1))
}
