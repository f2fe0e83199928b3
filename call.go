package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/bus"
)

// callCommand calls one operation.
type callCommand struct {
	requestArgs `embed:""`
	HTTP        string        `name:"http" help:"Call through the gateway at this address instead of over NATS." placeholder:"URL"`
	Text        bool          `help:"Print the plain-text form of the result: bare digits."`
	Timing      bool          `help:"Print, on standard error, who did the work and how long it took."`
	Timeout     time.Duration `help:"Time the request may take. Default: what the operation allows." placeholder:"DURATION"`
	Bus         bus.Options   `embed:""`
}

// Help teaches by example.
func (callCommand) Help() string {
	return `Examples:
  heddle call fibonacci.term n=100
  heddle call fibonacci.term n=1000000000000000000000 modulus=1000000007
  heddle call sqrt.root x=2 digits=50 --text
  heddle call sqrt.floats values=4 values=2
  heddle call crawler.links url=https://example.com/
  heddle call sqrt.root '{"x":"22/7"}' --http http://127.0.0.1:8080`
}

// Run implements the command.
func (c *callCommand) Run(ctx context.Context, s streams) error {
	operation, err := find(c.Operation)
	if err != nil {
		return err
	}
	body, err := c.body(operation, s.in)
	if err != nil {
		return err
	}
	if c.Timeout > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, c.Timeout)
		defer stop()
	}
	reply, err := c.send(ctx, operation, body)
	if err != nil {
		return err
	}
	if c.Timing {
		fmt.Fprintf(s.err, "instance %s, %s\n", reply.Instance, reply.Timing)
	}
	_, err = s.out.Write(append(readable(reply), '\n'))
	return err
}

// send calls over NATS or through the gateway.
func (c *callCommand) send(ctx context.Context, operation contract.Descriptor, body []byte) (client.Reply, error) {
	accept := ""
	if c.Text {
		accept = contract.MediaText
	}
	if c.HTTP != "" {
		return client.HTTP{Base: c.HTTP}.Send(ctx, operation.Spec, body, accept)
	}
	nc, err := connectNow(ctx, c.Bus)
	if err != nil {
		return client.Reply{}, err
	}
	defer nc.Close()
	return client.NATS{Conn: nc}.Send(ctx, operation.Spec, body, accept)
}

// readable indents JSON for a person.
func readable(r client.Reply) []byte {
	if r.ContentType != contract.MediaJSON {
		return r.Body
	}
	var out bytes.Buffer
	if json.Indent(&out, r.Body, "", "  ") != nil {
		return r.Body
	}
	return out.Bytes()
}
