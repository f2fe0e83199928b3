package weburl

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// The longest name and label of the domain name system (RFC 1035 section 2.3.4).
const (
	maxName  = 253
	maxLabel = 63
)

// names maps host names to ASCII as browsers do (UTS 46, not transitional), and leaves
// the checks of length and characters to checkName.
var names = idna.New(
	idna.MapForLookup(),
	idna.BidiRule(),
	idna.Transitional(false),
	idna.StrictDomainName(false),
	idna.CheckHyphens(false),
)

// parseHost returns the host in its final form, and its address when it is one.
func parseHost(s string) (host string, addr netip.Addr, err error) {
	if strings.HasPrefix(s, "[") {
		return parseIPv6(s)
	}
	if s, err = asciiName(s); err != nil {
		return "", netip.Addr{}, err
	}
	if endsInNumber(s) {
		if addr, err = parseIPv4(s); err != nil {
			return "", netip.Addr{}, err
		}
		return addr.String(), addr, nil
	}
	return s, netip.Addr{}, checkName(s)
}

// parseIPv6 reads an address in brackets. Zones have no meaning beyond the machine
// they are on and are refused.
func parseIPv6(s string) (string, netip.Addr, error) {
	inner, closed := strings.CutSuffix(s[1:], "]")
	addr, err := netip.ParseAddr(inner)
	if !closed || err != nil || !addr.Is6() || addr.Zone() != "" {
		return "", netip.Addr{}, ErrHost
	}
	if addr.Is4In6() {
		// The URL Standard writes these in hexadecimal too.
		b := addr.As16()
		return fmt.Sprintf("[::ffff:%x:%x]", int(b[12])<<8|int(b[13]), int(b[14])<<8|int(b[15])), addr, nil
	}
	return "[" + addr.String() + "]", addr, nil
}

// asciiName decodes percent signs and maps the name to lower-case ASCII.
func asciiName(s string) (string, error) {
	if strings.IndexByte(s, '%') >= 0 {
		decoded, err := url.PathUnescape(s)
		if err != nil {
			return "", ErrHost
		}
		s = decoded
	}
	if isPlainName(s) {
		return s, nil
	}
	if !utf8.ValidString(s) {
		return "", ErrHost
	}
	s, err := names.ToASCII(s)
	if err != nil {
		return "", ErrHost
	}
	return s, nil
}

// isPlainName reports whether the mapping to ASCII would leave the name as it is, which
// is so for nearly all.
func isPlainName(s string) bool {
	for i := range len(s) {
		if !isNameByte(s[i]) {
			return false
		}
	}
	return !strings.Contains(s, "xn--")
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.'
}

// checkName refuses names that cannot be looked up: characters other than letters,
// digits, hyphens and underscores, empty or long labels. One dot at the end is fine.
func checkName(s string) error {
	s = strings.TrimSuffix(s, ".")
	if len(s) > maxName {
		return ErrHost
	}
	for i := range len(s) {
		if !isNameByte(s[i]) {
			return ErrHost
		}
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > maxLabel {
			return ErrHost
		}
	}
	return nil
}

// endsInNumber reports whether the last label is a number, which makes the host an IPv4
// address or nothing.
func endsInNumber(s string) bool {
	s = strings.TrimSuffix(s, ".")
	last := s[strings.LastIndexByte(s, '.')+1:]
	if last == "" {
		return false
	}
	if strings.Trim(last, "0123456789") == "" {
		return true
	}
	digits, isHex := cutHex(last)
	return isHex && strings.Trim(digits, "0123456789abcdef") == ""
}

// parseIPv4 reads one to four numbers, decimal, octal (after 0) or hexadecimal (after
// 0x), of which the last fills the bytes that are left: 127.1 is 127.0.0.1.
func parseIPv4(s string) (netip.Addr, error) {
	parts := strings.Split(strings.TrimSuffix(s, "."), ".")
	if len(parts) > 4 {
		return netip.Addr{}, ErrHost
	}
	var sum uint64
	for i, part := range parts {
		n, err := parseIPv4Number(part)
		if err != nil {
			return netip.Addr{}, ErrHost
		}
		width := 8 // bits that the number may fill
		if i == len(parts)-1 {
			width = 8 * (5 - len(parts))
		}
		if n>>width != 0 {
			return netip.Addr{}, ErrHost
		}
		sum = sum<<width | n
	}
	return netip.AddrFrom4([4]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}), nil
}

func parseIPv4Number(s string) (uint64, error) {
	if digits, isHex := cutHex(s); isHex {
		if digits == "" {
			return 0, nil
		}
		return strconv.ParseUint(digits, 16, 64)
	}
	if len(s) > 1 && s[0] == '0' {
		return strconv.ParseUint(s[1:], 8, 64)
	}
	return strconv.ParseUint(s, 10, 64)
}

func cutHex(s string) (digits string, isHex bool) {
	return strings.CutPrefix(s, "0x")
}
