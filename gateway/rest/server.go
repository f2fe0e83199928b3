package rest

import (
	"log/slog"
	"net/http"
	"time"
)

const (
	// headerTimeout is how long the headers of a request may take to arrive. The body
	// has a limit of its own, in readBody. There is no limit on the whole request:
	// a read deadline that passes while the service works would cancel the work.
	headerTimeout = 5 * time.Second

	// idleTimeout is how long a connection may wait for its next request. It is above
	// the 60 s of common load balancers, so that they are the ones to close.
	idleTimeout = 120 * time.Second

	// maxHeader is the largest header of a request in bytes, query included.
	maxHeader = 64 << 10
)

// NewServer returns a server for the handler, with time-outs and limits set. What the
// server itself has to complain about goes to the log as warnings. The caller gives it
// a listener and shuts it down.
func NewServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
	}
}
