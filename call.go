package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/bus"
)

// callCommand calls one operation.
type callCommand struct {
	requestArgs `embed:""`
	HTTP        string        `name:"http" help:"Call through the gateway at this address instead of over NATS." placeholder:"URL"`
	Batch       string        `help:"Send a request for each line of this file, - for standard input, and print a line for each outcome." placeholder:"FILE"`
	Ordered     bool          `help:"With --batch: print outcomes in the order of the requests, otherwise as they come."`
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
  heddle call fibonacci.sequence from=90 to=100
  heddle call sqrt.root x=2 digits=50 --text
  heddle call sqrt.floats values=4 values=2
  heddle call crawler.links url=https://example.com/
  heddle call sqrt.root '{"x":"22/7"}' --http http://127.0.0.1:8080
  heddle call sqrt.root --batch requests.ndjson --ordered`
}

// Run implements the command.
func (c *callCommand) Run(ctx context.Context, s streams) error {
	operation, err := find(c.Operation)
	if err != nil {
		return err
	}
	if c.Timeout > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, c.Timeout)
		defer stop()
	}
	if c.Batch != "" {
		if len(c.Request) > 0 {
			return contract.Errorf(contract.CodeInvalidArgument, "the requests come from --batch; leave out %q", c.Request)
		}
		return c.callBatch(ctx, operation, s)
	}
	body, err := c.body(operation, s.in)
	if err != nil {
		return err
	}
	caller, stop, err := c.caller(ctx)
	if err != nil {
		return err
	}
	defer stop()
	result, err := caller.Open(ctx, operation.Spec, body, c.accept())
	if err != nil {
		return err
	}
	defer result.Close()
	if c.Timing {
		fmt.Fprintf(s.err, "instance %s, %s\n", result.Instance, result.Timing)
	}
	return printResult(s.out, result)
}

// accept returns the media type to ask for, empty for the usual one.
func (c *callCommand) accept() string {
	if c.Text {
		return contract.MediaText
	}
	return ""
}

// caller returns the way to the service, over NATS or through the gateway, and what ends
// it.
func (c *callCommand) caller(ctx context.Context) (caller client.Caller, stop func(), err error) {
	if c.HTTP != "" {
		return client.HTTP{Base: c.HTTP}, func() {}, nil
	}
	nc, err := connectNow(ctx, c.Bus)
	if err != nil {
		return nil, nil, err
	}
	return &client.NATS{Conn: nc}, nc.Close, nil
}

// mostReadable is the size in bytes up to which JSON is indented for a person. Longer
// results are passed on as they come.
const mostReadable = 64 << 10

// printResult writes a result and ends its line.
func printResult(out io.Writer, r *client.Result) error {
	var text io.Reader = r
	if r.ContentType == contract.MediaJSON && r.Size <= mostReadable {
		body, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		text = bytes.NewReader(readable(body))
	}
	if _, err := io.Copy(out, text); err != nil {
		return err
	}
	if r.ContentType == contract.MediaNDJSON {
		return nil // it ends its last line
	}
	_, err := io.WriteString(out, "\n")
	return err
}

// readable indents JSON for a person.
func readable(body []byte) []byte {
	var out bytes.Buffer
	if json.Indent(&out, body, "", "  ") != nil {
		return body
	}
	return out.Bytes()
}
