package rest

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"github.com/seed-649d3d38/heddle/contract"
)

// guard keeps web pages from driving the gateway. A browser sends requests to any
// address it can reach, on behalf of any page: to a gateway on the same machine too,
// which nobody else can reach. Three things give such a request away: the name under
// which it asks for the gateway (Host), the page it comes from (Origin), and what the
// browser says about the two (Sec-Fetch-Site). Programs send the first only.
type guard struct {
	loopback bool
	names    []string
}

func newGuard(loopback bool, names []string) *guard {
	g := &guard{loopback: loopback}
	for _, name := range names {
		g.names = append(g.names, strings.ToLower(name))
	}
	return g
}

// check returns an [*contract.Error] with [contract.CodeForbidden] for a request that
// another site's page may have caused.
func (g *guard) check(r *http.Request, rt *route) error {
	if !g.allowsHost(r.Host) {
		return contract.Errorf(contract.CodeForbidden, "does not name this gateway; ask for it under the name it was started with, such as localhost").At("Host")
	}
	if origins := r.Header["Origin"]; origins != nil && !ownOrigin(origins, r.Host) {
		return contract.Errorf(contract.CodeForbidden, "names another site; pages of other sites may not use this gateway").At("Origin")
	}
	if sites := r.Header["Sec-Fetch-Site"]; sites != nil && !ownSite(sites) && (!rt.page || !isNavigation(r)) {
		return contract.Errorf(contract.CodeForbidden, "tells of another site; pages of other sites may not use this gateway").At("Sec-Fetch-Site")
	}
	return nil
}

// allowsHost reports whether the Host header names the gateway.
func (g *guard) allowsHost(host string) bool {
	if !g.loopback && len(g.names) == 0 {
		return true
	}
	name, ok := hostName(host)
	if !ok {
		return false
	}
	return g.loopback && isLoopback(name) || slices.Contains(g.names, name)
}

// hostName returns the name in a Host header, in lower case, without port and without
// the brackets of an IPv6 address; ok is false if the header is not well formed.
func hostName(host string) (name string, ok bool) {
	rest := ""
	if inside, bracketed := strings.CutPrefix(host, "["); bracketed {
		name, rest, ok = strings.Cut(inside, "]")
		if !ok || !strings.Contains(name, ":") {
			return "", false
		}
	} else if i := strings.IndexByte(host, ':'); i >= 0 {
		name, rest = host[:i], host[i:]
	} else {
		name = host
	}
	port, hasPort := strings.CutPrefix(rest, ":")
	if name == "" || rest != "" && !hasPort || strings.Trim(port, "0123456789") != "" || !isASCII(name) {
		return "", false
	}
	return strings.ToLower(name), true
}

// isASCII reports whether a name is in the alphabet of the wire, where a name in another
// script has its "xn--" form.
func isASCII(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII })
}

// isLoopback reports whether a name can lead to the same machine only.
func isLoopback(name string) bool {
	if name == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(name)
	return err == nil && address.Unmap().IsLoopback()
}

// ownOrigin reports whether an Origin header names the host that was asked. The scheme
// does not matter: a proxy in front may have taken TLS away.
func ownOrigin(origins []string, host string) bool {
	if len(origins) != 1 {
		return false
	}
	scheme, authority, ok := strings.Cut(origins[0], "://")
	return ok && (scheme == "http" || scheme == "https") && strings.EqualFold(authority, host)
}

// ownSite reports whether the browser says that the gateway's own page, or the person
// at the address bar, made the request.
func ownSite(sites []string) bool {
	return len(sites) == 1 && (sites[0] == "same-origin" || sites[0] == "none")
}

// isNavigation reports whether the request opens a page in a window of its own, as a
// click on a link does.
func isNavigation(r *http.Request) bool {
	return slices.Contains(reading, r.Method) &&
		slices.Equal(r.Header["Sec-Fetch-Mode"], []string{"navigate"}) &&
		slices.Equal(r.Header["Sec-Fetch-Dest"], []string{"document"})
}
