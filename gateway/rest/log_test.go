package rest_test

import (
	"context"
	"log/slog"
)

// statusHandler is a log handler that closes a channel when a request with the status
// is logged.
type statusHandler struct {
	status string
	seen   chan<- struct{}
}

func (statusHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h statusHandler) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "status" && a.Value.String() == h.status {
			close(h.seen)
		}
		return true
	})
	return nil
}

func (h statusHandler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h statusHandler) WithGroup(string) slog.Handler      { return h }
