package crawl_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/crawler/crawl"
)

// The tests in this file hold the crawler against the flaws of the crawlers in the book
// that the suite stands in for. Those fetch without a time limit, swallow failures, and
// find links with one regular expression.

func TestBookDeadHost(t *testing.T) {
	t.Parallel()
	// A port that was free a moment ago, and that nobody listens on.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + listener.Addr().String() + "/"
	listener.Close()
	crawler := newCrawler(t, crawl.Config{})
	_, err = crawler.Links(t.Context(), contract.LinksRequest{URL: address})
	wantFault(t, err, contract.CodeUpstream, "127.0.0.1 refused the connection")
}

func TestBookUnknownHost(t *testing.T) {
	t.Parallel()
	crawler := newCrawler(t, crawl.Config{Resolver: newNames(t).resolver()})
	_, err := crawler.Links(t.Context(), contract.LinksRequest{URL: "http://nobody.example/"})
	wantFault(t, err, contract.CodeUpstream, "there is no host named nobody.example")
}

func TestBookHangingServerHoldsNobody(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	site := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	failed := make(chan error)
	crawler := newCrawler(t, crawl.Config{})
	go func() {
		_, err := crawler.Links(ctx, contract.LinksRequest{URL: site.URL})
		failed <- err
	}()
	<-arrived
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v, want that of the context", err)
	}
}

func TestBookHangingServerIsGivenUp(t *testing.T) {
	t.Parallel()
	site := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	crawler := newCrawler(t, crawl.Config{HeaderTime: short})
	_, err := crawler.Links(t.Context(), contract.LinksRequest{URL: site.URL})
	wantFault(t, err, contract.CodeUpstream, "127.0.0.1 did not answer in time")
}

func TestBookFailedAndNoLinksLookDifferent(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/broken" {
			w.Header().Set("Content-Length", "1000")
			html("<p>The beginning")(w, r)
			return
		}
		html("<p>No links here")(w, r)
	})
	crawler := newCrawler(t, crawl.Config{})
	if result := fetch(t, crawler, site.URL); result.Status != 200 || result.Links == nil || len(result.Links) != 0 {
		t.Errorf("a page without links has the result %+v", result)
	}
	_, err := crawler.Links(t.Context(), contract.LinksRequest{URL: site.URL + "/broken"})
	wantFault(t, err, contract.CodeUpstream, "127.0.0.1 closed the connection before the page was complete")
}

func TestBookErrorPagesAreNotGoodPages(t *testing.T) {
	t.Parallel()
	for _, status := range []int{404, 500} {
		site := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			html("<title>Sorry</title><a href=/>Home</a>")(w, r)
		})
		result := fetch(t, newCrawler(t, crawl.Config{}), site.URL)
		want := contract.LinksResult{
			URL: site.URL, FinalURL: site.URL + "/", Status: status, ContentType: "text/html", Links: []contract.Link{},
		}
		if !reflect.DeepEqual(result, want) {
			t.Errorf("the result of a page with status %d is\n%+v, want\n%+v", status, result, want)
		}
	}
}

// What the book's pattern makes of pages, and what the pages say.
func TestBookPattern(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, page string
		want       []string
	}{
		{"empty page", "", nil},
		{"page without links", "<p>text</p>", nil},
		{"links are resolved", `<a href="x"><a href="../y"><a href="/z"><a href="?q">`,
			[]string{"/dir/x", "/y", "/z", "/dir/page?q"}},
		{"links are not repeated", `<a href="/x"><a href="/x"><a href="/x#f"><a href="../x">`, []string{"/x"}},
		{"fragments are removed", `<a href="#top"><a href="/x#top">`, []string{"/dir/page", "/x"}},
		{"only web addresses", `<a href="javascript:void(0)"><a href="mailto:a@b.c"><a href="data:text/html,x"><a href="tel:1"><a href="/x">`,
			[]string{"/x"}},
		{"entities are decoded", `<a href="/x?a=1&amp;b=&quot;2&quot;&#x33;">`, []string{`/x?a=1&b=%222%223`}},
		{"base", `<base href="http://other.example/sub/"><a href="x"><a href="/y">`,
			[]string{"http://other.example/sub/x", "http://other.example/y"}},
		{"base relative to the page", `<base href="sub/"><a href="x">`, []string{"/dir/sub/x"}},
		{"comments", `<!-- <a href="/x"> --><a href="/y">`, []string{"/y"}},
		{"scripts", `<script>document.write('<a href="/x">')</script><a href="/y">`, []string{"/y"}},
		{"upper case", `<A HREF="/X">`, []string{"/X"}},
		{"unquoted", `<a href=/x>`, []string{"/x"}},
		{"spaces around the equals sign", `<a href = "/x">`, []string{"/x"}},
		{"a quote inside a value", `<a href="/it's">`, []string{"/it's"}},
		{"an anchor without href, then a style sheet", `<a name="top">Top</a><link rel="stylesheet" href="/style.css">`, nil},
		{"data-href", `<a data-href="/x">`, nil},
		{"hostile blanks", "<a" + strings.Repeat(" ", 1_000_000), nil},
		{"hostile blanks that end", "<a" + strings.Repeat(" ", 1_000_000) + `><a href="/x">`, []string{"/x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			result, site := fetchPage(t, tt.page)
			if got := addresses(result, site); !reflect.DeepEqual(got, append([]string{}, tt.want...)) {
				t.Errorf("the links are %q, want %q", got, tt.want)
			}
			if result.Truncated {
				t.Error("the result is truncated")
			}
		})
	}
}
