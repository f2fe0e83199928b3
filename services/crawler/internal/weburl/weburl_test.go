package weburl_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/services/crawler/internal/weburl"
)

func ExampleResolver_Resolve() {
	page, err := weburl.Parse("HTTP://Example.com:80/a/b?q=1")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, ref := range []string{"../c d", "//bücher.example/", "?q=2", "#top", "mailto:me@example.com"} {
		link, err := weburl.Resolver{Base: page}.Resolve(ref)
		if err != nil {
			fmt.Println(ref, err)
			continue
		}
		fmt.Println(link)
	}
	// Output:
	// http://example.com/c%20d
	// http://xn--bcher-kva.example/
	// http://example.com/a/b?q=2
	// http://example.com/a/b?q=1
	// mailto:me@example.com must begin with http:// or https://
}

func mustParse(t *testing.T, s string) weburl.URL {
	t.Helper()
	u, err := weburl.Parse(s)
	if err != nil {
		t.Fatalf("Parse(%q): %v", s, err)
	}
	return u
}

func TestParse(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", weburl.MaxLength)
	tests := []struct {
		in, want string
		err      error
	}{
		{in: "http://example.com", want: "http://example.com/"},
		{in: "  HTTPS://EXAMPLE.com:443/A#frag ", want: "https://example.com/A"},
		{in: "http:example.com", want: "http://example.com/"},
		{in: `http:\\example.com\a\..\b`, want: "http://example.com/b"},
		{in: "https://example.com:080/", want: "https://example.com:80/"},
		{in: "http://example.com:/", want: "http://example.com/"},
		{in: "http://exa\tmple.com/a\r\nb", want: "http://example.com/ab"},
		{in: "http://example.com/%zz|%41", want: "http://example.com/%zz|%41"},
		{in: "http://example.com/a b\"c?d e'f", want: "http://example.com/a%20b%22c?d%20e%27f"},
		{in: "http://example.com/é?é", want: "http://example.com/%C3%A9?%C3%A9"},
		{in: "http://example.com/%2E%2e/./a/%2e", want: "http://example.com/a/"},
		{in: "http://example.com/.../a.", want: "http://example.com/.../a."},
		{in: "http://example.com//a//", want: "http://example.com//a//"},
		{in: "http://example.com?", want: "http://example.com/?"},
		{in: "http://@example.com/", want: "http://example.com/"},
		{in: "http://under_score.example/", want: "http://under_score.example/"},
		{in: "http://example.com./", want: "http://example.com./"},
		{in: "http://ＥＸＡＭＰＬＥ.com/", want: "http://example.com/"},
		{in: "http://例え。テスト/", want: "http://xn--r8jz45g.xn--zckzah/"},
		{in: "http://faß.example/", want: "http://xn--fa-hia.example/"},
		{in: "http://ex%61mple.com/", want: "http://example.com/"},
		{in: "http://[2001:DB8:0::1]:80/", want: "http://[2001:db8::1]/"},

		{in: "", err: weburl.ErrScheme},
		{in: "example.com/", err: weburl.ErrScheme},
		{in: "/path", err: weburl.ErrScheme},
		{in: "//example.com/", err: weburl.ErrScheme},
		{in: "ftp://example.com/", err: weburl.ErrScheme},
		{in: "file:///etc/passwd", err: weburl.ErrScheme},
		{in: "javascript:alert(1)", err: weburl.ErrScheme},
		{in: "http+unix://%2Fvar%2Frun/", err: weburl.ErrScheme},
		{in: "http://", err: weburl.ErrHost},
		{in: "http:///?q", err: weburl.ErrHost},
		{in: "http://exa mple.com/", err: weburl.ErrHost},
		{in: "http://a..b/", err: weburl.ErrHost},
		{in: "http://.a/", err: weburl.ErrHost},
		{in: "http://a%00b/", err: weburl.ErrHost},
		{in: "http://a%2fb/", err: weburl.ErrHost},
		{in: "http://a%zz/", err: weburl.ErrHost},
		{in: "http://a%80/", err: weburl.ErrHost},
		{in: "http://a\x80/", err: weburl.ErrHost},
		{in: "http://a;b/", err: weburl.ErrHost},
		{in: "http://xn--a/", err: weburl.ErrHost},
		{in: "http://" + strings.Repeat("a", 64) + ".example/", err: weburl.ErrHost},
		{in: "http://" + strings.Repeat("a.", 127) + "aa/", err: weburl.ErrHost},
		{in: "http://1.2.3.4.5/", err: weburl.ErrHost},
		{in: "http://256.0.0.1/", err: weburl.ErrHost},
		{in: "http://1.2.3.09/", err: weburl.ErrHost},
		{in: "http://4294967296/", err: weburl.ErrHost},
		{in: "http://a.b.0x/", err: weburl.ErrHost},
		{in: "http://[::1/", err: weburl.ErrHost},
		{in: "http://[1.2.3.4]/", err: weburl.ErrHost},
		{in: "http://[fe80::1%25eth0]/", err: weburl.ErrHost},
		{in: "http://example.com:0/", err: weburl.ErrPort},
		{in: "http://example.com:65536/", err: weburl.ErrPort},
		{in: "http://example.com:8a/", err: weburl.ErrPort},
		{in: "http://example.com:-1/", err: weburl.ErrPort},
		{in: "http://user:secret@example.com/", err: weburl.ErrUser},
		{in: "http://user@example.com/", err: weburl.ErrUser},
		{in: "http://example.com@evil.example/", err: weburl.ErrUser},
		{in: "http://example.com/" + long, err: weburl.ErrLength},
	}
	for _, tt := range tests {
		u, err := weburl.Parse(tt.in)
		if !errors.Is(err, tt.err) || err == nil && u.String() != tt.want {
			t.Errorf("Parse(%.80q) = %.80q, %v, want %q, %v", tt.in, u, err, tt.want, tt.err)
		}
	}
}

// Every spelling of an address has to come out as the address, or a check of the text
// would let some through.
func TestSpellingsOfAddresses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		host, want string
	}{
		{"127.0.0.1", "127.0.0.1"},
		{"2130706433", "127.0.0.1"},
		{"0x7f000001", "127.0.0.1"},
		{"0X7F.1", "127.0.0.1"},
		{"0177.0.0.01", "127.0.0.1"},
		{"017700000001", "127.0.0.1"},
		{"127.1", "127.0.0.1"},
		{"127.0.1", "127.0.0.1"},
		{"127.0.0.1.", "127.0.0.1"},
		{"%31%32%37.0.0.1", "127.0.0.1"},
		{"１２７.０.０.１", "127.0.0.1"},
		{"127。0。0。1", "127.0.0.1"},
		{"①②⑦.0.0.①", "127.0.0.1"},
		{"0", "0.0.0.0"},
		{"0x", "0.0.0.0"},
		{"4294967295", "255.255.255.255"},
		{"169.254.43518", "169.254.169.254"},
		{"[::1]", "::1"},
		{"[0:0:0:0:0:0:0:1]", "::1"},
		{"[::ffff:127.0.0.1]", "::ffff:127.0.0.1"},
		{"[::FFFF:7f00:1]", "::ffff:127.0.0.1"},
		{"[64:ff9b::10.0.0.1]", "64:ff9b::a00:1"},
	}
	for _, tt := range tests {
		u := mustParse(t, "http://"+tt.host+":8080/")
		want := netip.AddrPortFrom(netip.MustParseAddr(tt.want), 8080)
		if u.AddrPort() != want {
			t.Errorf("http://%s:8080/ has the address %v, want %v", tt.host, u.AddrPort(), want)
		}
	}
	if u := mustParse(t, "http://example.com/"); u.AddrPort().IsValid() {
		t.Errorf("a name has the address %v, want none", u.AddrPort())
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	// The examples of RFC 3986 section 5.4, as browsers have them, and what pages hold.
	tests := []struct {
		ref, want string
	}{
		{"g:h", ""},
		{"g", "http://a/b/c/g"},
		{"./g", "http://a/b/c/g"},
		{"g/", "http://a/b/c/g/"},
		{"/g", "http://a/g"},
		{"//g", "http://g/"},
		{"?y", "http://a/b/c/d;p?y"},
		{"?", "http://a/b/c/d;p?"},
		{"g?y", "http://a/b/c/g?y"},
		{"#s", "http://a/b/c/d;p?q"},
		{"g#s/./x", "http://a/b/c/g"},
		{";x", "http://a/b/c/;x"},
		{"", "http://a/b/c/d;p?q"},
		{".", "http://a/b/c/"},
		{"..", "http://a/b/"},
		{"../..", "http://a/"},
		{"../../../g", "http://a/g"},
		{"/./g", "http://a/g"},
		{"g.", "http://a/b/c/g."},
		{"..g", "http://a/b/c/..g"},
		{"./g/../h", "http://a/b/c/h"},
		{"g?y/../x", "http://a/b/c/g?y/../x"},
		{"http:g", "http://a/b/c/g"},
		{"http:/g", "http://a/g"},
		{"https:g", "https://g/"},
		{`\g`, "http://a/g"},
		{`\\g`, "http://g/"},
		{`/\g`, "http://g/"},
		{"\t g ", "http://a/b/c/g"},
		{"g:80", ""},
		{"1:80", "http://a/b/c/1:80"},
		{"//g:port", ""},
		{"javascript:void(0)", ""},
		{"JavaScript:void(0)", ""},
		{"java\nscript:void(0)", ""},
		{"mailto:x@example.com", ""},
		{"data:text/html,<a>", ""},
		{"tel:+123", ""},
	}
	base := mustParse(t, "http://a/b/c/d;p?q")
	for _, tt := range tests {
		got := ""
		if u, err := (weburl.Resolver{Base: base}).Resolve(tt.ref); err == nil {
			got = u.String()
		}
		if got != tt.want {
			t.Errorf("Resolve(%q) = %q, want %q", tt.ref, got, tt.want)
		}
	}
}

func TestQueryInTheEncodingOfThePage(t *testing.T) {
	t.Parallel()
	r := weburl.Resolver{
		Base:  mustParse(t, "http://example.com/"),
		Query: encoding.HTMLEscapeUnsupported(charmap.Windows1251.NewEncoder()),
	}
	tests := []struct {
		ref, want string
	}{
		{"я?q=я", "http://example.com/%D1%8F?q=%FF"},
		{"?q=日", "http://example.com/?q=&%2326085;"},
		{"?q=%D1", "http://example.com/?q=%D1"},
	}
	for _, tt := range tests {
		u, err := r.Resolve(tt.ref)
		if err != nil || u.String() != tt.want {
			t.Errorf("Resolve(%q) = %q, %v, want %q", tt.ref, u, err, tt.want)
		}
	}
}

func TestRequestIsSentAsWritten(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"/", "/?", "/a%20b?c=d", "/%zz", "/a|b[c]", "//two//slashes", "//a%20b", "/.well-known/x", "/?a=%zz"} {
		u := mustParse(t, "http://example.com:8080"+target)
		r := u.Request()
		if got := r.RequestURI(); got != target {
			t.Errorf("the request for %s asks for %q", u, got)
		}
		if r.Host != "example.com:8080" {
			t.Errorf("the request for %s goes to %q", u, r.Host)
		}
	}
}

func TestZero(t *testing.T) {
	t.Parallel()
	if !(weburl.URL{}).IsZero() || mustParse(t, "http://a/").IsZero() {
		t.Error("IsZero tells the zero value from an address in the wrong way")
	}
}

// fragments are what the property test builds references from.
var fragments = []string{
	"http:", "https:", "/", "//", `\`, "..", ".", "%2e", "a", "b c", "?", "#", "q=1&r='x'", "é", "日本", "%", "%zz",
	"\t", "\n", " ", "\"", "<", "^", "{", "|", "[", "]", "@", ":", "example.com", "EXAMPLE.org", ":80", ":443", ":8080",
	"127.1", "0x7f.1", "[::1]", "xn--bcher-kva", "bücher.de", "\x7f", "\x00", "\xff",
}

func TestResolvedAddressesAreFinal(t *testing.T) {
	t.Parallel()
	base := mustParse(t, "https://example.com/a/b?c")
	rapid.Check(t, func(t *rapid.T) {
		ref := strings.Join(rapid.SliceOfN(rapid.SampledFrom(fragments), 0, 8).Draw(t, "ref"), "")
		u, err := weburl.Resolver{Base: base}.Resolve(ref)
		if err != nil {
			return
		}
		checkFinal(t, u)
		// An address does not depend on the page it is found on.
		again, err := weburl.Resolver{Base: base}.Resolve(u.String())
		if err != nil || again != u {
			t.Fatalf("%q on the page is %q, %v", u, again, err)
		}
	})
}

// checkFinal fails the test if u is not in the form that the package promises.
func checkFinal(t interface{ Fatalf(string, ...any) }, u weburl.URL) {
	s := u.String()
	again, err := weburl.Parse(s)
	if err != nil || again != u {
		t.Fatalf("%q parses to %q, %v", s, again, err)
	}
	if !strings.HasPrefix(s, "http://") && !strings.HasPrefix(s, "https://") {
		t.Fatalf("%q has another scheme", s)
	}
	if len(s) > weburl.MaxLength {
		t.Fatalf("an address has %d bytes", len(s))
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || s[i] == '#' {
			t.Fatalf("%q has the byte %q", s, s[i])
		}
	}
	// In a query the URL Standard leaves a backslash as it is.
	if path, _, _ := strings.Cut(s, "?"); strings.Contains(path, `\`) {
		t.Fatalf("%q has a backslash before its query", s)
	}
	host := u.Host()
	addr, err := netip.ParseAddr(host)
	if isAddr := err == nil; isAddr != u.AddrPort().IsValid() || isAddr && addr != u.AddrPort().Addr() {
		t.Fatalf("%q has the host %q and the address %v", s, host, u.AddrPort())
	}
	if err != nil && strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		t.Fatalf("%q has the host %q", s, host)
	}
	if u.Port() == 0 {
		t.Fatalf("%q has the port 0", s)
	}
	if r := u.Request(); r.Host == "" || !strings.HasPrefix(r.RequestURI(), "/") {
		t.Fatalf("%q is requested as %q from %q", s, r.RequestURI(), r.Host)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"http://example.com/", "HTTP:\\\\a/..\\b?c#d", "http://0x7f.1:8080/%2e%2e/", "https://[::ffff:1.2.3.4]/",
		"http://bücher.example/é?é", "http://１２７。1/", "http://user@host/", "http://a%2eb/",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if u, err := weburl.Parse(s); err == nil {
			checkFinal(t, u)
		}
	})
}

func FuzzResolve(f *testing.F) {
	for _, ref := range []string{"../x", "//g/", `\\g\h`, "?é", "http:x", "java\tscript:x", "#", "%zz/%2E%2E/."} {
		f.Add("http://example.com/a/b?c", ref)
	}
	f.Fuzz(func(t *testing.T, page, ref string) {
		base, err := weburl.Parse(page)
		if err != nil {
			return
		}
		if u, err := (weburl.Resolver{Base: base}).Resolve(ref); err == nil {
			checkFinal(t, u)
		}
	})
}

func BenchmarkResolve(b *testing.B) {
	base, err := weburl.Parse("https://example.com/news/2026/11/")
	if err != nil {
		b.Fatal(err)
	}
	r := weburl.Resolver{Base: base}
	for _, ref := range []string{"/p/123456.html", "https://www.example.org/a/b/c.html?q=1", "../x y/é"} {
		b.Run(ref, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Resolve(ref); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
