package main

import (
	"context"
	"sync"

	"github.com/nats-io/nuid"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/solver"
)

// place is where a reader is: it asks for the message there. So it takes messages at
// its own pace, and asking again after a failure neither loses nor repeats any.
type place struct {
	Position int `json:"position" minimum:"0" doc:"Number of the message, from 0."`
}

// message is a message or the end.
type message struct {
	Writer string `json:"writer" doc:"Who has written it."`
	Text   string `json:"text" doc:"The message."`
	End    bool   `json:"end" doc:"There is no message any more."`
}

var next = contract.Define[place, message](
	contract.Spec{Service: "pipe", Operation: "next", Summary: "The message at a position"},
)

// Validate checks the position.
func (r place) Validate() error {
	if r.Position < 0 {
		return contract.Invalid("position", "must not be negative")
	}
	return nil
}

// writer holds messages for readers.
type writer struct {
	name     string
	messages []string
	finished chan struct{} // closed when a reader has come to the end
	finish   func()
}

func newWriter(messages []string) *writer {
	w := &writer{name: nuid.Next(), messages: messages, finished: make(chan struct{})}
	w.finish = sync.OnceFunc(func() { close(w.finished) })
	return w
}

// service is the writer as readers see it.
func (w *writer) service() solver.Service {
	return solver.Service{
		Name: "pipe", Version: "1.0.0", Description: "Messages from one program to another",
		Operations: []solver.Operation{solver.Bind(next, w.next)},
	}
}

func (w *writer) next(_ context.Context, r place) (message, error) {
	switch {
	case r.Position < len(w.messages):
		return message{Writer: w.name, Text: w.messages[r.Position]}, nil
	case r.Position == len(w.messages):
		w.finish()
		return message{Writer: w.name, End: true}, nil
	default:
		return message{}, contract.Invalid("position", "is beyond the end, which is at %d", len(w.messages))
	}
}
