// Package weburl reads http and https addresses the way web browsers do: the URL
// Standard (https://url.spec.whatwg.org) for these two schemes.
//
// Package net/url follows RFC 3986 and refuses or misreads much of what pages hold:
// stray blanks and tabs, backslashes, percent signs alone, hosts such as 0x7f.1. Here
// every spelling of an address ends in one form, in which a host is a plain name, an
// IPv4 or an IPv6 address, so that a check of the form is a check of the address.
//
// It is not a general URL package: other schemes, user names and fragments have no
// place in a [URL], and names that the domain name system cannot hold are refused.
//
//	page, err := weburl.Parse("http://Example.com/a/b")
//	link, err := weburl.Resolver{Base: page}.Resolve("../c d")
//	// link.String() == "http://example.com/c%20d"
package weburl

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/text/encoding"
)

// MaxLength is the longest address, in bytes of its final form.
const MaxLength = 8192

// Errors say what is wrong with an address, as a predicate: "must begin with http://".
var (
	ErrScheme = errors.New("must begin with http:// or https://")
	ErrHost   = errors.New("has no valid host name or IP address")
	ErrPort   = errors.New("has a port that is not a number from 1 to 65535")
	ErrUser   = errors.New("must not carry a user name or password")
	ErrLength = fmt.Errorf("must have at most %d bytes", MaxLength)
)

// URL is an absolute http or https address in its final form, without user name and
// fragment. Two addresses that browsers hold for the same are equal as values. The
// zero value is no address.
type URL struct {
	scheme string // "http" or "https"
	host   string // name, IPv4 address, or IPv6 address in brackets
	addr   netip.Addr
	port   uint16 // 0: the scheme's own
	path   string // with its leading slash
	query  string // with its leading question mark, or empty
}

// Parse reads an absolute address. Its error is one of the errors of this package.
func Parse(s string) (URL, error) {
	return Resolver{}.Resolve(s)
}

// Resolver reads the references of one page. It is not safe for concurrent use,
// because encoders are not.
type Resolver struct {
	// Base is what relative references start from; without it they are refused.
	Base URL
	// Query encodes the characters of queries that are not ASCII. Browsers send them in
	// the encoding of the page they are on. Nil stands for UTF-8.
	Query *encoding.Encoder
}

// Resolve reads an absolute or relative reference. Its error is one of the errors of
// this package.
func (r Resolver) Resolve(ref string) (URL, error) {
	ref, _, _ = strings.Cut(clean(ref), "#")
	rest, query, hasQuery := strings.Cut(ref, "?")
	scheme, rest, hasScheme := cutScheme(rest)
	var u URL
	var err error
	switch {
	case hasScheme && scheme != "http" && scheme != "https":
		return URL{}, ErrScheme
	case hasScheme && (r.Base.scheme != scheme || strings.HasPrefix(rest, "//")):
		u, err = parseAuthority(scheme, rest)
	case r.Base.scheme == "":
		return URL{}, ErrScheme
	case len(rest) >= 2 && isSlash(rest[0]) && isSlash(rest[1]):
		u, err = parseAuthority(r.Base.scheme, rest)
	default:
		u = r.relative(rest)
		if rest == "" && !hasQuery {
			u.query = r.Base.query
		}
	}
	if err != nil {
		return URL{}, err
	}
	if hasQuery {
		u.query = "?" + escape(r.encodeQuery(query), queryEscapes)
	}
	if u.length() > MaxLength {
		return URL{}, ErrLength
	}
	return u, nil
}

// relative resolves a path against the base.
func (r Resolver) relative(path string) URL {
	u := r.Base
	u.query = ""
	switch {
	case path == "":
	case isSlash(path[0]):
		u.path = joinPath("/", path[1:])
	default:
		u.path = joinPath(u.path[:strings.LastIndexByte(u.path, '/')+1], path)
	}
	return u
}

func (r Resolver) encodeQuery(query string) string {
	if r.Query == nil || isASCII(query) {
		return query
	}
	encoded, err := r.Query.String(query)
	if err != nil {
		return query // not valid UTF-8 to begin with: keep its bytes
	}
	return encoded
}

// clean drops what browsers drop before they look at an address: controls and blanks
// around it, tabs and line ends within.
func clean(s string) string {
	s = strings.TrimFunc(s, func(c rune) bool { return c <= ' ' })
	if !strings.ContainsAny(s, "\t\n\r") {
		return s
	}
	return strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(s)
}

// cutScheme splits "HTTP:rest" into "http" and "rest".
func cutScheme(s string) (scheme, rest string, found bool) {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c|0x20 && c|0x20 <= 'z':
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		case i > 0 && c == ':':
			return strings.ToLower(s[:i]), s[i+1:], true
		default:
			return "", s, false
		}
	}
	return "", s, false
}

// parseAuthority reads what follows the scheme: slashes of any number and kind, the
// host with its port, and the path.
func parseAuthority(scheme, rest string) (URL, error) {
	rest = strings.TrimLeft(rest, `/\`)
	authority, path := rest, ""
	if i := strings.IndexAny(rest, `/\`); i >= 0 {
		authority, path = rest[:i], rest[i+1:]
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		if strings.Trim(authority[:i], ":") != "" {
			return URL{}, ErrUser
		}
		authority = authority[i+1:]
	}
	u := URL{scheme: scheme}
	hostname, port, err := splitPort(authority)
	if err != nil {
		return URL{}, err
	}
	if port != defaultPort(scheme) {
		u.port = port
	}
	if u.host, u.addr, err = parseHost(hostname); err != nil {
		return URL{}, err
	}
	u.path = joinPath("/", path)
	return u, nil
}

// splitPort splits "host:80"; the port is 0 when there is none. A port of 0 in the
// address cannot be dialled and is an error.
func splitPort(authority string) (hostname string, port uint16, err error) {
	i := strings.LastIndexByte(authority, ':')
	if i < strings.LastIndexByte(authority, ']') || i < 0 {
		return authority, 0, nil
	}
	hostname, digits := authority[:i], authority[i+1:]
	if digits == "" {
		return hostname, 0, nil
	}
	for j := range len(digits) {
		if digits[j] < '0' || digits[j] > '9' {
			return "", 0, ErrPort
		}
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || n == 0 {
		return "", 0, ErrPort
	}
	return hostname, uint16(n), nil
}

func defaultPort(scheme string) uint16 {
	if scheme == "https" {
		return 443
	}
	return 80
}

func isSlash(c byte) bool { return c == '/' || c == '\\' }

// IsZero reports whether u is the zero value and so no address.
func (u URL) IsZero() bool { return u.scheme == "" }

// String returns the address as text.
func (u URL) String() string {
	return u.scheme + "://" + u.authority() + u.path + u.query
}

// Host returns the host for people: a name, or an IP address without brackets.
func (u URL) Host() string {
	return strings.Trim(u.host, "[]")
}

// AddrPort returns the IP address and port of an address whose host is literally an IP
// address, in whatever spelling; otherwise it is not valid.
func (u URL) AddrPort() netip.AddrPort {
	return netip.AddrPortFrom(u.addr, u.Port())
}

// Port returns the port to dial: the one in the address or the scheme's own.
func (u URL) Port() uint16 {
	if u.port != 0 {
		return u.port
	}
	return defaultPort(u.scheme)
}

// Request returns the address for an [http.Request]. It is made to be sent: the path
// goes out byte for byte, also where net/url would write it otherwise.
func (u URL) Request() *url.URL {
	r := &url.URL{
		Scheme:     u.scheme,
		Host:       u.authority(),
		Opaque:     u.path,
		RawQuery:   strings.TrimPrefix(u.query, "?"),
		ForceQuery: u.query == "?",
	}
	if strings.HasPrefix(u.path, "//") {
		// As an opaque part this would be sent as an address of its own.
		r.Opaque, r.Path = "", u.path
		if path, err := url.PathUnescape(u.path); err == nil {
			r.Path, r.RawPath = path, u.path
		}
	}
	return r
}

func (u URL) authority() string {
	if u.port == 0 {
		return u.host
	}
	return u.host + ":" + strconv.Itoa(int(u.port))
}

func (u URL) length() int {
	n := len(u.scheme) + len("://") + len(u.host) + len(u.path) + len(u.query)
	if u.port != 0 {
		n += len(":") + len(strconv.Itoa(int(u.port)))
	}
	return n
}
