package rest

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/seed-649d3d38/heddle/contract"
)

func FuzzNegotiate(f *testing.F) {
	for _, accept := range []string{"", "*/*", "text/plain;q=0.5, application/json;q=0.4", "application/json;q=0, */*", "text/*;q=NaN", ",;/", `a/b;q="1`} {
		f.Add(accept)
	}
	offered := []string{contract.MediaJSON, contract.MediaText}
	f.Fuzz(func(t *testing.T, accept string) {
		media, acceptable := negotiate(accept, offered)
		if !acceptable {
			if accept == "" || media != "" {
				t.Errorf("negotiate(%q) = %q, not acceptable", accept, media)
			}
			return
		}
		chosen := 1.0
		if accept != "" {
			chosen = weight(accept, media)
		}
		for _, offer := range offered {
			if w := weight(accept, offer); w < 0 || w > 1 || w > chosen {
				t.Errorf("negotiate(%q) = %s of weight %g, while %s has %g", accept, media, chosen, offer, w)
			}
		}
		if alone, ok := negotiate(accept, []string{media}); !ok || alone != media {
			t.Errorf("negotiate(%q) likes %s among others but not alone", accept, media)
		}
	})
}

func FuzzAnyTag(f *testing.F) {
	for _, held := range []string{"", "*", `"a"`, `W/"a", "b"`, `"a`, `W/`, `"a""b"`, `,, "a" ,`, `w/"a"`, `"a\"b"`} {
		f.Add(held, "b")
	}
	f.Fuzz(func(t *testing.T, held, name string) {
		if strings.Contains(name, `"`) {
			return // no entity tag has a quote within
		}
		tag := `"` + name + `"`
		found := anyTag([]string{held}, tag)
		if found && !strings.Contains(held, tag) {
			t.Errorf("found %s in %q", tag, held)
		}
		if !anyTag([]string{held, tag}, tag) || !anyTag([]string{`"x", W/` + tag + "," + held}, tag) {
			t.Errorf("did not find %s beside %q", tag, held)
		}
	})
}

func FuzzHostName(f *testing.F) {
	for _, host := range []string{"", "localhost", "LOCALHOST:80", "127.0.0.1:8080", "[::1]:80", "[::1]", "::1", "[::1%25lo]:1", "a:b", "[a]", "x]:1", "[::ffff:127.0.0.1]"} {
		f.Add(host)
	}
	loopback := newGuard(true, nil)
	f.Fuzz(func(t *testing.T, host string) {
		name, ok := hostName(host)
		if ok {
			if name == "" || name != strings.ToLower(name) || len(name) > len(host) {
				t.Errorf("hostName(%q) = %q", host, name)
			}
			bracketed := name
			if strings.Contains(name, ":") {
				bracketed = "[" + name + "]"
			}
			if again, ok := hostName(bracketed + ":8080"); !ok || again != name {
				t.Errorf("hostName(%q) = %q, and with a port %q", host, name, again)
			}
		}
		if !loopback.allowsHost(host) {
			return
		}
		address, err := netip.ParseAddr(name)
		if name != "localhost" && (err != nil || !address.Unmap().IsLoopback()) {
			t.Errorf("Host %q is taken for loopback, as %q", host, name)
		}
	})
}
