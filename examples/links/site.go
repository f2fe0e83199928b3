package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"

	"github.com/seed-649d3d38/heddle/services/crawler/crawl"
)

// loopback lets the crawler fetch from the machine it runs on.
var loopback = crawl.AllowRule{Prefix: netip.MustParsePrefix("127.0.0.0/8")}

// newSite starts a small web site on a loopback address. Its addresses are those of a
// good page, one without links, one that is not there, one that is full of traps, and a
// port that nobody listens on.
func newSite() (site *httptest.Server, addresses []string) {
	dead := httptest.NewServer(nil)
	dead.Close()
	site = httptest.NewServer(pages())
	return site, []string{site.URL + "/", site.URL + "/empty", site.URL + "/missing", site.URL + "/traps", dead.URL + "/"}
}

// pages are the pages of the site.
func pages() http.Handler {
	mux := http.NewServeMux()
	for path, body := range map[string]string{
		"/{$}":   `<a href="/empty">Nothing here</a> <a HREF = traps>Traps</a> <a href="/empty#again">Again</a>`,
		"/empty": `<p>No links.</p>`,
		"/traps": `<base href="/sub/"><!-- <a href="/comment"> --><a data-href="/x" href="a?b=1&amp;c=2">&lt;one&gt;</a>` +
			`<a href="mailto:a@b.c">mail</a><a name=top>Top</a><script>'<a href="/script">'</script>`,
	} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, body)
		})
	}
	return mux
}
