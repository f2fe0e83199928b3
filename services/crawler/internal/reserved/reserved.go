// Package reserved tells public network addresses and ports from those that are set
// aside for a purpose: loopback, private networks, multicast, documentation and so on.
//
// It is a table, not a policy: it refuses nothing and knows no exceptions. The crawler
// asks it about every address it is about to dial.
//
//	reserved.Purpose(netip.MustParseAddr("10.1.2.3")) // "private"
//	reserved.Purpose(netip.MustParseAddr("8.8.8.8"))  // ""
package reserved

import (
	"net/netip"
	"slices"
)

// block is a range of addresses with its purpose.
type block struct {
	prefix  netip.Prefix
	purpose string
}

// blocks4 holds the IPv4 ranges of the IANA special-purpose address registry
// (RFC 6890 and its updates), the multicast range, and the one public address that
// is a cloud's own: Azure answers metadata requests of its machines on 168.63.129.16.
// The metadata addresses of other clouds lie in the link-local, carrier-grade NAT and
// protocol ranges.
var blocks4 = []block{
	{netip.MustParsePrefix("0.0.0.0/8"), "unspecified"},
	{netip.MustParsePrefix("10.0.0.0/8"), "private"},
	{netip.MustParsePrefix("100.64.0.0/10"), "carrier-grade NAT"},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},
	{netip.MustParsePrefix("168.63.129.16/32"), "cloud metadata"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local"},
	{netip.MustParsePrefix("172.16.0.0/12"), "private"},
	{netip.MustParsePrefix("192.0.0.0/24"), "protocol assignments"},
	{netip.MustParsePrefix("192.0.2.0/24"), "documentation"},
	{netip.MustParsePrefix("192.31.196.0/24"), "protocol assignments"},
	{netip.MustParsePrefix("192.52.193.0/24"), "protocol assignments"},
	{netip.MustParsePrefix("192.88.99.0/24"), "6to4"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private"},
	{netip.MustParsePrefix("192.175.48.0/24"), "protocol assignments"},
	{netip.MustParsePrefix("198.18.0.0/15"), "benchmark"},
	{netip.MustParsePrefix("198.51.100.0/24"), "documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "documentation"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
	{netip.MustParsePrefix("255.255.255.255/32"), "broadcast"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved"},
}

// blocks6 holds the IPv6 ranges that have a purpose. It is consulted before the rule
// that only 2000::/3 is public at all, so the ranges outside it are here for their
// names.
var blocks6 = []block{
	{netip.MustParsePrefix("::/128"), "unspecified"},
	{netip.MustParsePrefix("::1/128"), "loopback"},
	{netip.MustParsePrefix("::/96"), "embedded IPv4"},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "NAT64"},
	{netip.MustParsePrefix("2001::/32"), "Teredo"},
	{netip.MustParsePrefix("2001:2::/48"), "benchmark"},
	{netip.MustParsePrefix("2001::/23"), "protocol assignments"},
	{netip.MustParsePrefix("2001:db8::/32"), "documentation"},
	{netip.MustParsePrefix("2002::/16"), "6to4"},
	{netip.MustParsePrefix("2620:4f:8000::/48"), "protocol assignments"},
	{netip.MustParsePrefix("3fff::/20"), "documentation"},
	{netip.MustParsePrefix("fc00::/7"), "unique local"},
	{netip.MustParsePrefix("fe80::/10"), "link-local"},
	{netip.MustParsePrefix("fec0::/10"), "site-local"},
	{netip.MustParsePrefix("ff00::/8"), "multicast"},
}

var (
	// globalUnicast is all that has been given out as public IPv6 space (RFC 4291
	// section 2.4 and the IANA registry).
	globalUnicast = netip.MustParsePrefix("2000::/3")
	// nat64 is the well-known prefix under which a network without IPv4 reaches IPv4
	// hosts: the last 32 bits are the address (RFC 6052).
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
)

// Purpose returns what the address is set aside for, in a word or two, and "" when it
// is public. An IPv4 address inside an IPv6 one (mapped, or under the well-known NAT64
// prefix) counts as the IPv4 address; 6to4 and Teredo addresses, whose tunnels nobody
// runs any more, never count as public. An invalid address is "invalid".
func Purpose(addr netip.Addr) string {
	if !addr.IsValid() {
		return "invalid"
	}
	addr = addr.Unmap().WithZone("")
	if nat64.Contains(addr) {
		bytes := addr.As16()
		addr = netip.AddrFrom4([4]byte(bytes[12:]))
	}
	blocks := blocks4
	if addr.Is6() {
		blocks = blocks6
	}
	for _, b := range blocks {
		if b.prefix.Contains(addr) {
			return b.purpose
		}
	}
	if addr.Is6() && !globalUnicast.Contains(addr) {
		return "reserved"
	}
	return ""
}

// ports are the ports on which web browsers refuse to speak HTTP, because a server of
// another protocol might take the request for its own: the Fetch standard's section
// on port blocking, https://fetch.spec.whatwg.org/#port-blocking.
var ports = []uint16{
	0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95,
	101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161,
	179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563,
	587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060,
	5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
}

// Port reports whether the TCP port belongs to a protocol that must not be sent HTTP
// requests, such as mail.
func Port(port uint16) bool {
	_, found := slices.BinarySearch(ports, port)
	return found
}
