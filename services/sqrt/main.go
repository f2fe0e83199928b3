// Command sqrt hosts the sqrt service on a broker.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/seed-649d3d38/heddle/daemon"
	"github.com/seed-649d3d38/heddle/services/sqrt/root"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(daemon.Main(ctx, os.Args[1:], os.Stdout, os.Stderr, daemon.Program{
		Name:        "sqrt",
		Description: "Computes square roots, exact and correctly rounded.",
		Services:    daemon.Fixed(root.Service()),
	}))
}
