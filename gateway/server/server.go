// Package server runs the REST gateway as a part of a program: its flags, its
// requester on the broker and its HTTP listener. What the gateway answers is the
// business of package rest.
//
//	err := server.Start(ctx, runtime, nc, store, flags, contract.All())
package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/daemon"
	"github.com/seed-649d3d38/heddle/gateway/rest"
	"github.com/seed-649d3d38/heddle/internal/bus"
	"github.com/seed-649d3d38/heddle/internal/cli"
	"github.com/seed-649d3d38/heddle/jobs"
)

// Flags are the gateway's own flags.
type Flags struct {
	HTTP      string   `name:"http" help:"Address of the REST gateway." default:"127.0.0.1:8080" env:"HEDDLE_HTTP"`
	HTTPOpen  bool     `name:"http-open" help:"Serve on an address that is not loopback, without authentication." env:"HEDDLE_HTTP_OPEN"`
	AllowHost []string `help:"Name that the Host header may have besides loopback names. Repeatable. Default: any, if the address is not loopback." env:"HEDDLE_ALLOW_HOST" placeholder:"NAME"`

	DrainDelay time.Duration `help:"Part of --drain-timeout in which requests are still taken, with readiness off: where it takes a moment until nobody sends any, such as 5s in Kubernetes." default:"0s" env:"HEDDLE_DRAIN_DELAY"`
}

// Start starts a gateway for the endpoints on the connection, as a part of the
// runtime, and returns the address it listens on. It refuses an address that others can
// reach unless the flags say that this is meant.
func Start(ctx context.Context, r *daemon.Runtime, nc *nats.Conn, store *jobs.Store, f Flags, endpoints []contract.Descriptor) (net.Addr, error) {
	l, err := daemon.Listen(ctx, "--http", f.HTTP)
	if err != nil {
		return nil, err
	}
	loopback := isLoopback(l.Addr())
	if !loopback && !f.HTTPOpen {
		_ = l.Close() // nothing was accepted
		return nil, fmt.Errorf("%s can be reached from other machines and the gateway would serve anybody; listen on a loopback address with --http, or allow it with --http-open", f.HTTP)
	}
	requester, err := bus.NewRequester(nc)
	if err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("start gateway: %w", err)
	}
	// The same options make the second connection one of the same client.
	bulk, err := nc.Opts.Connect()
	if err != nil {
		requester.Close()
		_ = l.Close()
		return nil, fmt.Errorf("start gateway: connect for large results: %w", err)
	}
	cfg := rest.Config{
		Endpoints: endpoints, Jobs: store, Requester: requester, Conn: nc, Bulk: bulk, Log: r.Log, Version: cli.Version(),
		LoopbackOnly: loopback, AllowedHosts: f.AllowHost, Meter: r.Telemetry.Meter,
	}
	if r.Telemetry.Tracing {
		cfg.Tracer = r.Telemetry.Tracer
	}
	handler, err := rest.New(cfg) //nolint:contextcheck // what it has lives until Leave, not as long as the start
	if err != nil {
		bulk.Close()
		requester.Close()
		_ = l.Close()
		return nil, err
	}
	r.OnStop("requester", func(context.Context) error {
		bulk.Close()
		requester.Close()
		return nil
	})
	server := rest.NewServer(handler, r.Log)
	server.RegisterOnShutdown(handler.Leave)
	if err := r.Serve("gateway", server, l, f.DrainDelay); err != nil {
		handler.Leave()
		_ = l.Close()
		return nil, err
	}
	r.OnReady(func() error {
		if !nc.IsConnected() {
			return errors.New("not connected to the broker")
		}
		return nil
	})
	return l.Addr(), nil
}

// isLoopback reports whether only this machine can reach the address.
func isLoopback(a net.Addr) bool {
	ap, err := netip.ParseAddrPort(a.String())
	return err == nil && ap.Addr().IsLoopback()
}
