package broker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
)

// logger passes the server's log lines to slog and keeps the first fatal one.
type logger struct {
	log *slog.Logger

	mu  sync.Mutex
	err error
}

func newLogger(log *slog.Logger) *logger { return &logger{log: log.With("component", "broker")} }

// debug reports whether the server needs to produce its debug lines.
func (l *logger) debug(ctx context.Context) bool { return l.log.Enabled(ctx, slog.LevelDebug) }

// fatal returns what kept the server from starting, or nil.
func (l *logger) fatal() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Fatalf keeps the line, with the error among its arguments if there is one, for
// [Start] to return. It is not logged: whoever started the broker reports it.
func (l *logger) Fatalf(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	for _, arg := range args {
		if cause, ok := arg.(error); ok {
			err = cause
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
}

// Errorf logs at error level.
func (l *logger) Errorf(format string, args ...any) { l.print(slog.LevelError, format, args) }

// Warnf logs at warn level.
func (l *logger) Warnf(format string, args ...any) { l.print(slog.LevelWarn, format, args) }

// Noticef logs at debug level, see [Config].
func (l *logger) Noticef(format string, args ...any) { l.print(slog.LevelDebug, format, args) }

// Debugf logs at debug level.
func (l *logger) Debugf(format string, args ...any) { l.print(slog.LevelDebug, format, args) }

// Tracef logs at debug level; the server is never told to trace.
func (l *logger) Tracef(format string, args ...any) { l.print(slog.LevelDebug, format, args) }

func (l *logger) print(level slog.Level, format string, args []any) {
	if ctx := context.Background(); l.log.Enabled(ctx, level) {
		l.log.Log(ctx, level, fmt.Sprintf(format, args...)) //nolint:sloglint // the text is the server's
	}
}
