package host

import (
	"testing"

	"github.com/seed-649d3d38/heddle/contract"
)

func TestNegotiate(t *testing.T) {
	t.Parallel()
	json := []string{contract.MediaJSON}
	both := []string{contract.MediaJSON, contract.MediaText}
	for _, c := range []struct {
		accept string
		offers []string
		want   string // empty: not acceptable
	}{
		{"", both, contract.MediaJSON},
		{"*/*", both, contract.MediaJSON},
		{"application/json", json, contract.MediaJSON},
		{"application/*", both, contract.MediaJSON},
		{"text/plain", both, contract.MediaText},
		{"text/plain", json, ""},
		{"text/*", both, contract.MediaText},
		{"TEXT/Plain", both, contract.MediaText},
		{"text/plain; charset=utf-8", both, contract.MediaText},
		{"text/plain;q=0.5, application/json", both, contract.MediaJSON},
		{"text/plain, application/json;q=0.5", both, contract.MediaText},
		{"application/json;q=0, */*", both, contract.MediaText},
		{"application/json;q=0, */*", json, ""},
		{"image/png", both, ""},
		{"*/*;q=0", both, ""},
		{"nonsense", both, ""},
		{"application/json;q=high", both, ""},
	} {
		got, err := negotiate(c.accept, c.offers)
		if (err == nil) != (c.want != "") || got != c.want {
			t.Errorf("negotiate(%q, %v) = %q, %v; want %q", c.accept, c.offers, got, err, c.want)
		}
	}
}

func FuzzNegotiate(f *testing.F) {
	for _, seed := range []string{"", "*/*", "text/plain;q=0.5, application/json", "a/b;q=\"", ";,;"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		got, err := negotiate(accept, []string{contract.MediaJSON})
		if (err == nil) != (got == contract.MediaJSON) {
			t.Errorf("%q: chose %q, %v", accept, got, err)
		}
	})
}
