package crawl_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/crawler/crawl"
)

func TestRedirects(t *testing.T) {
	t.Parallel()
	// /301 and so on redirect to /dir/end with that status; /chain/3 takes three more
	// steps.
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/dir/end" {
			html("<a href=x>")(w, r)
			return
		}
		if left, isChain := strings.CutPrefix(r.URL.Path, "/chain/"); isChain {
			n, err := strconv.Atoi(left)
			if err != nil || n == 0 {
				http.Redirect(w, r, "/dir/end", http.StatusFound)
				return
			}
			http.Redirect(w, r, strconv.Itoa(n-1), http.StatusFound)
			return
		}
		status, err := strconv.Atoi(strings.Trim(r.URL.Path, "/"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Location", "dir/../dir/end#part")
		w.WriteHeader(status)
	})
	crawler := newCrawler(t, crawl.Config{})
	for _, path := range []string{"/301", "/302", "/303", "/307", "/308", "/chain/0", "/chain/9"} {
		result := fetch(t, crawler, site.URL+path)
		if result.FinalURL != site.URL+"/dir/end" || result.URL != site.URL+path || result.Status != 200 ||
			len(result.Links) != 1 || result.Links[0].URL != site.URL+"/dir/x" {
			t.Errorf("%s ends in %+v", path, result)
		}
	}
	_, err := crawler.Links(t.Context(), contract.LinksRequest{URL: site.URL + "/chain/10"})
	wantFault(t, err, contract.CodeUpstream, "127.0.0.1 redirects more than 10 times")

	// These are no redirects.
	for _, path := range []string{"/300", "/304"} {
		status, _ := strconv.Atoi(path[1:])
		if result := fetch(t, crawler, site.URL+path); result.Status != status || result.FinalURL != site.URL+path {
			t.Errorf("%s ends in %+v", path, result)
		}
	}
}

func TestRedirectsThatLeadNowhere(t *testing.T) {
	t.Parallel()
	crawler := newCrawler(t, crawl.Config{})
	redirect := func(location ...string) *httptest.Server {
		return serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Location"] = location
			w.WriteHeader(http.StatusFound)
		})
	}
	if result := fetch(t, crawler, redirect().URL); result.Status != http.StatusFound || len(result.Links) != 0 {
		t.Errorf("a redirect without address has the result %+v", result)
	}
	tests := []struct {
		to, words string
	}{
		{"file:///etc/passwd", "must begin with http:// or https://"},
		{"ftp://127.0.0.1/", "must begin with http:// or https://"},
		{"javascript:alert(1)", "must begin with http:// or https://"},
		{"http://me:secret@127.0.0.1/", "must not carry a user name"},
		{"http://a b/", "no valid host name"},
		{"/" + strings.Repeat("x", contract.MaxURLLength), "at most 8192 bytes"},
	}
	for _, tt := range tests {
		_, err := crawler.Links(t.Context(), contract.LinksRequest{URL: redirect(tt.to).URL})
		wantFault(t, err, contract.CodeUpstream, "127.0.0.1 redirects to ")
		wantFault(t, err, contract.CodeUpstream, tt.words)
		if fault, _ := errors.AsType[*contract.Error](err); len(fault.Detail) > 400 {
			t.Errorf("the detail has %d bytes", len(fault.Detail))
		}
	}
}

func TestRequestsTellNothing(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var requests []*http.Request
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		requests = append(requests, r)
		mu.Unlock()
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/page", http.StatusFound)
			return
		}
		html("<a href=x>")(w, r)
	})
	crawler := newCrawler(t, crawl.Config{})
	fetch(t, crawler, site.URL)
	fetch(t, crawler, site.URL+"/page?a=%zz|b#fragment")
	mu.Lock()
	defer mu.Unlock()
	if len(requests) != 3 {
		t.Fatalf("the site saw %d requests, want 3", len(requests))
	}
	for _, r := range requests {
		for _, name := range []string{"Cookie", "Referer", "Authorization", "X-Forwarded-For"} {
			if value := r.Header.Get(name); value != "" {
				t.Errorf("%s was sent %s: %s", r.RequestURI, name, value)
			}
		}
		if !strings.HasPrefix(r.Header.Get("User-Agent"), "heddle-crawler/") || r.Method != http.MethodGet {
			t.Errorf("the request is %s from %q", r.Method, r.Header.Get("User-Agent"))
		}
	}
	if last := requests[2].RequestURI; last != "/page?a=%zz|b" {
		t.Errorf("the site was asked for %q", last)
	}
}

func TestDeadlineOfTheCaller(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			html("<a href=x>")(w, r)
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	})
	crawler := newCrawler(t, crawl.Config{})
	for _, path := range []string{"/header", "/body"} {
		ctx, cancel := context.WithTimeout(t.Context(), short)
		_, err := crawler.Links(ctx, contract.LinksRequest{URL: site.URL + path})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || contract.FromError(err).Code != contract.CodeDeadlineExceeded {
			t.Errorf("%s: the error is %v, want that of the deadline", path, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := crawler.Links(ctx, contract.LinksRequest{URL: site.URL}); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v, want that of the context", err)
	}
}

func TestStalledPage(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		html("<a href=x>"+strings.Repeat(" ", 10_000))(w, r)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	_, err := newCrawler(t, crawl.Config{StallTime: short}).Links(t.Context(), contract.LinksRequest{URL: site.URL})
	wantFault(t, err, contract.CodeUpstream, "127.0.0.1 stopped sending in the middle of the page")
	_, err = newCrawler(t, crawl.Config{TotalTime: short}).Links(t.Context(), contract.LinksRequest{URL: site.URL})
	wantFault(t, err, contract.CodeUpstream, "127.0.0.1 did not deliver the page within 50ms")
}

// A page that trickles never stalls, so only the limit on the whole can end it.
func TestTricklingPage(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		ticks := time.NewTicker(time.Millisecond)
		defer ticks.Stop()
		w.Header().Set("Content-Type", "text/html")
		for {
			select {
			case <-r.Context().Done():
				return
			case <-ticks.C:
				io.WriteString(w, ".")
				w.(http.Flusher).Flush()
			}
		}
	})
	_, err := newCrawler(t, crawl.Config{TotalTime: 2 * short}).Links(t.Context(), contract.LinksRequest{URL: site.URL})
	wantFault(t, err, contract.CodeUpstream, "did not deliver the page within 100ms")
}

func TestBrokenConnections(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, sends, words string
	}{
		{"no answer", "", "closed the connection before the page was complete"},
		{"half a header", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n", "closed the connection before the page was complete"},
		{"half a page", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9999\r\n\r\n<a href=x>", "closed the connection before the page was complete"},
		{"half a chunk", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n<a href=x>", "closed the connection before the page was complete"},
		{"not HTTP", "220 mail.example ESMTP\r\n", "the answer of 127.0.0.1 could not be read"},
		{"a huge header", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n", "the answer of 127.0.0.1 could not be read"},
		{"broken gzip", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\n0123456789", "the answer of 127.0.0.1 could not be read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			site := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				io.WriteString(conn, tt.sends) // the crawler may hang up before the end
			})
			_, err := newCrawler(t, crawl.Config{}).Links(t.Context(), contract.LinksRequest{URL: site.URL})
			wantFault(t, err, contract.CodeUpstream, tt.words)
		})
	}
}

func TestResetConnection(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		if err := conn.(*net.TCPConn).SetLinger(0); err != nil { // close with a reset
			t.Error(err)
		}
		conn.Close()
	})
	_, err := newCrawler(t, crawl.Config{}).Links(t.Context(), contract.LinksRequest{URL: site.URL})
	wantFault(t, err, contract.CodeUpstream, "127.0.0.1 closed the connection before the page was complete")
}

// serveTLS starts a site with a certificate for example.com and 127.0.0.1.
func serveTLS(t *testing.T, handler http.HandlerFunc) (site *httptest.Server, roots *x509.CertPool) {
	t.Helper()
	site = httptest.NewUnstartedServer(handler)
	site.EnableHTTP2 = true
	site.Config.ErrorLog = log.New(io.Discard, "", 0)
	site.StartTLS()
	t.Cleanup(site.Close)
	roots = x509.NewCertPool()
	roots.AddCert(site.Certificate())
	return site, roots
}

func TestHTTPSWithHTTP2(t *testing.T) {
	t.Parallel()
	site, roots := serveTLS(t, func(w http.ResponseWriter, r *http.Request) {
		html("<a href=/"+r.Proto+">")(w, r)
	})
	_, port := hostPort(t, site)
	crawler := newCrawler(t, crawl.Config{Resolver: newNames(t).add("example.com", "127.0.0.1").resolver()})
	crawler.Trust(roots)
	for range 3 {
		address := "https://example.com:" + port + "/"
		result := fetch(t, crawler, address)
		if result.FinalURL != address || len(result.Links) != 1 || result.Links[0].URL != address+"HTTP/2.0" {
			t.Errorf("the result is %+v, want one link that names HTTP/2.0", result)
		}
	}
}

func TestTLSFaults(t *testing.T) {
	t.Parallel()
	site, roots := serveTLS(t, html("<a href=x>"))
	_, port := hostPort(t, site)
	plain := serve(t, html("<a href=x>"))
	_, plainPort := hostPort(t, plain)
	names := newNames(t).add("other.example", "127.0.0.1").resolver()

	_, err := newCrawler(t, crawl.Config{}).Links(t.Context(), contract.LinksRequest{URL: site.URL})
	wantFault(t, err, contract.CodeUpstream, "the certificate of 127.0.0.1 is not signed by an authority that the crawler knows")

	crawler := newCrawler(t, crawl.Config{Resolver: names})
	crawler.Trust(roots)
	_, err = crawler.Links(t.Context(), contract.LinksRequest{URL: "https://other.example:" + port + "/"})
	wantFault(t, err, contract.CodeUpstream, "the certificate of other.example is for another name")
	_, err = crawler.Links(t.Context(), contract.LinksRequest{URL: "https://127.0.0.1:" + plainPort + "/"})
	wantFault(t, err, contract.CodeUpstream, "127.0.0.1 does not speak TLS on this port")
}

func TestNameServerThatFails(t *testing.T) {
	t.Parallel()
	resolver := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no route")
	}}
	_, err := newCrawler(t, crawl.Config{Resolver: resolver}).Links(t.Context(), contract.LinksRequest{URL: "http://a.example/"})
	wantFault(t, err, contract.CodeUpstream, "the address of a.example could not be looked up")
}
