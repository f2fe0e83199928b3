package crawl

import (
	"context"
	"fmt"
	"net/netip"
	"syscall"

	"github.com/seed-649d3d38/heddle/services/crawler/internal/reserved"
)

// guard decides which addresses may be dialled: public ones, on ports that do not
// belong to another protocol, and what the rules let through. Any other port of a
// public host is as good as 80, since sites do run on them and whoever may ask the
// crawler can reach them anyway.
type guard struct {
	allow []AllowRule
}

// refusal is the error of an address that may not be dialled.
type refusal struct {
	to      netip.AddrPort
	purpose string // what the address is set aside for; empty when it is the port
}

// Error describes the refusal for the log.
func (r *refusal) Error() string {
	if r.purpose == "" {
		return fmt.Sprintf("dial %v: refused: port of another protocol", r.to)
	}
	return fmt.Sprintf("dial %v: refused: %s address", r.to, r.purpose)
}

// check returns a *refusal if the address may not be dialled.
func (g guard) check(to netip.AddrPort) error {
	to = netip.AddrPortFrom(to.Addr().Unmap().WithZone(""), to.Port())
	for _, rule := range g.allow {
		if rule.allows(to) {
			return nil
		}
	}
	if purpose := reserved.Purpose(to.Addr()); purpose != "" {
		return &refusal{to: to, purpose: purpose}
	}
	if reserved.Port(to.Port()) {
		return &refusal{to: to}
	}
	return nil
}

// control is called by the dialer for every address that it is about to connect to,
// after names have been resolved. Between it and the connection nothing can change the
// address.
func (g guard) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("check address %q: %w", address, err)
	}
	return g.check(to)
}
