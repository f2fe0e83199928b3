package bus_test

import (
	"context"
	"log/slog"
)

// lines is a log whose messages a test can wait for.
type lines struct{ messages chan string }

func newLines() *lines { return &lines{messages: make(chan string, 100)} }

func (l *lines) log() *slog.Logger                        { return slog.New(l) }
func (l *lines) Enabled(context.Context, slog.Level) bool { return true }
func (l *lines) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *lines) WithGroup(string) slog.Handler            { return l }
func (l *lines) Handle(_ context.Context, r slog.Record) error {
	select {
	case l.messages <- r.Message:
	default: // a test that logs more has stopped listening
	}
	return nil
}

// await returns when the message is logged; other messages before it are dropped.
func (l *lines) await(message string) {
	for <-l.messages != message {
	}
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
