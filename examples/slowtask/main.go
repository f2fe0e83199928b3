// Command slowtask sends three requests to one instance: a slow one first, then two
// quick ones, and prints them in the order in which they finish.
//
//	go run ./examples/slowtask
//
// It answers the book's three coroutines, one of which sleeps: as long as it blocks the
// loop, the others do not begin. Here the slow page answers only when the quick ones have
// been printed, so the program could not end if one request held up another.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/local"
	"github.com/seed-649d3d38/heddle/services/crawler/crawl"
	"github.com/seed-649d3d38/heddle/solver"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := run(ctx, os.Args[1:], os.Getenv("NATS_URL"), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "slowtask:", err)
		os.Exit(1)
	}
}

// run is the program without the process around it.
func run(ctx context.Context, args []string, server string, out io.Writer) error {
	flags := flag.NewFlagSet("slowtask", flag.ExitOnError)
	broker := flags.String("server", server, "broker with a running crawler, started with --crawl-allow 127.0.0.0/8")
	_ = flags.Parse(args) // exits instead
	cfg := local.Config{Server: *broker}
	if *broker == "" {
		cfg.Services = crawler
	}
	return local.Run(ctx, cfg, func(ctx context.Context, nc *nats.Conn) error {
		return three(ctx, &client.NATS{Conn: nc}, out)
	})
}

// crawler makes the service of the instance in this process, which may fetch from it.
func crawler() ([]solver.Service, error) {
	loopback := crawl.AllowRule{Prefix: netip.MustParsePrefix("127.0.0.0/8")}
	c, err := crawl.New(crawl.Config{Allow: []crawl.AllowRule{loopback}})
	if err != nil {
		return nil, err
	}
	return []solver.Service{c.Service()}, nil
}

// three fetches the three pages. The slow one is begun before the others are, and its
// page waits for them.
func three(ctx context.Context, c client.Caller, out io.Writer) error {
	begun, release := make(chan struct{}), make(chan struct{})
	begin := sync.OnceFunc(func() { close(begun) })
	site := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/slow" {
			return
		}
		begin()
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer site.Close()
	var mu sync.Mutex
	var failures error
	get := func(g *client.Group, name, path string) *client.Future[contract.LinksResult] {
		request := contract.LinksRequest{URL: site.URL + path}
		return client.Go(ctx, g, client.Remote(c, contract.CrawlerLinks), request).Then(func(_ contract.LinksResult, err error) {
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failures = errors.Join(failures, fmt.Errorf("%s: %w", name, err))
				return
			}
			fmt.Fprintln(out, name, "is done")
		})
	}
	one, others := client.NewGroup(1), client.NewGroup(2)
	slow := get(one, "slow A", "/slow")
	select {
	case <-begun:
		for _, name := range []string{"B", "C"} {
			get(others, "quick "+name, "/"+name)
			others.Wait() // for the line too
		}
	case <-slow.Done(): // it was refused
	}
	close(release)
	one.Wait()
	return failures
}
