package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/services/crawler/crawl"
	"github.com/seed-649d3d38/heddle/services/sqrt/root"
)

// TestCrawlersStopAndRootsGoOn stops the only crawler while it waits for a page: square
// roots are answered meanwhile and afterwards, and links are refused, not waited for. The
// instance of sqrt has one slot, so nothing that has to do with the crawler may take it.
func TestCrawlersStopAndRootsGoOn(t *testing.T) {
	t.Parallel()
	asked, answer := make(chan struct{}), make(chan struct{})
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-answer
		w.Header().Set("Content-Type", "text/html")
	}))
	t.Cleanup(site.Close)
	b := brokertest.StartIn(t, t.TempDir()) // with lanes
	crawler, err := crawl.New(crawl.Config{Allow: []crawl.AllowRule{{Prefix: netip.MustParsePrefix("127.0.0.0/8")}}})
	if err != nil {
		t.Fatal(err)
	}
	crawlers, err := host.Start(t.Context(), brokertest.Connect(t, b), host.Config{}, crawler.Service())
	if err != nil {
		t.Fatal(err)
	}
	roots, err := host.Start(t.Context(), brokertest.Connect(t, b), host.Config{Slots: 1}, root.Service())
	if err != nil {
		t.Fatal(err)
	}
	c := &client.NATS{Conn: brokertest.Connect(t, b)}
	links := client.Remote(c, contract.CrawlerLinks)
	wantRoot := func(when string) {
		t.Helper()
		r, err := client.Call(t.Context(), c, contract.SqrtRoot, contract.RootRequest{X: "4"})
		if err != nil || !r.Exact {
			t.Errorf("%s: got %+v, %v, want the root of 4", when, r, err)
		}
	}

	page := make(chan error)
	go func() {
		_, err := links(t.Context(), contract.LinksRequest{URL: site.URL})
		page <- err
	}()
	<-asked
	wantRoot("a crawler waits")
	drained := make(chan error)
	go func() { drained <- crawlers.Drain(context.Background()) }()
	brokertest.Await(t, "the drain", func() bool { return crawlers.Ready() != nil })
	wantRoot("a crawler drains") // it cannot be done, since its page has not come
	close(answer)
	if err := errors.Join(<-page, <-drained); err != nil {
		t.Error(err)
	}
	if _, err := links(t.Context(), contract.LinksRequest{URL: site.URL}); !errors.Is(err, contract.CodeUnavailable) {
		t.Errorf("links without a crawler: got %v, want %s", err, contract.CodeUnavailable)
	}
	wantRoot("no crawler is left")
	if err := roots.Drain(context.Background()); err != nil {
		t.Error(err)
	}
}
