package crawl_test

import (
	"encoding/json"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/services/crawler/crawl"
)

func TestParseAllow(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in, prefix string
		port       uint16
	}{
		{"127.0.0.0/8", "127.0.0.0/8", 0},
		{"10.0.0.0/8:8080", "10.0.0.0/8", 8080},
		{"192.168.1.7/32:65535", "192.168.1.7/32", 65535},
		{"0.0.0.0/0:1", "0.0.0.0/0", 1},
		{"::1/128", "::1/128", 0},
		{"::1/128:80", "::1/128", 80},
		{"[::1]/128:80", "::1/128", 80},
		{"[fd00::]/8", "fd00::/8", 0},
	}
	for _, tt := range tests {
		want := crawl.AllowRule{Prefix: netip.MustParsePrefix(tt.prefix), Port: tt.port}
		if got, err := crawl.ParseAllow(tt.in); err != nil || got != want {
			t.Errorf("ParseAllow(%q) = %v, %v, want %v", tt.in, got, err, want)
		}
	}
}

func TestParseAllowRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", "/", "127.0.0.1", "127.0.0.1:80", "localhost/8", "127.0.0.0/33", "127.0.0.0/-1", "127.0.0.0/08", "127.0.0.0/",
		"127.0.0.1/8", "127.0.0.0/8:", "127.0.0.0/8:0", "127.0.0.0/8:65536", "127.0.0.0/8:-1", "127.0.0.0/8:http",
		"127.0.0.0/8:80:80", "[127.0.0.0]/8", "[::1/128", "::1]/128", "[::1/128]:80", "[[::1]]/128", "fe80::1%eth0/128",
		"::ffff:10.0.0.0/104", " 127.0.0.0/8", "127.0.0.0/8 ", "0x7f.0.0.0/8", "127.1/8",
	} {
		if rule, err := crawl.ParseAllow(in); err == nil {
			t.Errorf("ParseAllow(%q) = %v, want an error", in, rule)
		}
	}
}

func TestRulesAreText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom([]int{4, 16}).Draw(t, "size")
		addr, _ := netip.AddrFromSlice(rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "address"))
		addr = addr.Unmap() // rules have no IPv4 addresses in the form of IPv6
		prefix := netip.PrefixFrom(addr, rapid.IntRange(0, addr.BitLen()).Draw(t, "bits")).Masked()
		rule := crawl.AllowRule{Prefix: prefix, Port: rapid.Uint16().Draw(t, "port")}
		checkRule(t, rule)
	})
}

// checkRule fails the test if the rule does not survive being text.
func checkRule(t interface{ Fatalf(string, ...any) }, rule crawl.AllowRule) {
	again, err := crawl.ParseAllow(rule.String())
	if err != nil || again != rule {
		t.Fatalf("%v reads as %v, %v", rule, again, err)
	}
	encoded, err := json.Marshal([]crawl.AllowRule{rule})
	if err != nil {
		t.Fatalf("%v as JSON: %v", rule, err)
	}
	var decoded []crawl.AllowRule
	if err := json.Unmarshal(encoded, &decoded); err != nil || decoded[0] != rule {
		t.Fatalf("%s reads as %v, %v", encoded, decoded, err)
	}
}

func TestRuleAsFlagKeepsItsValueOnError(t *testing.T) {
	t.Parallel()
	rule := crawl.AllowRule{Prefix: netip.MustParsePrefix("10.0.0.0/8")}
	before := rule
	if err := rule.UnmarshalText([]byte("nonsense")); err == nil || rule != before {
		t.Errorf("nonsense reads as %v, %v", rule, err)
	}
}

func FuzzParseAllow(f *testing.F) {
	for _, s := range []string{"127.0.0.0/8", "10.0.0.0/8:8080", "[::1]/128:80", "::1/128:80", "fd00::/8", "1.2.3.4/8", "[::1]/:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if rule, err := crawl.ParseAllow(s); err == nil {
			checkRule(t, rule)
		}
	})
}
