package crawl_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/crawler/crawl"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// loopback lets the crawler reach test servers.
var loopback = []crawl.AllowRule{
	{Prefix: netip.MustParsePrefix("127.0.0.0/8")},
	{Prefix: netip.MustParsePrefix("::1/128")},
}

func Example() {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, `<title>Weaving</title>
			<a href="/looms">Looms &amp; heddles</a>
			<a href="https://example.com/#top" rel=nofollow>Elsewhere</a>
			<a href="mailto:weaver@example.com">Write</a>`)
	}))
	defer site.Close()
	rule, err := crawl.ParseAllow("127.0.0.0/8")
	if err != nil {
		fmt.Println(err)
		return
	}
	crawler, err := crawl.New(crawl.Config{Allow: []crawl.AllowRule{rule}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer crawler.Close()

	result, err := crawler.Links(context.Background(), contract.LinksRequest{URL: site.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Status, result.ContentType, result.Title)
	for _, link := range result.Links {
		fmt.Printf("%s %q %q\n", strings.TrimPrefix(link.URL, site.URL), link.Text, link.Rel)
	}
	// Output:
	// 200 text/html Weaving
	// /looms "Looms & heddles" ""
	// https://example.com/ "Elsewhere" "nofollow"
}

// newCrawler returns a crawler that is closed at the end of the test. Without rules of
// its own it may reach loopback.
func newCrawler(t *testing.T, config crawl.Config) *crawl.Crawler {
	t.Helper()
	if config.Allow == nil {
		config.Allow = loopback
	}
	crawler, err := crawl.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(crawler.Close)
	return crawler
}

// serve starts a site that is stopped at the end of the test.
func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	site := httptest.NewServer(handler)
	t.Cleanup(site.Close)
	return site
}

// html returns a handler that answers every request with the page.
func html(page string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, page)
	}
}

// fetch fails the test unless the address has a result.
func fetch(t *testing.T, crawler *crawl.Crawler, address string) contract.LinksResult {
	t.Helper()
	result, err := crawler.Links(t.Context(), contract.LinksRequest{URL: address})
	if err != nil {
		t.Fatalf("Links(%s): %v", address, err)
	}
	return result
}

// fetchPage serves the page and fetches it.
func fetchPage(t *testing.T, page string) (contract.LinksResult, *httptest.Server) {
	t.Helper()
	site := serve(t, html(page))
	return fetch(t, newCrawler(t, crawl.Config{}), site.URL+"/dir/page"), site
}

// addresses returns the links' addresses, without the site's own scheme and host.
func addresses(result contract.LinksResult, site *httptest.Server) []string {
	list := []string{}
	for _, link := range result.Links {
		list = append(list, strings.TrimPrefix(link.URL, site.URL))
	}
	return list
}

// wantFault fails the test unless the error is one of the contract with the code and a
// detail that holds the words, and does not tell its cause.
func wantFault(t *testing.T, err error, code contract.Code, words string) {
	t.Helper()
	fault, ok := errors.AsType[*contract.Error](err)
	if !ok || fault.Code != code || !strings.Contains(fault.Detail, words) {
		t.Fatalf("the error is %v, want %s with %q", err, code, words)
	}
	for _, internal := range []string{"dial tcp", "net/http", "x509:", "read tcp", "lookup"} {
		if strings.Contains(fault.Detail, internal) {
			t.Errorf("the detail %q tells internals", fault.Detail)
		}
	}
}

func TestNewRefusesNegativeLimits(t *testing.T) {
	t.Parallel()
	for _, config := range []crawl.Config{
		{PageSize: -1}, {TotalTime: -1}, {HeaderTime: -1}, {StallTime: -1},
	} {
		if _, err := crawl.New(config); err == nil {
			t.Errorf("New(%+v) has no error", config)
		}
	}
}

func TestService(t *testing.T) {
	t.Parallel()
	site := serve(t, html("<a href=x>"))
	service := newCrawler(t, crawl.Config{}).Service()
	if err := service.Check(); err != nil {
		t.Fatal(err)
	}
	if service.Name != "crawler" || !service.Waits || service.Close == nil {
		t.Errorf("the service is %+v, want crawler, waiting, with Close", service)
	}
	operation := service.Operations[0]
	request := operation.New()
	request.(*contract.LinksRequest).URL = site.URL
	if cost := operation.Estimate(request); cost.Light || cost.Memory < 1<<20 || cost.Memory > 16<<20 {
		t.Errorf("the cost is %+v, want heavy with a few MiB", cost)
	}
	result, err := operation.Solve(t.Context(), request)
	if err != nil || len(result.(contract.LinksResult).Links) != 1 {
		t.Errorf("Solve = %+v, %v, want one link", result, err)
	}
}

func TestResultSaysWhatWasFetched(t *testing.T) {
	t.Parallel()
	result, site := fetchPage(t, "<title>T</title><a href='../x#f' rel='a b'> y </a>")
	want := contract.LinksResult{
		URL: site.URL + "/dir/page", FinalURL: site.URL + "/dir/page",
		Status: 200, ContentType: "text/html", Title: "T",
		Links: []contract.Link{{URL: site.URL + "/x", Text: "y", Rel: "a b"}},
	}
	if !reflect.DeepEqual(result, want) {
		t.Errorf("the result is\n%+v, want\n%+v", result, want)
	}
}

func TestBadAddresses(t *testing.T) {
	t.Parallel()
	crawler := newCrawler(t, crawl.Config{})
	tests := []struct {
		address, words string
	}{
		{"", "url is missing"},
		{"example.com", "url must begin with http:// or https://"},
		{"ftp://example.com/", "url must begin with http:// or https://"},
		{"file:///etc/passwd", "url must begin with http:// or https://"},
		{"javascript:alert(1)", "url must begin with http:// or https://"},
		{"http://", "url has no valid host name"},
		{"http://a b/", "url has no valid host name"},
		{"http://example.com:99999/", "url has a port that is not a number from 1 to 65535"},
		{"http://me:secret@example.com/", "url must not carry a user name or password"},
		{"http://example.com/" + strings.Repeat("x", contract.MaxURLLength), "url must have at most 8192 bytes"},
		{"http://example.com/" + strings.Repeat("é", contract.MaxURLLength/3), "url must have at most 8192 bytes"},
	}
	for _, tt := range tests {
		_, err := crawler.Links(t.Context(), contract.LinksRequest{URL: tt.address})
		wantFault(t, err, contract.CodeInvalidArgument, tt.words)
		if fault, _ := errors.AsType[*contract.Error](err); fault.Field != "url" {
			t.Errorf("%.50q: the field is %q, want url", tt.address, fault.Field)
		}
	}
	_, err := crawler.Links(t.Context(), contract.LinksRequest{URL: "http://example.com/", Limit: -1})
	wantFault(t, err, contract.CodeInvalidArgument, "limit")
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		html("<a href="+r.URL.Path+"/x>")(w, r)
	})
	crawler := newCrawler(t, crawl.Config{})
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			path := fmt.Sprintf("/%d", i)
			result, err := crawler.Links(t.Context(), contract.LinksRequest{URL: site.URL + path})
			if err != nil || len(result.Links) != 1 || result.Links[0].URL != site.URL+path+"/x" {
				t.Errorf("page %d: %+v, %v", i, result, err)
			}
		})
	}
	wg.Wait()
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	opened := 0
	site := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/redirect" {
			http.Redirect(w, r, "/page", http.StatusFound)
			return
		}
		html("<a href=x>")(w, r)
	}))
	site.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		if state == http.StateNew {
			opened++
		}
	}
	site.Start()
	t.Cleanup(site.Close)
	crawler := newCrawler(t, crawl.Config{})
	for range 5 {
		fetch(t, crawler, site.URL+"/redirect")
	}
	mu.Lock()
	defer mu.Unlock()
	if opened != 1 {
		t.Errorf("five pages behind redirects took %d connections, want 1", opened)
	}
}

func BenchmarkLinks(b *testing.B) {
	var page strings.Builder
	for i := range 30 {
		fmt.Fprintf(&page, "<p>Some words of text before <a href=\"/items/%d?from=list&amp;page=2\">item %d</a> and after it.</p>\n", i, i)
	}
	site := httptest.NewServer(html(page.String()))
	defer site.Close()
	crawler, err := crawl.New(crawl.Config{Allow: loopback})
	if err != nil {
		b.Fatal(err)
	}
	defer crawler.Close()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := crawler.Links(b.Context(), contract.LinksRequest{URL: site.URL}); err != nil {
			b.Fatal(err)
		}
	}
}

// hostPort returns the host and port of a test server.
func hostPort(t *testing.T, site *httptest.Server) (host, port string) {
	t.Helper()
	u, err := url.Parse(site.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Hostname(), u.Port()
}

// short is a limit of time that tests let pass.
const short = 50 * time.Millisecond
