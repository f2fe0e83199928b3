// Command fibonacci hosts the fibonacci service on a broker.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/seed-649d3d38/heddle/daemon"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(daemon.Main(ctx, os.Args[1:], os.Stdout, os.Stderr, daemon.Program{
		Name:        "fibonacci",
		Description: "Computes Fibonacci terms, exact at any size.",
		Services:    daemon.Fixed(fib.Service()),
	}))
}
