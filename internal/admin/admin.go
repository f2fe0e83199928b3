// Package admin is the HTTP face for whoever runs a process: liveness, readiness and
// metrics, on an address of its own. It serves no requests of callers and changes
// nothing.
//
//	GET /healthz  200 while the process runs; it never depends on the broker, or a
//	              broken broker would make Kubernetes restart everything
//	GET /readyz   200 while the process wants requests, otherwise 503 with the reason
//	GET /metrics  metrics for Prometheus
//
//	l, err := net.Listen("tcp", "127.0.0.1:8081")
//	if err != nil {
//		return err
//	}
//	err = admin.Serve(ctx, l, admin.Handler(tel.MetricsHandler(), host.Ready))
package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	// readTimeout is for a whole request; probes have no body.
	readTimeout = 5 * time.Second
	// writeTimeout leaves a slow scraper time for all metrics.
	writeTimeout = 30 * time.Second
	// idleTimeout is above the usual 15 to 60 s between two scrapes.
	idleTimeout = 2 * time.Minute
	// grace is how long the requests in flight have when the server stops.
	grace = 2 * time.Second
)

// Handler returns the handler of all paths. Ready says why the process wants no
// requests, or nil; it is called for each probe, from many goroutines, and must not
// wait. What it says is shown to whoever asks.
func Handler(metrics http.Handler, ready func() error) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := ready(); err != nil {
			reply(w, http.StatusServiceUnavailable, "not ready: "+err.Error())
			return
		}
		reply(w, http.StatusOK, "ready")
	})
	mux.Handle("GET /metrics", metrics)
	return mux
}

// reply writes one line of text that no cache may keep.
func reply(w http.ResponseWriter, status int, line string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, line+"\n") // the client may have left
}

// Serve serves the handler on the listener until ctx ends, then gives requests in
// flight two seconds and returns nil. It closes the listener. Let ctx be the last to
// end, so that probes see a process drain.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve admin: %w", err)
	case <-ctx.Done():
	}
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := server.Shutdown(deadline)
	if err != nil {
		err = errors.Join(err, server.Close())
	}
	if end := <-served; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	if err != nil {
		return fmt.Errorf("stop admin: %w", err)
	}
	return nil
}
