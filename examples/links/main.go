// Command links collects the links of web pages, in parallel, on several instances of
// the crawler. Without addresses it crawls a small site of its own on a loopback
// address, which has everything that goes wrong.
//
//	go run ./examples/links
//	go run ./examples/links https://example.com/ https://go.dev/
//
// It answers the book's crawlers on a pool of threads, of processes and on several
// machines. There a dead page looks like one without links and then ends the program, an
// error page is a good one, and one slow server holds everybody. Here every page has its
// own line: its links, its status, or why it could not be fetched.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
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
		fmt.Fprintln(os.Stderr, "links:", err)
		os.Exit(1)
	}
}

// run is the program without the process around it.
func run(ctx context.Context, args []string, server string, out io.Writer) error {
	flags := flag.NewFlagSet("links", flag.ExitOnError)
	broker := flags.String("server", server, "broker with running services to use instead of this process")
	instances := flags.Int("instances", 2, "instances in this process")
	limit := flags.Int("limit", 8, "pages under way at once")
	_ = flags.Parse(args) // exits instead
	cfg := local.Config{Server: *broker, Instances: *instances}
	var allow []crawl.AllowRule
	addresses := flags.Args()
	if len(addresses) == 0 {
		site, own := newSite()
		defer site.Close()
		addresses, allow = own, []crawl.AllowRule{loopback}
	}
	if *broker == "" {
		cfg.Services = crawler(allow)
	}
	return local.Run(ctx, cfg, func(ctx context.Context, nc *nats.Conn) error {
		return collect(ctx, &client.NATS{Conn: nc}, *limit, addresses, out)
	})
}

// crawler returns the services of an instance. Addresses that are not public are fetched
// from only if a rule allows it.
func crawler(allow []crawl.AllowRule) func() ([]solver.Service, error) {
	return func() ([]solver.Service, error) {
		c, err := crawl.New(crawl.Config{Allow: allow})
		if err != nil {
			return nil, err
		}
		return []solver.Service{c.Service()}, nil
	}
}

// page is what became of one address.
type page struct {
	address string
	result  contract.LinksResult
	err     error
}

// collect prints what became of every address, in order.
func collect(ctx context.Context, c client.Caller, limit int, addresses []string, out io.Writer) error {
	// A page that fails is a page too: it does not end the others.
	fetch := func(ctx context.Context, address string) (page, error) {
		result, err := client.Call(ctx, c, contract.CrawlerLinks, contract.LinksRequest{URL: address})
		return page{address, result, err}, ctx.Err()
	}
	for p, err := range client.Stage(client.From(slices.Values(addresses)), limit, fetch)(ctx) {
		switch {
		case err != nil:
			return err
		case p.err != nil:
			fmt.Fprintf(out, "%s failed: %s\n", p.address, contract.FromError(p.err).Detail)
		case p.result.Status < 200 || p.result.Status > 299:
			fmt.Fprintf(out, "%s has the status %d\n", p.address, p.result.Status)
		default:
			fmt.Fprintf(out, "%s has %d links\n", p.address, len(p.result.Links))
		}
		for _, link := range p.result.Links {
			fmt.Fprintf(out, "  %s %q\n", link.URL, link.Text)
		}
	}
	return nil
}
