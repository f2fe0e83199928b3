// Command heddle runs problems in parallel: services that answer on NATS subjects
// behind a REST gateway. It starts everything in one process (up), hosts a choice of
// services (worker), calls and lists them (call, services), and keeps durable jobs (jobs).
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/seed-649d3d38/heddle/internal/cli"
)

// commands is the command line of heddle.
type commands struct {
	Up       upCommand       `cmd:"" help:"Start the broker, all services and the gateway in one process."`
	Worker   workerCommand   `cmd:"" help:"Host a choice of services on a broker."`
	Call     callCommand     `cmd:"" help:"Call one operation and print its result."`
	Jobs     jobsCommand     `cmd:"" help:"Submit durable jobs, watch them and read their results."`
	Services servicesCommand `cmd:"" help:"List the services that are running."`
	Bench    benchCommand    `cmd:"" help:"Measure how a running suite does one operation."`
	Version  versionCommand  `cmd:"" help:"Print the version."`

	Provision provisionCommand `cmd:"" help:"Make and change the streams that durable jobs need at a broker."`
}

const description = `Problems in parallel: services on NATS subjects behind a REST gateway.

Start with "heddle up" and, in another terminal, "heddle call fibonacci.term n=100".

Exit codes: 0 done, 1 failed, 2 wrong command line, 3 request refused, 4 no service, room or time: try again.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// streams are what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// run is the program without the process around it.
func run(ctx context.Context, args []string, s streams) int {
	var c commands
	selected, code, ok := cli.Parse(cli.Program{Name: "heddle", Description: description, Flags: &c}, args, s.out, s.err)
	if !ok {
		return code
	}
	selected.BindTo(ctx, (*context.Context)(nil))
	return cli.Report(s.err, "heddle", selected.Run(s))
}
