// Package checks is what the clients in Go share: checks that report themselves, and the settings that the driver wrote.
package checks

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime/debug"
	"sync"
	"time"
)

// Patience is how long anything may take, on a busy machine too.
const Patience = 20 * time.Second

var (
	physical = regexp.MustCompile(`w0[0-9a-z]{25}-`)
	writing  sync.Mutex
)

// Run prints one JSON line for a check, which fails by panicking.
func Run(name string, check func() string) {
	began := time.Now()
	line := map[string]any{"check": name, "ok": true}
	func() {
		defer func() {
			if failed := recover(); failed != nil {
				line["ok"] = false
				line["detail"] = fmt.Sprintf("%v\n%s", failed, debug.Stack())
			}
		}()
		line["detail"] = check()
	}()
	line["seconds"] = time.Since(began).Seconds()
	text, _ := json.Marshal(line)
	writing.Lock()
	defer writing.Unlock()
	fmt.Fprintln(os.Stdout, string(text))
}

// Must panics on an error.
func Must(err error) {
	if err != nil {
		panic(err)
	}
}

// Expect panics with this text unless the condition holds.
func Expect(held bool, format string, arguments ...any) {
	if !held {
		panic(fmt.Sprintf(format, arguments...))
	}
}

// Logical refuses an answer that shows a name as the brokers know it.
func Logical(answer any) {
	text := fmt.Sprintf("%+v", answer)
	Expect(!physical.MatchString(text), "a physical name is shown: %s", text)
}

// Refused panics unless the error is the expected one.
func Refused(err, expected error) {
	Expect(errors.Is(err, expected), "expected %v, found %v", expected, err)
}

// Until waits for the condition, and panics when it is late.
func Until(what string, held func() bool) {
	for end := time.Now().Add(Patience); !held(); time.Sleep(50 * time.Millisecond) {
		Expect(time.Now().Before(end), "%s: not within %s", what, Patience)
	}
}
