// Command gateway is the REST gateway: it offers the operations of the contract over
// HTTP and passes requests on to the services on the broker.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/daemon"
	"github.com/seed-649d3d38/heddle/gateway/server"
	"github.com/seed-649d3d38/heddle/internal/bus"
	"github.com/seed-649d3d38/heddle/internal/cli"
)

// gcPercent lets garbage grow to four times what is live: the gateway holds little and
// allocates much, and collecting less often was measured at a tenth more throughput.
// GOMEMLIMIT still bounds it, and GOGC still overrides it.
const gcPercent = 400

// flags are the command line of the gateway.
type flags struct {
	Version      kong.VersionFlag `help:"Print the version and exit."`
	Bus          bus.Options      `embed:""`
	daemon.Flags `embed:""`
	Gateway      server.Flags `embed:""`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program without the process around it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var f flags
	_, code, ok := cli.Parse(cli.Program{
		Name:        "gateway",
		Description: "The REST gateway: offers the operations of Heddle over HTTP.",
		Flags:       &f,
	}, args, stdout, stderr)
	if !ok {
		return code
	}
	return cli.Report(stderr, "gateway", f.serve(ctx, stderr))
}

func (f *flags) serve(ctx context.Context, stderr io.Writer) error {
	r, err := f.Start(ctx, "gateway", stderr)
	if err != nil {
		return err
	}
	nc, err := r.Connect(ctx, "gateway", f.Bus)
	if err != nil {
		return r.Abort(ctx, err)
	}
	store, err := r.ServeJobs(ctx, nc, contract.All())
	if err != nil {
		return r.Abort(ctx, err)
	}
	address, err := server.Start(ctx, r, nc, store, f.Gateway, contract.All())
	if err != nil {
		return r.Abort(ctx, err)
	}
	r.Ready("http", address.String(), "broker", nc.ConnectedUrlRedacted())
	return r.Wait(ctx)
}
