// Package daemon turns services into a running program: flags and environment, log,
// telemetry, the connection to the broker, the admin port, and a shutdown in order.
// What services do with a connection is the business of package host.
//
// A program that hosts a service is one call:
//
//	func main() {
//		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
//		context.AfterFunc(ctx, stop) // a second signal ends the program at once
//		os.Exit(daemon.Main(ctx, os.Args[1:], os.Stdout, os.Stderr, daemon.Program{
//			Name: "fibonacci", Services: daemon.Fixed(fib.Service()),
//		}))
//	}
//
// # Shutdown
//
// One budget covers it all: readiness turns off, parts stop in the reverse order of
// their start (HTTP intake, services, connection, telemetry, embedded broker), and the
// admin port closes last.
package daemon

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/alecthomas/kong"
	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/bus"
	"github.com/seed-649d3d38/heddle/internal/cli"
	"github.com/seed-649d3d38/heddle/internal/telemetry"
	"github.com/seed-649d3d38/heddle/jobs"
	"github.com/seed-649d3d38/heddle/solver"
)

// Flags are the flags of every program that runs until it is told to stop.
type Flags struct {
	Admin        string        `help:"Address of the admin port: health, readiness, metrics. Default: 127.0.0.1:8081 with heddle up, else none." env:"HEDDLE_ADMIN" placeholder:"HOST:PORT"`
	LogFormat    string        `help:"Form of the log: ${enum}." enum:"text,json" default:"text" env:"HEDDLE_LOG_FORMAT"`
	LogLevel     slog.Level    `help:"Least level that is logged: debug, info, warn or error." default:"info" env:"HEDDLE_LOG_LEVEL"`
	DrainTimeout time.Duration `help:"Time for finishing requests after a signal to stop, all in all." default:"20s" env:"HEDDLE_DRAIN_TIMEOUT"`
}

// HostFlags are the flags of every program that hosts services.
type HostFlags struct {
	Slots    int  `help:"Heavy requests each service runs at once. Default: one for each core, 64 for the crawler." env:"HEDDLE_SLOTS" placeholder:"N"`
	Queue    int  `help:"Requests of each service that may wait for a slot, all instances together. Choose it by time: slots in all x longest wait / mean work. Default: 1024." env:"HEDDLE_QUEUE" placeholder:"N"`
	JobsOnly bool `help:"Take durable jobs only, no requests." env:"HEDDLE_JOBS_ONLY"`
	Memory   Size `help:"Memory that running requests may need in all. Default: half of what the process may use." env:"HEDDLE_MEMORY" placeholder:"SIZE"`
	// Processors has Go's own variable, so that it means what it means elsewhere.
	Processors int `help:"Threads that run Go code at once. Default: two more than slots that compute." env:"GOMAXPROCS" placeholder:"N"`
}

// Program is a program that hosts services.
type Program struct {
	// Name is the program's name in help, log, telemetry and at the broker.
	Name string
	// Description is the first paragraph of its help.
	Description string
	// Options, if not nil, is a pointer to a struct with further flags.
	Options any
	// Services makes the services once the flags are read.
	Services func() ([]solver.Service, error)
}

// Fixed returns a Services function for services that need no flags.
func Fixed(services ...solver.Service) func() ([]solver.Service, error) {
	return func() ([]solver.Service, error) { return services, nil }
}

// Main runs the program until ctx ends and returns its exit code.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer, p Program) int {
	var flags struct {
		Version kong.VersionFlag `help:"Print the version and exit."`
		Bus     bus.Options      `embed:""`
		Flags   `embed:""`
		Host    HostFlags `embed:""`
		kong.Plugins
	}
	if p.Options != nil {
		flags.Plugins = kong.Plugins{p.Options}
	}
	_, code, ok := cli.Parse(cli.Program{Name: p.Name, Description: p.Description, Flags: &flags}, args, stdout, stderr)
	if !ok {
		return code
	}
	return cli.Report(stderr, p.Name, Run(ctx, stderr, p, flags.Bus, flags.Flags, flags.Host))
}

// Run runs the program with flags that are read already, until ctx ends.
func Run(ctx context.Context, stderr io.Writer, p Program, server bus.Options, flags Flags, hosting HostFlags) error {
	services, err := p.Services()
	if err != nil {
		return err
	}
	r, err := flags.Start(ctx, p.Name, stderr)
	if err != nil {
		return err
	}
	nc, err := r.Connect(ctx, p.Name, server)
	if err != nil {
		return r.Abort(ctx, err)
	}
	store, err := r.openJobs(ctx, nc, hosting, Endpoints(services))
	if err == nil {
		err = r.Host(ctx, nc, store, hosting, services...)
	}
	if err != nil {
		return r.Abort(ctx, err)
	}
	r.Ready("broker", nc.ConnectedUrlRedacted())
	return r.Wait(ctx)
}

// Start opens the log, telemetry and the admin port. The caller ends the runtime with
// [Runtime.Wait] or [Runtime.Abort].
func (f Flags) Start(ctx context.Context, name string, stderr io.Writer) (*Runtime, error) {
	t, err := telemetry.Start(ctx, telemetry.Config{
		Service: name, Version: cli.Version(),
		LogFormat: telemetry.Format(f.LogFormat), LogLevel: f.LogLevel, LogOutput: stderr,
	})
	if err != nil {
		return nil, err
	}
	r := &Runtime{Log: t.Log, Telemetry: t, budget: f.DrainTimeout, failed: make(chan error, 1)}
	r.limitMemory()
	if f.Admin != "" {
		if err := r.startAdmin(ctx, f.Admin); err != nil {
			return nil, r.Abort(ctx, err)
		}
	}
	r.OnStop("telemetry", t.Shutdown)
	return r, nil
}

// Connect connects to the broker, waiting for one that is not up yet until ctx ends.
func (r *Runtime) Connect(ctx context.Context, name string, server bus.Options, extra ...nats.Option) (*nats.Conn, error) {
	nc, err := bus.Connect(ctx, name, server, r.Log, extra...)
	if err != nil {
		return nil, fmt.Errorf("connect to the broker: %w", err)
	}
	r.OnStop("connection", func(context.Context) error {
		nc.Close()
		return nil
	})
	return nc, nil
}

// Host hosts services on the connection, which take jobs from the store.
func (r *Runtime) Host(ctx context.Context, nc *nats.Conn, store *jobs.Store, flags HostFlags, services ...solver.Service) error {
	cfg := host.Config{
		Slots: flags.Slots, Queue: flags.Queue, Memory: int64(flags.Memory),
		Jobs: store, JobsOnly: flags.JobsOnly, Log: r.Log, Meter: r.Telemetry.Meter,
	}
	if cfg.Memory == 0 {
		cfg.Memory = defaultMemory()
	}
	if r.Telemetry.Tracing {
		cfg.Tracer = r.Telemetry.Tracer
	}
	h, err := host.Start(ctx, nc, cfg, services...)
	if err != nil {
		return err
	}
	r.OnStop("services", h.Drain)
	r.OnReady(h.Ready)
	r.setProcessors(flags, h.ComputingSlots())
	return nil
}
