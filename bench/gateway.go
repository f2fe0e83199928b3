package main

import (
	"context"
	"errors"

	"github.com/seed-649d3d38/heddle/bench/figure"
	"github.com/seed-649d3d38/heddle/bench/load"
	"github.com/seed-649d3d38/heddle/bench/process"
	"github.com/seed-649d3d38/heddle/contract"
)

// The goals of the gateway against a bare one; the aims are what a trial of the design
// reached.
var (
	gatewayThroughput = figure.Goal{Order: figure.AtLeast, Must: 0.80, Aim: 0.92}
	gatewayP99        = figure.Goal{Order: figure.AtMost, Must: 1.5, Aim: 1.11}
)

// gatewayGOGC is what the gateway sets for itself.
const gatewayGOGC = "GOGC=400"

// gateway compares gateways that are called over HTTP.
func (b *bench) gateway(ctx context.Context) (err error) {
	var s stage
	defer func() { err = errors.Join(err, s.stop()) }()
	variants, err := b.startGateways(ctx, &s)
	if err != nil {
		return err
	}
	loader, _, err := s.start(ctx, with(b.role("http-load"), loadGOGC), saysReady)
	if err != nil {
		return err
	}
	if err := b.alternate(ctx, loader, variants); err != nil {
		return err
	}
	return errors.Join(b.printGateway(variants), s.stop())
}

// startGateways starts two brokers, one with the bare echo and one with the real
// service, and the gateways in front of them.
func (b *bench) startGateways(ctx context.Context, s *stage) ([]*variant, error) {
	subject, path := contract.FibonacciTerm.Subject(), contract.FibonacciTerm.Route()
	bareBroker, bareURL, err := s.start(ctx, b.role("broker"), saysReady)
	if err != nil {
		return nil, err
	}
	suiteBroker, suiteURL, err := s.start(ctx, b.role("broker"), saysReady)
	if err != nil {
		return nil, err
	}
	echo, _, err := s.start(ctx, b.program("microecho", bareURL, subject), saysReady)
	if err != nil {
		return nil, err
	}
	fibonacci, _, err := s.start(ctx, b.program("fibonacci", "--server", suiteURL, "--log-format", "json"), logsReady)
	if err != nil {
		return nil, err
	}
	ours := func(url string) process.Command {
		return b.program("gateway", "--server", url, "--http", anyPort, "--log-format", "json")
	}
	bare := b.program("baregateway", bareURL, subject, path)
	var variants []*variant
	for _, v := range []struct {
		name            string
		command         process.Command
		ready           func(string) (string, bool)
		service, broker *process.Process
	}{
		{"bare gateway + bare echo", bare, saysReady, echo, bareBroker},
		{"bare gateway + bare echo, " + gatewayGOGC, with(bare, gatewayGOGC), saysReady, echo, bareBroker},
		{"heddle gateway + bare echo", ours(bareURL), logsReady, echo, bareBroker},
		{"heddle gateway + heddle fibonacci", ours(suiteURL), logsReady, fibonacci, suiteBroker},
	} {
		p, address, err := s.start(ctx, v.command, v.ready)
		if err != nil {
			return nil, err
		}
		variants = append(variants, &variant{
			name: v.name, run: load.Run{Target: address, Path: path}, busy: []*process.Process{p, v.service, v.broker},
		})
	}
	return variants, nil
}

func (b *bench) printGateway(variants []*variant) error {
	if err := b.printf("gateway: POST %s %s, %d connections, %d rounds of %v; the heddle gateway sets %s for itself\n\n",
		variants[0].run.Path, requestBody, inFlight, b.extent.rounds, b.extent.runTime, gatewayGOGC); err != nil {
		return err
	}
	if err := b.printVariants(variants, "gateway", "service", "broker"); err != nil {
		return err
	}
	var goals figure.Goals
	for _, v := range variants[2:] {
		for _, base := range variants[:2] {
			goals.Add(v.name+": throughput / "+base.name, v.perSecond.Over(base.perSecond), gatewayThroughput, 2)
			goals.Add(v.name+": p99 / "+base.name, v.p99.Over(base.p99), gatewayP99, 2)
		}
	}
	return goals.Print(b.out)
}
