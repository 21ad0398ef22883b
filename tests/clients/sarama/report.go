package main

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

const patience = 20 * time.Second

var (
	physical = regexp.MustCompile(`w0[0-9a-z]{25}-`)
	writing  sync.Mutex
)

// run prints one JSON line for a check, which fails by panicking.
func run(name string, check func() string) {
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

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func expect(held bool, format string, arguments ...any) {
	if !held {
		panic(fmt.Sprintf(format, arguments...))
	}
}

// logical refuses an answer that shows a name as the brokers know it.
func logical(answer any) {
	text := fmt.Sprintf("%+v", answer)
	expect(!physical.MatchString(text), "a physical name is shown: %s", text)
}

func refused(err, expected error) {
	expect(errors.Is(err, expected), "expected %v, found %v", expected, err)
}

func until(what string, held func() bool) {
	for end := time.Now().Add(patience); !held(); time.Sleep(50 * time.Millisecond) {
		expect(time.Now().Before(end), "%s: not within %s", what, patience)
	}
}
