package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
)

// HTTP calls services through the gateway.
type HTTP struct {
	// Base is the address of the gateway: "http://127.0.0.1:8080".
	Base string
	// Client sends the requests; nil means http.DefaultClient.
	Client *http.Client
}

// Send implements [Caller].
func (c HTTP) Send(ctx context.Context, operation contract.Spec, body []byte, accept string) (Reply, error) {
	return readAll(c.Open(ctx, operation, body, accept))
}

// Open implements [Caller].
func (c HTTP) Open(ctx context.Context, operation contract.Spec, body []byte, accept string) (*Result, error) {
	service, caller := allowance(ctx, operation)
	address, err := url.JoinPath(c.Base, operation.Route())
	if err != nil {
		return nil, fmt.Errorf("gateway address %q: %w", c.Base, err)
	}
	// The time is for the work: it is up unless the response has begun, and the body may
	// take longer.
	ctx, cancel := context.WithCancelCause(ctx)
	late := time.AfterFunc(caller, func() { cancel(context.DeadlineExceeded) })
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		cancel(nil)
		return nil, fmt.Errorf("gateway address %q: %w", c.Base, err)
	}
	r.Header.Set(contract.HeaderContentType, contract.MediaJSON)
	r.Header.Set(contract.HeaderTimeout, contract.FormatTimeout(service))
	if accept != "" {
		r.Header.Set(contract.HeaderAccept, accept)
	}
	resp, err := c.exchange(r) //nolint:bodyclose // the result's Close does
	late.Stop()
	if err != nil {
		cancel(nil)
		return nil, err
	}
	return &Result{
		ReadCloser: &response{resp.Body, func() error { return context.Cause(ctx) }, cancel},
		Size:       resp.ContentLength,
		Origin: Origin{
			ContentType: resp.Header.Get(contract.HeaderContentType),
			Instance:    resp.Header.Get(contract.HeaderInstance),
			Timing:      resp.Header.Get(contract.HeaderServerTiming),
		},
	}, nil
}

// response is the body of a response.
type response struct {
	io.ReadCloser
	ended  func() error // what ended the request's context, nil while it lasts
	cancel context.CancelCauseFunc
}

// Read implements [io.Reader]. A body that ends too early does so because the gateway could
// not go on.
func (r *response) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	if cause := r.ended(); cause != nil {
		return n, contract.FromError(cause).WithCause(err)
	}
	return n, contract.Errorf(contract.CodeUnavailable, "the result did not arrive in full; send the request again").WithCause(err)
}

// Close implements [io.Closer].
func (r *response) Close() error {
	defer r.cancel(nil)
	return r.ReadCloser.Close()
}

// exchange sends the request and returns the response if its status is 200.
func (c HTTP) exchange(r *http.Request) (*http.Response, error) {
	client := c.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(r)
	if err != nil {
		if _, unreachable := errors.AsType[*net.OpError](err); unreachable {
			return nil, contract.Errorf(contract.CodeUnavailable, "no gateway answers at %s; start one with: heddle up", r.URL.Host).WithCause(err)
		}
		return nil, ended(r.Context(), err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxProblem))
	if err != nil {
		return nil, ended(r.Context(), fmt.Errorf("read reply: %w", err))
	}
	return nil, readProblem(body, resp.StatusCode)
}

// maxProblem is the longest problem document in bytes that is read.
const maxProblem = 1 << 20

// ended gives an error of the HTTP client its code: that of what ended ctx, if it has
// ended.
func ended(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return contract.FromError(cause).WithCause(err)
	}
	return contract.FromError(err)
}
