package crawl_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/crawler/crawl"
)

// none is a list of rules that lets nothing through.
var none = []crawl.AllowRule{}

// forbidden is a site that fails the test if anybody connects to it.
func forbidden(t *testing.T) *httptest.Server {
	t.Helper()
	var connections atomic.Int64
	site := httptest.NewUnstartedServer(html("<a href=/secret>"))
	site.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	site.Start()
	t.Cleanup(func() {
		site.Close()
		if n := connections.Load(); n != 0 {
			t.Errorf("the forbidden site was connected to %d times", n)
		}
	})
	return site
}

func TestPrivateAddressesInEverySpelling(t *testing.T) {
	t.Parallel()
	_, port := hostPort(t, forbidden(t))
	crawler := newCrawler(t, crawl.Config{Allow: none, Resolver: newNames(t).add("localhost", "127.0.0.1", "::1").resolver()})
	tests := []struct {
		host string
		code contract.Code
	}{
		{"127.0.0.1", contract.CodeForbidden},
		{"127.1", contract.CodeForbidden},
		{"127.0.1", contract.CodeForbidden},
		{"127.255.255.254", contract.CodeForbidden},
		{"2130706433", contract.CodeForbidden},
		{"0x7f000001", contract.CodeForbidden},
		{"0x7f.1", contract.CodeForbidden},
		{"0X7F.0.0.0x1", contract.CodeForbidden},
		{"0177.0.0.1", contract.CodeForbidden},
		{"017700000001", contract.CodeForbidden},
		{"%31%32%37%2e%30%2e%30%2e%31", contract.CodeForbidden},
		{"１２７.0.0.1", contract.CodeForbidden},
		{"127。0。0。1", contract.CodeForbidden},
		{"127.0.0.1.", contract.CodeForbidden},
		{"localhost", contract.CodeForbidden},
		{"LOCALHOST", contract.CodeForbidden},
		{"ｌｏｃａｌｈｏｓｔ", contract.CodeForbidden},
		{"0", contract.CodeForbidden},
		{"0.0.0.0", contract.CodeForbidden},
		{"10.0.0.1", contract.CodeForbidden},
		{"172.16.0.1", contract.CodeForbidden},
		{"192.168.1.1", contract.CodeForbidden},
		{"100.64.0.1", contract.CodeForbidden},
		{"169.254.169.254", contract.CodeForbidden},
		{"2852039166", contract.CodeForbidden}, // 169.254.169.254
		{"168.63.129.16", contract.CodeForbidden},
		{"192.0.2.1", contract.CodeForbidden},
		{"198.18.0.1", contract.CodeForbidden},
		{"224.0.0.1", contract.CodeForbidden},
		{"240.0.0.1", contract.CodeForbidden},
		{"255.255.255.255", contract.CodeForbidden},
		{"[::]", contract.CodeForbidden},
		{"[::1]", contract.CodeForbidden},
		{"[0:0:0:0:0:0:0:1]", contract.CodeForbidden},
		{"[::127.0.0.1]", contract.CodeForbidden},
		{"[::ffff:127.0.0.1]", contract.CodeForbidden},
		{"[::ffff:7f00:1]", contract.CodeForbidden},
		{"[64:ff9b::127.0.0.1]", contract.CodeForbidden},
		{"[64:ff9b:1::127.0.0.1]", contract.CodeForbidden},
		{"[2002:7f00:1::]", contract.CodeForbidden},
		{"[2001:0:7f00:1::]", contract.CodeForbidden},
		{"[fc00::1]", contract.CodeForbidden},
		{"[fd00:ec2::254]", contract.CodeForbidden},
		{"[fe80::1]", contract.CodeForbidden},
		{"[ff02::1]", contract.CodeForbidden},
		{"[2001:db8::1]", contract.CodeForbidden},

		{"[fe80::1%25lo]", contract.CodeInvalidArgument},
		{"[::1%25lo]", contract.CodeInvalidArgument},
		{"127.0.0.256", contract.CodeInvalidArgument},
		{"127.0.0.1.1", contract.CodeInvalidArgument},
		{"4294967297", contract.CodeInvalidArgument},
		{"0x1.0x2.0x3.0x4.0x5", contract.CodeInvalidArgument},
		{"08.0.0.1", contract.CodeInvalidArgument},
		{"user@127.0.0.1", contract.CodeInvalidArgument},
		{"127.0.0.1%00.example.com", contract.CodeInvalidArgument},
		{"127.0.0.1%2f.example.com", contract.CodeInvalidArgument},
	}
	for _, tt := range tests {
		for _, address := range []string{"http://" + tt.host + ":" + port + "/", `http:\\` + tt.host + ":" + port} {
			_, err := crawler.Links(t.Context(), contract.LinksRequest{URL: address})
			words := "url "
			if tt.code == contract.CodeForbidden {
				words = "--crawl-allow"
			}
			wantFault(t, err, tt.code, words)
		}
	}
}

func TestRefusalSaysWhatIsRefused(t *testing.T) {
	t.Parallel()
	resolver := newNames(t).add("intranet.example", "10.1.2.3").resolver()
	crawler := newCrawler(t, crawl.Config{Allow: none, Resolver: resolver})
	tests := []struct {
		address, want string
	}{
		{"http://0x7f.1/", "url leads to 127.0.0.1, which is not a public address (loopback); the crawler goes there only if it was started with a --crawl-allow rule for it"},
		{"https://intranet.example/", "url leads to an address that is not public (private); the crawler goes there only if it was started with a --crawl-allow rule for it"},
		{"http://8.8.8.8:25/", "url leads to port 25, which belongs to a protocol other than HTTP; the crawler goes there only if it was started with a --crawl-allow rule for it"},
	}
	for _, tt := range tests {
		_, err := crawler.Links(t.Context(), contract.LinksRequest{URL: tt.address})
		wantFault(t, err, contract.CodeForbidden, tt.want)
	}
}

func TestNamesOfPrivateAddresses(t *testing.T) {
	t.Parallel()
	_, port := hostPort(t, forbidden(t))
	resolver := newNames(t).
		add("four.example", "127.0.0.1").
		add("six.example", "::1").
		add("mapped.example", "::ffff:127.0.0.1").
		add("both.example", "::1", "127.0.0.1").
		add("many.example", "10.0.0.1", "192.168.0.1", "169.254.169.254").
		resolver()
	crawler := newCrawler(t, crawl.Config{Allow: none, Resolver: resolver})
	for _, name := range []string{"four", "six", "mapped", "both", "many"} {
		_, err := crawler.Links(t.Context(), contract.LinksRequest{URL: "http://" + name + ".example:" + port + "/"})
		wantFault(t, err, contract.CodeForbidden, "an address that is not public")
	}
}

// A name may lead to a harmless address when it is checked and to another when it is
// used. The crawler checks what it dials, at every connection.
func TestNameThatChangesItsAddress(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		html("<a href=x>")(w, r)
	})
	_, port := hostPort(t, site)
	resolver := newNames(t).add("rebind.example", "127.0.0.1").add("rebind.example", "10.0.0.1").resolver()
	crawler := newCrawler(t, crawl.Config{Resolver: resolver})
	address := "http://rebind.example:" + port + "/"
	if result := fetch(t, crawler, address); len(result.Links) != 1 {
		t.Fatalf("the first result is %+v", result)
	}
	_, err := crawler.Links(t.Context(), contract.LinksRequest{URL: address})
	wantFault(t, err, contract.CodeForbidden, "an address that is not public (private)")
}

func TestRedirectsToPrivateAddresses(t *testing.T) {
	t.Parallel()
	secret := forbidden(t)
	_, secretPort := hostPort(t, secret)
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/far" {
			http.Redirect(w, r, "/near", http.StatusFound)
			return
		}
		w.Header().Set("Location", r.URL.Query().Get("to"))
		w.WriteHeader(http.StatusFound)
	})
	_, port := hostPort(t, site)
	rule, err := crawl.ParseAllow("127.0.0.1/32:" + port)
	if err != nil {
		t.Fatal(err)
	}
	resolver := newNames(t).add("inside.example", "127.0.0.1").resolver()
	crawler := newCrawler(t, crawl.Config{Allow: []crawl.AllowRule{rule}, Resolver: resolver})
	for _, to := range []string{
		secret.URL, "http://0x7f.1:" + secretPort + "/", "//2130706433:" + secretPort, "http://[::ffff:127.0.0.1]:" + secretPort + "/",
		"http://inside.example:" + secretPort + "/", "http://169.254.169.254/latest/meta-data/",
	} {
		_, err := crawler.Links(t.Context(), contract.LinksRequest{URL: site.URL + "/?to=" + to})
		wantFault(t, err, contract.CodeForbidden, "url redirects to http://")
		wantFault(t, err, contract.CodeForbidden, " (hop 1), which leads to ")
	}
}

func TestRulesLetThroughWhatTheyName(t *testing.T) {
	t.Parallel()
	site := serve(t, html("<a href=x>"))
	host, port := hostPort(t, site)
	tests := []struct {
		rule    string
		allowed bool
	}{
		{"127.0.0.0/8", true},
		{"127.0.0.1/32", true},
		{"127.0.0.1/32:" + port, true},
		{"0.0.0.0/0", true},
		{"127.0.0.1/32:1", false},
		{"127.0.0.2/32", false},
		{"10.0.0.0/8", false},
		{"::/0", false},
	}
	for _, tt := range tests {
		rule, err := crawl.ParseAllow(tt.rule)
		if err != nil {
			t.Fatal(err)
		}
		crawler := newCrawler(t, crawl.Config{Allow: []crawl.AllowRule{rule}})
		for _, address := range []string{site.URL, fmt.Sprintf("http://[::ffff:%s]:%s/", host, port)} {
			_, err := crawler.Links(t.Context(), contract.LinksRequest{URL: address})
			if tt.allowed {
				if err != nil && !strings.Contains(err.Error(), "cannot be reached") { // machines without IPv6
					t.Errorf("rule %s, %s: %v", tt.rule, address, err)
				}
				continue
			}
			wantFault(t, err, contract.CodeForbidden, "--crawl-allow")
		}
	}
}

func TestPublicAddressesAndPorts(t *testing.T) {
	t.Parallel()
	// The network is none of a test's business, so this asks the guard alone.
	allowed := crawl.Guard(crawl.AllowRule{Prefix: netip.MustParsePrefix("10.0.0.0/8"), Port: 25})
	tests := []struct {
		to   string
		want bool
	}{
		{"8.8.8.8:80", true},
		{"8.8.8.8:443", true},
		{"8.8.8.8:8080", true},
		{"8.8.8.8:3000", true},
		{"8.8.8.8:65535", true},
		{"8.8.8.8:25", false},
		{"8.8.8.8:22", false},
		{"8.8.8.8:0", false},
		{"10.0.0.1:25", true},
		{"10.0.0.1:80", false},
		{"[2606:4700:4700::1111]:443", true},
		{"[2606:4700:4700::1111]:6667", false},
		{"[::ffff:8.8.8.8]:443", true},
		{"[::ffff:10.0.0.1]:25", true},
		{"[fe80::1%eth0]:80", false},
	}
	for _, tt := range tests {
		if got := allowed(tt.to) == nil; got != tt.want {
			t.Errorf("the guard lets %s through: %t, want %t", tt.to, got, tt.want)
		}
	}
	if allowed("example.com:80") == nil {
		t.Error("the guard lets a name through that it has not seen resolved")
	}
}

func TestEnvironmentCannotPutAProxyBetween(t *testing.T) {
	site := serve(t, html("<a href=x>"))
	_, port := hostPort(t, site)
	proxy := forbidden(t)
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	resolver := newNames(t).add("site.example", "127.0.0.1").resolver()
	fetch(t, newCrawler(t, crawl.Config{Resolver: resolver}), "http://site.example:"+port+"/")
}
