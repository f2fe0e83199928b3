// Command crawler hosts the crawler service on a broker.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/seed-649d3d38/heddle/daemon"
	"github.com/seed-649d3d38/heddle/services/crawler/crawl"
	"github.com/seed-649d3d38/heddle/solver"
)

// flags are the crawler's own.
type flags struct {
	CrawlAllow []crawl.AllowRule `help:"Addresses that are not public and that the crawler may fetch from all the same, such as 127.0.0.0/8 or 10.0.0.0/8:8080. Repeatable." env:"HEDDLE_CRAWL_ALLOW" placeholder:"CIDR[:PORT]"`
}

func (f *flags) services() ([]solver.Service, error) {
	crawler, err := crawl.New(crawl.Config{Allow: f.CrawlAllow})
	if err != nil {
		return nil, err
	}
	return []solver.Service{crawler.Service()}, nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	own := new(flags)
	os.Exit(daemon.Main(ctx, os.Args[1:], os.Stdout, os.Stderr, daemon.Program{
		Name:        "crawler",
		Description: "Fetches web pages and returns their links.",
		Options:     own,
		Services:    own.services,
	}))
}
