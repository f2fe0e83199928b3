// Command statistics crawls pages on several instances, keeps the first links of each,
// and prints which instance did how much of the work.
//
//	go run ./examples/statistics -instances 3
//	go run ./examples/statistics -server nats://127.0.0.1:4222 https://example.com/
//
// It answers the book's crawler on several machines, which ends with a table of jobs per
// server. There the machines are named in the program, must have its libraries, and a
// job that fails leaves nothing; here instances come and go without anybody being told,
// only requests travel, and the table adds up to the number of pages whatever happens.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
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
		fmt.Fprintln(os.Stderr, "statistics:", err)
		os.Exit(1)
	}
}

// run is the program without the process around it.
func run(ctx context.Context, args []string, server string, out io.Writer) error {
	flags := flag.NewFlagSet("statistics", flag.ExitOnError)
	broker := flags.String("server", server, "broker with running services to use instead of this process")
	instances := flags.Int("instances", 2, "instances in this process")
	limit := flags.Int("links", 3, "links to keep of each page")
	_ = flags.Parse(args) // exits instead
	cfg := local.Config{Server: *broker, Instances: *instances}
	if *broker == "" {
		cfg.Services = crawler
	}
	addresses := flags.Args()
	if len(addresses) == 0 {
		site := httptest.NewServer(http.HandlerFunc(servePage))
		defer site.Close()
		for n := range 40 {
			addresses = append(addresses, fmt.Sprintf("%s/%d", site.URL, n))
		}
	}
	return local.Run(ctx, cfg, func(ctx context.Context, nc *nats.Conn) error {
		tally := client.NewTally(&client.NATS{Conn: nc})
		if err := crawlAll(ctx, tally, *limit, addresses, out); err != nil {
			return err
		}
		return tally.Print(out)
	})
}

// crawler makes the services of an instance in this process, which may fetch from it.
func crawler() ([]solver.Service, error) {
	loopback := crawl.AllowRule{Prefix: netip.MustParsePrefix("127.0.0.0/8")}
	c, err := crawl.New(crawl.Config{Allow: []crawl.AllowRule{loopback}})
	if err != nil {
		return nil, err
	}
	return []solver.Service{c.Service()}, nil
}

// servePage serves the pages of the program's own site.
func servePage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	for n := range 5 {
		fmt.Fprintf(w, "<a href='%s/%d'>link</a>", r.URL.Path, n)
	}
}

// crawlAll prints why pages failed, in order, and the number of links of the others.
func crawlAll(ctx context.Context, c client.Caller, limit int, addresses []string, out io.Writer) error {
	type page struct {
		links   int
		failure error // of this page; it does not end the others
	}
	fetch := func(ctx context.Context, address string) (page, error) {
		result, err := client.Call(ctx, c, contract.CrawlerLinks, contract.LinksRequest{URL: address, Limit: limit})
		return page{len(result.Links), err}, ctx.Err()
	}
	pages, err := client.Scatter(ctx, 8, fetch, slices.Values(addresses))
	if err != nil {
		return err
	}
	links := 0
	for i, p := range pages {
		if links += p.links; p.failure != nil {
			fmt.Fprintf(out, "%s failed: %s\n", addresses[i], contract.FromError(p.failure).Detail)
		}
	}
	_, err = fmt.Fprintf(out, "%d links of %d pages\n", links, len(addresses))
	return err
}
