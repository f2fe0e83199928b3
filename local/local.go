// Package local lets one process be everything: a broker, services and their caller. It
// is for examples, tests and trials of a problem that lives in a module of its own; what
// runs for long is a program of package daemon.
//
//	err := local.Run(ctx, local.Config{Services: daemon.Fixed(prime.Service()), Instances: 2},
//		func(ctx context.Context, nc *nats.Conn) error {
//			answer, err := client.Call(ctx, &client.NATS{Conn: nc}, prime.Test, prime.Request{N: "7"})
//			…
//		})
package local

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/broker"
	"github.com/seed-649d3d38/heddle/internal/bus"
	"github.com/seed-649d3d38/heddle/jobs"
	"github.com/seed-649d3d38/heddle/solver"
)

const (
	// patience is how long a broker that is named is looked for.
	patience = 2 * time.Second

	// drainTime is how long requests in flight have at the end.
	drainTime = 5 * time.Second
)

// Config says what runs. The zero value is a broker without services.
type Config struct {
	// Server is the address of a broker that is running already. Empty means one inside
	// the process, without a port, and without JetStream unless there is a Dir.
	Server string
	// Dir is the folder of the broker inside the process for durable jobs, which then are
	// taken and served for the services here. Empty means none; with Server it does not
	// count, since whoever runs that broker serves jobs.
	Dir string
	// Services makes the services of one instance; nil means none. It is called once for
	// each instance, and once more where there are durable jobs.
	Services func() ([]solver.Service, error)
	// Instances is how many instances of the services run, each on a connection of its
	// own; below 1 counts as 1.
	Instances int
	// Host says how they are hosted.
	Host host.Config
}

// Run starts what cfg says, calls use with a connection to the broker, and stops
// everything when use returns: requests in flight are finished. It returns the error of
// use, joined with what went wrong around it: an [*contract.Error] with
// [contract.CodeUnavailable] if no broker answers at cfg.Server, and errors of hosting
// and draining as they are.
func Run(ctx context.Context, cfg Config, use func(context.Context, *nats.Conn) error) (err error) {
	connect, stop, err := reach(ctx, cfg)
	if err != nil {
		return err
	}
	defer stop()
	leave, err := cfg.keepJobs(ctx, connect)
	if err != nil {
		return err
	}
	defer leave()
	var hosts []*host.Host
	defer func() { err = errors.Join(err, drain(ctx, hosts)) }()
	if cfg.Services != nil {
		for range max(1, cfg.Instances) {
			h, err := cfg.start(ctx, connect)
			if err != nil {
				return err
			}
			hosts = append(hosts, h)
		}
	}
	nc, err := connect()
	if err != nil {
		return err
	}
	return use(ctx, nc)
}

// reach returns how to connect to the broker, and how to close all connections.
func reach(ctx context.Context, cfg Config) (connect func() (*nats.Conn, error), stop func(), err error) {
	var b *broker.Broker
	var extra []nats.Option
	if cfg.Server == "" {
		if b, err = broker.Start(ctx, broker.Config{Dir: cfg.Dir}); err != nil {
			return nil, nil, err
		}
		extra = append(extra, b.InProcess())
	}
	var connections []*nats.Conn
	connect = func() (*nats.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		nc, err := bus.Connect(ctx, "local", bus.Options{Server: cfg.Server}, slog.New(slog.DiscardHandler), extra...)
		if err != nil {
			return nil, contract.Errorf(contract.CodeUnavailable, "no broker answers; start one with: heddle up").WithCause(err)
		}
		connections = append(connections, nc)
		return nc, nil
	}
	stop = func() {
		for _, nc := range connections {
			nc.Close()
		}
		if b != nil {
			b.Shutdown()
		}
	}
	return connect, stop, nil
}

// keepJobs serves durable jobs, if they are wanted, and has the hosts take them.
func (c *Config) keepJobs(ctx context.Context, connect func() (*nats.Conn, error)) (leave func(), err error) {
	if c.Dir == "" || c.Server != "" || c.Services == nil {
		return func() {}, nil
	}
	services, err := c.Services()
	if err != nil {
		return nil, err
	}
	var endpoints []contract.Descriptor
	for _, s := range services {
		for _, op := range s.Operations {
			endpoints = append(endpoints, op.Endpoint)
		}
	}
	nc, err := connect()
	if err != nil {
		return nil, err
	}
	store, err := jobs.Open(nc, jobs.Config{})
	if err != nil {
		return nil, err
	}
	service, err := jobs.Serve(context.WithoutCancel(ctx), store, endpoints)
	if err != nil {
		store.Close()
		return nil, err
	}
	c.Host.Jobs = store
	return func() {
		service.Close()
		store.Close()
	}, nil
}

// start hosts one instance.
func (c Config) start(ctx context.Context, connect func() (*nats.Conn, error)) (*host.Host, error) {
	services, err := c.Services()
	if err != nil {
		return nil, err
	}
	nc, err := connect()
	if err != nil {
		return nil, err
	}
	return host.Start(ctx, nc, c.Host, services...)
}

// drain drains all instances at once, also after the end of ctx.
func drain(ctx context.Context, hosts []*host.Host) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	errs := make([]error, len(hosts))
	var drained sync.WaitGroup
	for i, h := range hosts {
		drained.Go(func() { errs[i] = h.Drain(ctx) })
	}
	drained.Wait()
	return errors.Join(errs...)
}
