package reserved_test

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/services/crawler/internal/reserved"
)

func TestPurposeOfEveryRange(t *testing.T) {
	t.Parallel()
	// The first and the last address of every range, and its neighbours where they are
	// public.
	tests := []struct {
		addr, want string
	}{
		{"0.0.0.0", "unspecified"},
		{"0.255.255.255", "unspecified"},
		{"1.0.0.0", ""},
		{"9.255.255.255", ""},
		{"10.0.0.0", "private"},
		{"10.255.255.255", "private"},
		{"11.0.0.0", ""},
		{"100.63.255.255", ""},
		{"100.64.0.0", "carrier-grade NAT"},
		{"100.100.100.200", "carrier-grade NAT"}, // metadata of Alibaba's cloud
		{"100.127.255.255", "carrier-grade NAT"},
		{"100.128.0.0", ""},
		{"126.255.255.255", ""},
		{"127.0.0.0", "loopback"},
		{"127.255.255.255", "loopback"},
		{"128.0.0.0", ""},
		{"168.63.129.15", ""},
		{"168.63.129.16", "cloud metadata"},
		{"169.253.255.255", ""},
		{"169.254.169.254", "link-local"}, // metadata of most clouds
		{"169.254.170.2", "link-local"},
		{"169.255.0.0", ""},
		{"172.15.255.255", ""},
		{"172.16.0.0", "private"},
		{"172.31.255.255", "private"},
		{"172.32.0.0", ""},
		{"192.0.0.192", "protocol assignments"}, // metadata of Oracle's older cloud
		{"192.0.2.1", "documentation"},
		{"192.31.196.1", "protocol assignments"},
		{"192.52.193.1", "protocol assignments"},
		{"192.88.99.1", "6to4"},
		{"192.167.255.255", ""},
		{"192.168.0.0", "private"},
		{"192.168.255.255", "private"},
		{"192.169.0.0", ""},
		{"192.175.48.1", "protocol assignments"},
		{"198.17.255.255", ""},
		{"198.18.0.0", "benchmark"},
		{"198.19.255.255", "benchmark"},
		{"198.20.0.0", ""},
		{"198.51.100.255", "documentation"},
		{"203.0.113.0", "documentation"},
		{"223.255.255.255", ""},
		{"224.0.0.0", "multicast"},
		{"239.255.255.255", "multicast"},
		{"240.0.0.0", "reserved"},
		{"255.255.255.254", "reserved"},
		{"255.255.255.255", "broadcast"},
		{"8.8.8.8", ""},

		{"::", "unspecified"},
		{"::1", "loopback"},
		{"::7f00:1", "embedded IPv4"},
		{"::ffff:127.0.0.1", "loopback"},
		{"::ffff:8.8.8.8", ""},
		{"64:ff9b::a00:1", "private"},
		{"64:ff9b::7f00:1", "loopback"},
		{"64:ff9b::808:808", ""},
		{"64:ff9b:1::808:808", "NAT64"},
		{"100::1", "reserved"},
		{"1fff::1", "reserved"},
		{"2001::1", "Teredo"},
		{"2001:0:7f00:1::", "Teredo"},
		{"2001:2::1", "benchmark"},
		{"2001:10::1", "protocol assignments"},
		{"2001:1ff:ffff::", "protocol assignments"},
		{"2001:200::", ""},
		{"2001:db8::1", "documentation"},
		{"2002:7f00:1::", "6to4"},
		{"2002:808:808::", "6to4"},
		{"2606:4700:4700::1111", ""},
		{"2620:4f:8000::1", "protocol assignments"},
		{"3fff::1", "documentation"},
		{"3fff:1000::1", ""},
		{"4000::1", "reserved"},
		{"5f00::1", "reserved"},
		{"fc00::1", "unique local"},
		{"fd00:ec2::254", "unique local"}, // metadata of Amazon's cloud
		{"fe80::1", "link-local"},
		{"fe80::1%eth0", "link-local"},
		{"::1%lo", "loopback"},
		{"fec0::1", "site-local"},
		{"ff02::1", "multicast"},
	}
	for _, tt := range tests {
		if got := reserved.Purpose(netip.MustParseAddr(tt.addr)); got != tt.want {
			t.Errorf("Purpose(%s) = %q, want %q", tt.addr, got, tt.want)
		}
	}
	if got := reserved.Purpose(netip.Addr{}); got != "invalid" {
		t.Errorf("Purpose of no address = %q, want invalid", got)
	}
}

func TestWhatTheStandardLibraryCallsSpecialHasAPurpose(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "address")
		// Half of all draws begin in a range with meaning; random bits seldom do.
		if start := rapid.SampledFrom([]string{"", "\xfe\x80", "\xff", "\xfc", "\x20\x01", "\x20\x02"}).Draw(t, "start"); start != "" {
			copy(raw, start)
		}
		addrs := []netip.Addr{netip.AddrFrom16([16]byte(raw)), netip.AddrFrom4([4]byte(raw[:4]))}
		for _, addr := range addrs {
			special := addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast() || addr.IsMulticast() ||
				addr.IsUnspecified() || !addr.IsGlobalUnicast()
			if special && reserved.Purpose(addr) == "" {
				t.Fatalf("%s counts as public", addr)
			}
		}
	})
}

func TestIPv4HasTheSamePurposeInsideIPv6(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		raw := [4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "address"))
		addr := netip.AddrFrom4(raw)
		want := reserved.Purpose(addr)
		mapped := netip.AddrFrom16(addr.As16())
		if got := reserved.Purpose(mapped); got != want {
			t.Fatalf("Purpose(%s) = %q, want %q as of %s", mapped, got, want, addr)
		}
		translated := netip.MustParseAddr("64:ff9b::").As16()
		copy(translated[12:], raw[:])
		if got := reserved.Purpose(netip.AddrFrom16(translated)); got != want {
			t.Fatalf("Purpose(%s) = %q, want %q as of %s", netip.AddrFrom16(translated), got, want, addr)
		}
	})
}

func TestPort(t *testing.T) {
	t.Parallel()
	for _, port := range []uint16{0, 1, 22, 25, 587, 6000, 6697, 10080} {
		if !reserved.Port(port) {
			t.Errorf("Port(%d) = false, want true", port)
		}
	}
	for _, port := range []uint16{80, 443, 3000, 5000, 8000, 8080, 8443, 9000, 65535} {
		if reserved.Port(port) {
			t.Errorf("Port(%d) = true, want false", port)
		}
	}
}
