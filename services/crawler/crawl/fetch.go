package crawl

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/crawler/internal/weburl"
)

// maxRedirects is the number of redirects that are followed for one page.
const maxRedirects = 10

// maxDrain is the part of a redirect's body that is read so that the connection can be
// used again, in bytes. Closing a connection is cheaper than reading more.
const maxDrain = 4 << 10

// hop is one address on the way to a page.
type hop struct {
	url weburl.URL
	n   int // redirects before it
}

// fault is an error of fetching from a hop, not yet in the words of the contract.
type fault struct {
	at  hop
	err error
}

// Error describes the fault for the log.
func (f *fault) Error() string { return "fetch " + f.at.url.String() + ": " + f.err.Error() }

// Unwrap returns the cause.
func (f *fault) Unwrap() error { return f.err }

// fetch gets the page and follows redirects. The caller closes the body. The error is
// a *fault or a *contract.Error.
func (c *Crawler) fetch(ctx context.Context, start weburl.URL) (*http.Response, hop, error) {
	at := hop{url: start}
	for {
		response, err := c.get(ctx, at.url)
		if err != nil {
			return nil, at, &fault{at: at, err: err}
		}
		location := response.Header.Get("Location")
		if !isRedirect(response.StatusCode) || location == "" {
			return response, at, nil
		}
		discard(response)
		if at, err = at.follow(location); err != nil {
			return nil, at, err
		}
	}
}

// follow returns the hop that a redirect leads to.
func (h hop) follow(location string) (hop, error) {
	if h.n == maxRedirects {
		return h, contract.Errorf(contract.CodeUpstream, "%s redirects more than %d times", h.url.Host(), maxRedirects)
	}
	next, err := weburl.Resolver{Base: h.url}.Resolve(location)
	if err != nil {
		return h, contract.Errorf(contract.CodeUpstream, "%s redirects to %.200q, but an address %v", h.url.Host(), location, err)
	}
	return hop{url: next, n: h.n + 1}, nil
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	default:
		return false
	}
}

// discard closes the body of a response that is of no interest.
func discard(response *http.Response) {
	if response.ContentLength <= maxDrain {
		// A failure shows at the next request, if there is one.
		_, _ = io.CopyN(io.Discard, response.Body, maxDrain)
	}
	_ = response.Body.Close()
}

// get sends one request. The body of the response gives up when it stalls.
func (c *Crawler) get(ctx context.Context, u weburl.URL) (*http.Response, error) {
	// The dialer would find out too, but only if there is no connection yet.
	if to := u.AddrPort(); to.IsValid() {
		if err := c.guard.check(to); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	request := (&http.Request{
		Method: http.MethodGet,
		URL:    u.Request(),
		Header: http.Header{
			"User-Agent": {userAgent},
			"Accept":     {"text/html, application/xhtml+xml, */*;q=0.1"},
		},
	}).WithContext(ctx)
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		cancel()
		return nil, err
	}
	response.Body = watch(response.Body, c.stallTime, cancel)
	return response, nil
}

// errStalled is the error of a body that nothing more came of.
var errStalled = errors.New("the body stalled")

// watchedBody is a body that ends with errStalled when a read takes too long.
type watchedBody struct {
	body    io.ReadCloser
	cancel  context.CancelFunc // ends the request and with it any read
	limit   time.Duration
	timer   *time.Timer
	stalled *atomic.Bool
}

func watch(body io.ReadCloser, limit time.Duration, cancel context.CancelFunc) *watchedBody {
	stalled := new(atomic.Bool)
	timer := time.AfterFunc(limit, func() {
		stalled.Store(true)
		cancel()
	})
	timer.Stop()
	return &watchedBody{body: body, cancel: cancel, limit: limit, timer: timer, stalled: stalled}
}

// Read reads the next part.
func (w *watchedBody) Read(b []byte) (int, error) {
	w.timer.Reset(w.limit)
	n, err := w.body.Read(b)
	w.timer.Stop()
	if err != nil && err != io.EOF && w.stalled.Load() {
		err = errStalled
	}
	return n, err
}

// Close gives the connection back, or closes it if the body has not been read to its
// end.
func (w *watchedBody) Close() error {
	w.timer.Stop()
	err := w.body.Close()
	w.cancel()
	return err
}
