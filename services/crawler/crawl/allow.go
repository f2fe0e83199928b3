package crawl

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// AllowRule lets the crawler fetch from addresses that it would refuse: all of Prefix,
// on Port or, when Port is 0, on every port. The zero value lets nothing through. Rules
// are compared with the address that is dialled, not with names, and an IPv4 address in
// an IPv6 one counts as IPv4.
type AllowRule struct {
	Prefix netip.Prefix
	Port   uint16
}

// ParseAllow reads a rule in the form CIDR[:PORT], such as "127.0.0.0/8",
// "10.0.0.0/8:8080", "::1/128" or "[::1]/128:80". Bits of the address beyond the prefix
// must be zero: a rule that means more than it seems to say is refused.
func ParseAllow(s string) (AllowRule, error) {
	addr, rest, found := strings.Cut(s, "/")
	if !found {
		return AllowRule{}, fmt.Errorf("allow rule %q: must be CIDR[:PORT], such as 10.0.0.0/8 or 10.0.0.0/8:8080", s)
	}
	if inner, bracketed := strings.CutPrefix(addr, "["); bracketed {
		var closed bool
		if addr, closed = strings.CutSuffix(inner, "]"); !closed || !strings.Contains(addr, ":") {
			return AllowRule{}, fmt.Errorf("allow rule %q: brackets must enclose an IPv6 address", s)
		}
	}
	bits, port, hasPort := strings.Cut(rest, ":")
	prefix, err := netip.ParsePrefix(addr + "/" + bits)
	switch {
	case err != nil:
		return AllowRule{}, fmt.Errorf("allow rule %q: must be CIDR[:PORT], such as 10.0.0.0/8 or 10.0.0.0/8:8080: %w", s, err)
	case prefix.Addr().Is4In6():
		return AllowRule{}, fmt.Errorf("allow rule %q: write the IPv4 address as such", s)
	case prefix != prefix.Masked():
		return AllowRule{}, fmt.Errorf("allow rule %q: has bits beyond its prefix; write %v", s, prefix.Masked())
	case !hasPort:
		return AllowRule{Prefix: prefix}, nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return AllowRule{}, fmt.Errorf("allow rule %q: the port must be a number from 1 to 65535", s)
	}
	return AllowRule{Prefix: prefix, Port: uint16(n)}, nil
}

// String returns the rule in a form that ParseAllow reads.
func (r AllowRule) String() string {
	if r.Port == 0 {
		return r.Prefix.String()
	}
	return r.Prefix.String() + ":" + strconv.Itoa(int(r.Port))
}

// MarshalText returns what String does.
func (r AllowRule) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText sets the rule to what ParseAllow reads, so that rules can be flags.
func (r *AllowRule) UnmarshalText(text []byte) error {
	rule, err := ParseAllow(string(text))
	if err != nil {
		return err
	}
	*r = rule
	return nil
}

// allows reports whether the rule lets the address through.
func (r AllowRule) allows(to netip.AddrPort) bool {
	return r.Prefix.Contains(to.Addr()) && (r.Port == 0 || r.Port == to.Port())
}
