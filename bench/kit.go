package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-649d3d38/heddle/bench/figure"
	"github.com/seed-649d3d38/heddle/bench/load"
	"github.com/seed-649d3d38/heddle/bench/process"
	"github.com/seed-649d3d38/heddle/contract"
)

// kitGoal is the throughput of the kit against a bare micro service; the aim is what a
// trial of the design reached.
var kitGoal = figure.Goal{Order: figure.AtLeast, Must: 0.85, Aim: 0.95}

// kitService is a service of the comparison.
type kitService struct {
	name, subject string
	command       process.Command
	process       *process.Process
}

// kit compares services that are called over NATS, with two clients: one as programs
// have it, and one that leaves more of the machine to the services.
func (b *bench) kit(ctx context.Context) (err error) {
	var s stage
	defer func() { err = errors.Join(err, s.stop()) }()
	broker, url, err := s.start(ctx, b.role("broker"), saysReady)
	if err != nil {
		return err
	}
	services := b.kitServices(url)
	for i, v := range services {
		if services[i].process, _, err = s.start(ctx, v.command, saysReady); err != nil {
			return err
		}
	}
	compare := func(role string) ([]*variant, error) {
		client, _, err := s.start(ctx, with(b.role(role, url), loadGOGC), saysReady)
		if err != nil {
			return nil, err
		}
		var variants []*variant
		for _, v := range services {
			variants = append(variants, &variant{
				name: v.name, run: load.Run{Target: v.subject}, busy: []*process.Process{v.process, broker, client},
			})
		}
		return variants, b.alternate(ctx, client, variants)
	}
	requests, err := compare("nats-requests")
	if err != nil {
		return err
	}
	pipeline, err := compare("nats-pipeline")
	if err != nil {
		return err
	}
	return errors.Join(b.printKit(requests, pipeline), s.stop())
}

// kitServices returns the bare services, then those of the kit.
func (b *bench) kitServices(url string) []kitService {
	plain, measured := contract.Subject("echo", "plain"), contract.Subject("echo", "measured")
	return []kitService{
		{name: "bare micro echo", subject: "bare", command: b.program("microecho", url, "bare")},
		{name: "bare micro echo, encodes", subject: "encoded", command: b.program("microecho", "--encode", url, "encoded")},
		{name: "kit echo", subject: plain, command: b.program("kitecho", url)},
		{name: "kit echo, metrics on", subject: measured, command: b.program("kitecho", "--metrics", url)},
	}
}

// loadGOGC has the load collect garbage less often, so that it takes less of the
// processors that it shares with what it measures.
const loadGOGC = "GOGC=400"

func (b *bench) printKit(requests, pipeline []*variant) error {
	if err := b.printf("kit: small request over NATS, %d in flight on one connection, %d rounds of %v\n\nthe client calls nats.Conn.Request:\n\n",
		inFlight, b.extent.rounds, b.extent.runTime); err != nil {
		return err
	}
	if err := b.printVariants(requests, "service", "broker", "client"); err != nil {
		return err
	}
	bare := requests[0]
	var goals figure.Goals
	for _, v := range requests[2:] {
		goals.Add(v.name+": throughput / "+bare.name, v.perSecond.Over(bare.perSecond), kitGoal, 2)
	}
	if err := goals.Print(b.out); err != nil {
		return err
	}
	if err := b.printf("the client is one goroutine that sends and receives, cheaper than programs have it:\n\n"); err != nil {
		return err
	}
	return b.printVariants(pipeline, "service", "broker", "client")
}

// printf prints what stands between tables.
func (b *bench) printf(format string, args ...any) error {
	_, err := fmt.Fprintf(b.out, format, args...)
	return err
}
