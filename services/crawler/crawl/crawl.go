// Package crawl solves the crawler's problem: it fetches one page of the web and returns
// its links.
//
// It fetches on a person's behalf, so it neither asks robots.txt nor waits between
// pages, and it follows redirects but no links. It fetches from public addresses only:
// every address is checked at the moment it is dialled, after name resolution and on
// every hop of a redirect, and what an operator wants to let through in addition is
// named by rules. It keeps no cookies, sends no Referer, uses no proxy and holds pages
// to limits of size and time.
//
//	crawler, err := crawl.New(crawl.Config{})
//	defer crawler.Close()
//	result, err := crawler.Links(ctx, contract.LinksRequest{URL: "https://example.com/"})
package crawl

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/crawler/internal/page"
	"github.com/seed-649d3d38/heddle/solver"
)

const version = "1.0.0"

// userAgent names the crawler to the sites it visits, with an address to complain to.
const userAgent = "heddle-crawler/" + version + " (+https://github.com/seed-649d3d38/heddle)"

// Bounds of what connections cost while and after they are used.
const (
	maxResponseHeader = 128 << 10 // bytes
	maxIdle           = 64        // connections
	maxIdlePerSite    = 4
	idleTime          = 30 * time.Second
	streamWindow      = 256 << 10 // bytes of HTTP/2 that a site may send ahead
	connectionWindow  = 1 << 20
)

// Config says what a crawler may reach and how long it waits. The zero value is a
// crawler of public addresses with the limits below.
type Config struct {
	// Allow lets addresses through that are not public.
	Allow []AllowRule
	// PageSize is the part of a page that is read, in bytes after decompression. A
	// longer page is truncated. 0 means 8 MiB.
	PageSize int64
	// TotalTime bounds one request from the first connection to the last byte,
	// redirects included. 0 means 30 s.
	TotalTime time.Duration
	// HeaderTime bounds each of the steps before a page begins: name resolution and
	// connection, TLS handshake, wait for the response header. 0 means 10 s.
	HeaderTime time.Duration
	// StallTime bounds the wait for each next part of a page. 0 means 10 s.
	StallTime time.Duration
	// Resolver looks up names. Nil means the system's resolver.
	Resolver *net.Resolver
}

// Crawler fetches pages. It is safe for concurrent use. It holds connections open for a
// while after use; Close gives them back.
type Crawler struct {
	transport *http.Transport
	guard     guard
	pageSize  int64
	totalTime time.Duration
	stallTime time.Duration
}

// New returns a crawler. A negative limit is an error.
func New(config Config) (*Crawler, error) {
	if config.PageSize < 0 || config.TotalTime < 0 || config.HeaderTime < 0 || config.StallTime < 0 {
		return nil, fmt.Errorf("configure crawler: sizes and times must not be negative")
	}
	g := guard{allow: config.Allow}
	return &Crawler{
		transport: newTransport(g, config.Resolver, cmp.Or(config.HeaderTime, 10*time.Second)),
		guard:     g,
		pageSize:  cmp.Or(config.PageSize, 8<<20),
		totalTime: cmp.Or(config.TotalTime, 30*time.Second),
		stallTime: cmp.Or(config.StallTime, 10*time.Second),
	}, nil
}

// newTransport returns a transport that dials nothing but what the guard lets through.
// It is used without an [http.Client], whose redirects, cookies and Referer are not
// wanted. It decompresses gzip, so that limits count the bytes that come out.
func newTransport(g guard, resolver *net.Resolver, headerTime time.Duration) *http.Transport {
	dialer := &net.Dialer{Timeout: headerTime, Resolver: resolver, ControlContext: g.control}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	return &http.Transport{
		Proxy:                  nil, // a proxy would dial in our place, and unguarded
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    headerTime,
		ResponseHeaderTimeout:  headerTime,
		MaxResponseHeaderBytes: maxResponseHeader,
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    maxIdlePerSite,
		IdleConnTimeout:        idleTime,
		Protocols:              protocols,
		HTTP2: &http.HTTP2Config{
			MaxReceiveBufferPerStream:     streamWindow,
			MaxReceiveBufferPerConnection: connectionWindow,
		},
	}
}

// Close closes the connections that are not in use. The crawler stays usable.
func (c *Crawler) Close() { c.transport.CloseIdleConnections() }

// memory is what a request holds at its peak, in bytes: the anchors of the page and
// their growing slice, the links made from them, and what the connection has buffered.
// Pages are not held; they are read as they come.
const memory = 2*page.MaxSize + 2*maxResult + streamWindow

// Service returns the crawler as a service to be hosted.
func (c *Crawler) Service() solver.Service {
	return solver.Service{
		Name:        contract.CrawlerLinks.Service,
		Version:     version,
		Description: "Fetches web pages and returns their links",
		Waits:       true,
		Operations: []solver.Operation{
			solver.BindEstimated(contract.CrawlerLinks, c.Links, estimateLinks),
		},
		Close: c.Close,
	}
}

func estimateLinks(contract.LinksRequest) solver.Cost {
	return solver.Cost{Memory: memory}
}
