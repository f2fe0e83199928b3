package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-649d3d38/heddle/daemon"
	"github.com/seed-649d3d38/heddle/internal/bus"
	"github.com/seed-649d3d38/heddle/solver"
)

// workerCommand hosts some of the services in one process.
type workerCommand struct {
	Names        []string    `arg:"" name:"service" help:"Services to host: fibonacci, sqrt, crawler."`
	Bus          bus.Options `embed:""`
	daemon.Flags `embed:""`
	Host         daemon.HostFlags `embed:""`
	serviceFlags `embed:""`
}

// Run implements the command.
func (c *workerCommand) Run(ctx context.Context, s streams) error {
	return daemon.Run(ctx, s.err, daemon.Program{
		Name:     "worker",
		Services: c.services,
	}, c.Bus, c.Flags, c.Host)
}

// services returns the services that were named, each once.
func (c *workerCommand) services() ([]solver.Service, error) {
	all, err := c.catalogue()
	if err != nil {
		return nil, err
	}
	var chosen []solver.Service
	for i, name := range c.Names {
		at := slices.IndexFunc(all, func(s solver.Service) bool { return s.Name == name })
		switch {
		case at < 0:
			return nil, fmt.Errorf("there is no service %q; the services are %s", name, names(all))
		case !slices.Contains(c.Names[:i], name):
			chosen = append(chosen, all[at])
		}
	}
	return chosen, nil
}

func names(services []solver.Service) string {
	var names []string
	for _, s := range services {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}
