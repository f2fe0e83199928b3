package crawl

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
)

// explain turns an error of fetching into one for the caller: of the caller's own
// context if that is over, or else a *contract.Error whose detail says what happened
// and whose cause is for the log. Fetching is the context of the fetch, which is the
// caller's with a limit of its own.
func (c *Crawler) explain(caller, fetching context.Context, err error) error {
	if cause := over(caller); cause != nil {
		return fmt.Errorf("fetch page: %w", cause)
	}
	f, ok := errors.AsType[*fault](err)
	if !ok {
		return err
	}
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.explain(f.at).WithCause(err)
	}
	host := f.at.url.Host()
	if fetching.Err() != nil {
		return contract.Errorf(contract.CodeUpstream, "%s did not deliver the page within %v", host, c.totalTime).WithCause(err)
	}
	return contract.Errorf(contract.CodeUpstream, "%s", describe(host, f.err)).WithCause(err)
}

// over returns why the context is over, or nil. Connections know deadlines too, and
// may give up a moment before the context says so.
func over(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

// explain says which address is refused and what an operator can do. It names an IP
// address only if the caller or the site did: what names resolve to inside a private
// network is not the caller's business.
func (r *refusal) explain(at hop) *contract.Error {
	way := "leads to"
	if at.n > 0 {
		way = fmt.Sprintf("redirects to %.200s (hop %d), which leads to", at.url, at.n)
	}
	what := fmt.Sprintf("an address that is not public (%s)", r.purpose)
	switch {
	case r.purpose == "":
		what = fmt.Sprintf("port %d, which belongs to a protocol other than HTTP", r.to.Port())
	case at.url.AddrPort().IsValid():
		what = fmt.Sprintf("%v, which is not a public address (%s)", r.to.Addr(), r.purpose)
	}
	return contract.Errorf(contract.CodeForbidden,
		"%s %s; the crawler goes there only if it was started with a --crawl-allow rule for it", way, what).At("url")
}

// describe says in a sentence what went wrong between the crawler and a site.
func describe(host string, err error) string {
	if sentence := describeNetwork(host, err); sentence != "" {
		return sentence
	}
	if sentence := describeTLS(host, err); sentence != "" {
		return sentence
	}
	switch {
	case errors.Is(err, errStalled):
		return host + " stopped sending in the middle of the page"
	case errors.Is(err, errEncoding):
		return host + " sent the page in a content encoding that was not asked for"
	case isTimeout(err):
		return host + " did not answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return host + " closed the connection before the page was complete"
	default:
		return "the answer of " + host + " could not be read"
	}
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

func describeNetwork(host string, err error) string {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsNotFound {
			return "there is no host named " + host + "; check the spelling"
		}
		return "the address of " + host + " could not be looked up"
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return host + " refused the connection"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return host + " cannot be reached from the crawler's network"
	default:
		return ""
	}
}

func describeTLS(host string, err error) string {
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "the certificate of " + host + " is for another name"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "the certificate of " + host + " is not signed by an authority that the crawler knows"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return "the certificate of " + host + " has expired or is not valid yet"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "the certificate of " + host + " is not valid"
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return host + " refused the TLS handshake"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return host + " does not speak TLS on this port; ask for http:// instead"
	}
	return ""
}
