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
	service, caller := allowance(ctx, operation)
	ctx, stop := context.WithTimeout(ctx, caller)
	defer stop()
	address, err := url.JoinPath(c.Base, operation.Route())
	if err != nil {
		return Reply{}, fmt.Errorf("gateway address %q: %w", c.Base, err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return Reply{}, fmt.Errorf("gateway address %q: %w", c.Base, err)
	}
	r.Header.Set(contract.HeaderContentType, contract.MediaJSON)
	r.Header.Set(contract.HeaderTimeout, contract.FormatTimeout(service))
	if accept != "" {
		r.Header.Set(contract.HeaderAccept, accept)
	}
	return c.exchange(r)
}

func (c HTTP) exchange(r *http.Request) (Reply, error) {
	client := c.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(r)
	if err != nil {
		if _, unreachable := errors.AsType[*net.OpError](err); unreachable {
			return Reply{}, contract.Errorf(contract.CodeUnavailable, "no gateway answers at %s; start one with: heddle up", r.URL.Host).WithCause(err)
		}
		return Reply{}, contract.FromError(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return Reply{}, contract.FromError(fmt.Errorf("read reply: %w", err))
	}
	if resp.StatusCode != http.StatusOK {
		return Reply{}, readProblem(body, resp.StatusCode)
	}
	return Reply{
		Body:        body,
		ContentType: resp.Header.Get(contract.HeaderContentType),
		Instance:    resp.Header.Get(contract.HeaderInstance),
		Timing:      resp.Header.Get(contract.HeaderServerTiming),
	}, nil
}
