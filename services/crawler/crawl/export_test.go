package crawl

import (
	"context"
	"crypto/tls"
	"crypto/x509"
)

// Trust makes the crawler accept certificates of test servers.
func (c *Crawler) Trust(roots *x509.CertPool) {
	c.transport.TLSClientConfig = &tls.Config{RootCAs: roots}
}

// MaxResult lets tests fill a result.
const MaxResult = maxResult

// Guard returns what the dialer asks about every address under the rules.
func Guard(allow ...AllowRule) func(address string) error {
	g := guard{allow: allow}
	return func(address string) error { return g.control(context.Background(), "tcp", address, nil) }
}
