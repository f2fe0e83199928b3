package main

import (
	"context"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/daemon"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/booktest"
	"github.com/seed-649d3d38/heddle/local"
	"github.com/seed-649d3d38/heddle/solver"
)

// No goroutine is left, also not of requests that were given up.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBook(t *testing.T) {
	t.Parallel()
	booktest.Run(t, "../../docs/book.md", "go run ./examples/futures", func(args []string, out io.Writer) error {
		return run(t.Context(), args, "", out)
	})
}

var line = regexp.MustCompile(`^F\(10\) = 55 by instance (\w+)\n$`)

// Every callback runs once, and the work is spread over the instances.
func TestCallbacks(t *testing.T) {
	t.Parallel()
	const n = 64 // one of two instances is left out with a probability of 2^-63
	var out strings.Builder
	if err := run(t.Context(), slices.Repeat([]string{"10"}, n), "", &out); err != nil {
		t.Fatal(err)
	}
	instances := make(map[string]int)
	lines := slices.Collect(strings.Lines(out.String()))
	for _, l := range lines[:len(lines)-1] {
		if m := line.FindStringSubmatch(l); m != nil {
			instances[m[1]]++
		}
	}
	total := 0
	for _, count := range instances {
		total += count
	}
	if total != n || len(instances) != 2 || lines[n] != "all 64 are there\n" {
		t.Errorf("%d answers by %d instances, want %d by 2:\n%s", total, len(instances), n, &out)
	}
}

func TestFailuresCallBackToo(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	err := run(t.Context(), []string{"4", "four", "0"}, "", &out)
	if err == nil || err.Error() != "1 of 3 inputs failed" {
		t.Errorf("got %v, want one failure", err)
	}
	for _, want := range []string{"F(4) = 3 by", "F(0) = 0 by", "F(four): invalid_argument: must be a whole number"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing from\n%s", want, &out)
		}
	}
}

// Requests that are under way when the context ends are given up at once, whatever the
// service does.
func TestCancel(t *testing.T) {
	t.Parallel()
	begun, release := make(chan struct{}, 4), make(chan struct{})
	stubborn := solver.Service{Name: "fibonacci", Version: "1.0.0", Operations: []solver.Operation{
		solver.Bind(contract.FibonacciTerm, func(context.Context, contract.TermRequest) (contract.TermResult, error) {
			begun <- struct{}{}
			<-release
			return contract.TermResult{}, nil
		}),
	}}
	cfg := local.Config{Services: daemon.Fixed(stubborn), Host: host.Config{Slots: 4}}
	err := local.Run(t.Context(), cfg, func(ctx context.Context, nc *nats.Conn) error {
		defer close(release)
		ctx, cancel := context.WithCancel(ctx)
		g := client.NewGroup(4)
		var futures []*client.Future[answer]
		for range 4 {
			futures = append(futures, client.Go(ctx, g, ask(&client.NATS{Conn: nc}), "10"))
		}
		for range 4 {
			<-begun
		}
		cancel()
		g.Wait()
		for _, f := range futures {
			if _, err := f.Wait(t.Context()); !errors.Is(err, contract.CodeCanceled) {
				t.Errorf("got %v, want %s", err, contract.CodeCanceled)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestNoBroker(t *testing.T) {
	t.Parallel()
	if err := run(t.Context(), []string{"-server", "nats://127.0.0.1:1", "1"}, "", io.Discard); !errors.Is(err, contract.CodeUnavailable) {
		t.Errorf("got %v, want %s", err, contract.CodeUnavailable)
	}
}
