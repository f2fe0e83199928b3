package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/daemon"
	"github.com/seed-649d3d38/heddle/gateway/server"
	"github.com/seed-649d3d38/heddle/internal/broker"
	"github.com/seed-649d3d38/heddle/internal/bus"
)

// upCommand starts everything in one process.
type upCommand struct {
	NATS         string       `name:"nats" help:"Address of the embedded broker." default:"127.0.0.1:4222" env:"HEDDLE_NATS"`
	Data         string       `help:"Folder for the embedded broker's streams. Default: heddle in the user's state folder." env:"HEDDLE_DATA" type:"path" placeholder:"DIR"`
	Gateway      server.Flags `embed:""`
	daemon.Flags `embed:""`
	Host         daemon.HostFlags `embed:""`
	serviceFlags `embed:""`
	Bus          bus.Options `embed:"" group:"An existing broker instead of the embedded one:"`
}

// defaultAdmin is where the admin port of the all-in-one program is.
const defaultAdmin = "127.0.0.1:8081"

// Run implements the command.
func (c *upCommand) Run(ctx context.Context, s streams) error {
	if c.Admin == "" {
		c.Admin = defaultAdmin
	}
	services, err := c.catalogue()
	if err != nil {
		return err
	}
	r, err := c.Start(ctx, "heddle", s.err)
	if err != nil {
		return err
	}
	var at places
	nc, err := c.connect(ctx, r, &at)
	if err != nil {
		return r.Abort(ctx, err)
	}
	store, err := r.ServeJobs(ctx, nc, contract.All())
	if err == nil {
		err = r.Host(ctx, nc, store, c.Host, services...)
	}
	if err == nil {
		at.http, err = server.Start(ctx, r, nc, store, c.Gateway, contract.All())
	}
	if err != nil {
		return r.Abort(ctx, err)
	}
	at.admin = r.Admin
	if err := at.print(s.out); err != nil {
		return r.Abort(ctx, err)
	}
	return r.Wait(ctx)
}

// connect connects to the broker that the flags name, or starts one.
func (c *upCommand) connect(ctx context.Context, r *daemon.Runtime, at *places) (*nats.Conn, error) {
	if c.Bus.Server != "" || c.Bus.Context != "" {
		nc, err := r.Connect(ctx, "heddle", c.Bus)
		if err == nil {
			at.nats, at.broker = nc.ConnectedUrlRedacted(), "existing broker"
		}
		return nc, err
	}
	dir, err := c.dataDir()
	if err != nil {
		return nil, err
	}
	b, err := broker.Start(ctx, broker.Config{Listen: c.NATS, Dir: dir, Log: r.Log})
	if err != nil {
		return nil, explainBroker(err)
	}
	r.OnStop("broker", func(context.Context) error {
		b.Shutdown()
		return nil
	})
	at.nats, at.broker = b.URL(), "embedded broker, data in "+dir
	nc, err := r.Connect(ctx, "heddle", bus.Options{}, b.InProcess())
	if err != nil {
		return nil, err
	}
	if err := provision(ctx, nc); err != nil {
		// The services do without changes, and without jobs if need be.
		r.Log.WarnContext(ctx, "the broker does not keep all that this release asks for", "error", err)
	}
	return nc, nil
}

// explainBroker says which flag helps against a failure of the embedded broker.
func explainBroker(err error) error {
	if _, ok := errors.AsType[*broker.ListenError](err); ok {
		return fmt.Errorf("%w; choose another address with --nats, or use the broker that runs there with --server", err)
	}
	if _, ok := errors.AsType[*broker.StoreError](err); ok {
		return fmt.Errorf("%w; choose another folder with --data", err)
	}
	return err
}

// dataDir returns the folder for the broker's streams: the one of the flag, or the
// place that the system has for the state of a user's programs.
func (c *upCommand) dataDir() (string, error) {
	if c.Data != "" {
		return c.Data, nil
	}
	if state := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "heddle"), nil
	}
	if runtime.GOOS == "linux" {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, ".local", "state", "heddle"), nil
		}
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("no folder for data: %w; name one with --data", err)
	}
	return filepath.Join(dir, "heddle", "state"), nil
}

// places is what listens where.
type places struct {
	http, admin  net.Addr
	nats, broker string
}

// print tells a person what is listening and what to try.
func (p places) print(w io.Writer) error {
	_, err := fmt.Fprintf(w, `Heddle is up.

  HTTP   http://%[1]s   gateway
  NATS   %[2]s   %[3]s
  Admin  http://%[4]s   health, readiness, metrics

Try, in another terminal:

  curl 'http://%[1]s/v1/fibonacci/term?n=100'
  nats -s %[2]s req heddle.v1.fibonacci.term '{"n":100}'

or open http://%[1]s/ in a browser. Ctrl-C drains and stops.
`, p.http, p.nats, p.broker, p.admin)
	return err
}
