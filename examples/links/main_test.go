package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/booktest"
	"github.com/seed-649d3d38/heddle/internal/broker"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/services/crawler/crawl"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBook(t *testing.T) {
	t.Parallel()
	booktest.Run(t, "../../docs/book.md", "go run ./examples/links", func(args []string, out io.Writer) error {
		return run(t.Context(), args, "", out)
	})
}

// Every page has its line, in order, and each fate looks different.
func TestOwnSite(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := run(t.Context(), nil, "", &out); err != nil {
		t.Fatal(err)
	}
	const want = `http://SITE/ has 2 links
  http://SITE/empty "Nothing here"
  http://SITE/traps "Traps"
http://SITE/empty has 0 links
http://SITE/missing has the status 404
http://SITE/traps has 1 links
  http://SITE/sub/a?b=1&c=2 "<one>"
http://SITE/ failed: 127.0.0.1 refused the connection
`
	if got := regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(out.String(), "SITE"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Without a rule the crawler fetches nothing from the machine it runs on.
func TestLoopbackIsForbidden(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	err := run(t.Context(), []string{"http://127.0.0.1:1/"}, "", &out)
	if err != nil || !strings.Contains(out.String(), "http://127.0.0.1:1/ failed: ") || !strings.Contains(out.String(), "--crawl-allow") {
		t.Errorf("got %v and\n%s", err, &out)
	}
}

// One of two instances leaves in the middle of a crawl; no page is lost.
func TestInstanceLeaves(t *testing.T) {
	t.Parallel()
	visited, answer := make(chan struct{}, 100), make(chan struct{})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		visited <- struct{}{}
		select {
		case <-answer:
		case <-r.Context().Done():
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<a href="%s/next">next</a>`, r.URL.Path)
	}))
	t.Cleanup(web.Close)
	b, err := broker.Start(t.Context(), broker.Config{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Shutdown)
	var hosts []*host.Host
	for range 2 {
		services, err := crawler([]crawl.AllowRule{loopback})()
		if err != nil {
			t.Fatal(err)
		}
		h, err := host.Start(t.Context(), brokertest.Connect(t, b), host.Config{}, services...)
		if err != nil {
			t.Fatal(err)
		}
		hosts = append(hosts, h)
	}
	args := []string{"-server", b.URL(), "-limit", "4"}
	for i := range 20 {
		args = append(args, fmt.Sprintf("%s/%d", web.URL, i))
	}
	var out strings.Builder
	ended := make(chan error)
	go func() { ended <- run(t.Context(), args, "", &out) }()
	for range 4 {
		<-visited
	}
	drained := make(chan error)
	go func() { drained <- hosts[0].Drain(context.Background()) }()
	close(answer)
	if err := errors.Join(<-drained, <-ended, hosts[1].Drain(context.Background())); err != nil {
		t.Error(err)
	}
	if got := strings.Count(out.String(), " has 1 links\n"); got != 20 {
		t.Errorf("%d of 20 pages are there:\n%s", got, &out)
	}
}

// The end of the context ends the crawl with an error, and no page is called failed.
func TestCancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out strings.Builder
	err := collect(ctx, client.HTTP{Base: "http://127.0.0.1:1"}, 4, []string{"http://a.example/"}, &out)
	if !errors.Is(err, contract.CodeCanceled) || out.Len() > 0 {
		t.Errorf("got %v and\n%s", err, &out)
	}
}
