// Command kitwork does work as a service of Heddle's kit, in the form of all its programs:
// "work.do" in a slot, "work.once" in a slot and never twice, "work.light" at once.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/seed-649d3d38/heddle/bench/work"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/daemon"
	"github.com/seed-649d3d38/heddle/solver"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(daemon.Main(ctx, os.Args[1:], os.Stdout, os.Stderr, daemon.Program{
		Name:        "kitwork",
		Description: "Works as it is told, to be measured.",
		Services:    daemon.Fixed(service()),
	}))
}

func service() solver.Service {
	spec := contract.Spec{Service: "work", Operation: "do", Summary: "Works", Pure: true}
	do := contract.Define[work.Request, work.Result](spec)
	spec.Operation = "light"
	light := contract.Define[work.Request, work.Result](spec)
	spec.Operation, spec.Pure = "once", false
	once := contract.Define[work.Request, work.Result](spec)
	return solver.Service{
		Name: "work", Version: "1.0.0", Description: "Works",
		Operations: []solver.Operation{
			solver.Bind(do, work.Do),
			solver.Bind(once, work.Do),
			solver.BindEstimated(light, work.Do, func(work.Request) solver.Cost { return solver.Cost{Light: true} }),
		},
	}
}
