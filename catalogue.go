package main

import (
	"github.com/seed-649d3d38/heddle/services/crawler/crawl"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
	"github.com/seed-649d3d38/heddle/services/sqrt/root"
	"github.com/seed-649d3d38/heddle/solver"
)

// serviceFlags are the flags of services that have any.
type serviceFlags struct {
	CrawlAllow []crawl.AllowRule `help:"Addresses that are not public and that the crawler may fetch from all the same, such as 127.0.0.0/8 or 10.0.0.0/8:8080. Repeatable." env:"HEDDLE_CRAWL_ALLOW" placeholder:"CIDR[:PORT]"`
}

// catalogue makes the services of the suite, in the order of the documentation. A new
// service is added to this list.
func (f serviceFlags) catalogue() ([]solver.Service, error) {
	crawler, err := crawl.New(crawl.Config{Allow: f.CrawlAllow})
	if err != nil {
		return nil, err
	}
	return []solver.Service{
		fib.Service(),
		root.Service(),
		crawler.Service(),
	}, nil
}
