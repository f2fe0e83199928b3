package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/bus"
	"github.com/seed-649d3d38/heddle/internal/discovery"
	"github.com/seed-649d3d38/heddle/internal/load"
)

// benchCommand measures how a running suite does one operation.
type benchCommand struct {
	requestArgs `embed:""`
	InFlight    int           `help:"Requests without an answer at most: the callers of a closed loop, the bound of an open one." default:"64" placeholder:"N"`
	Rate        float64       `help:"Open loop: requests per second, sent whether or not the suite keeps up. Default: a closed loop." placeholder:"R"`
	Requests    int           `help:"Number of requests. Default: as many as the duration allows." placeholder:"N"`
	Duration    time.Duration `help:"How long to send. Default: 10s, or until all requests are sent." placeholder:"DURATION"`
	HTTP        string        `name:"http" help:"Send through the gateway at this address instead of over NATS." placeholder:"URL"`
	Bus         bus.Options   `embed:""`
}

// Help teaches by example.
func (benchCommand) Help() string {
	return `Examples:
  heddle bench fibonacci.term n=100
  heddle bench sqrt.root x=2 digits=20000 --requests 1000 --in-flight 8
  heddle bench fibonacci.term n=100 --http http://127.0.0.1:8080 --rate 2000 --duration 30s
  seq 100000 100000 800000 | sed 's/.*/{"n":&}/' | heddle bench fibonacci.term - --requests 80

With - the requests come from standard input, one JSON object in a line, and are sent in
turn. Ideal is the least time in which the slots of the service could have done the work
that was measured.`
}

// defaultDuration is how long a measurement takes when nothing else bounds it.
const defaultDuration = 10 * time.Second

// Run implements the command.
func (c *benchCommand) Run(ctx context.Context, s streams) error {
	if c.InFlight < 1 || c.Rate < 0 || c.Requests < 0 || c.Duration < 0 {
		return contract.Errorf(contract.CodeInvalidArgument, "--in-flight must be at least 1, and --rate, --requests and --duration must not be negative")
	}
	if c.Requests == 0 && c.Duration == 0 {
		c.Duration = defaultDuration
	}
	operation, err := find(c.Operation)
	if err != nil {
		return err
	}
	bodies, err := c.bodies(operation, s.in)
	if err != nil {
		return err
	}
	caller, nc, err := c.connect(ctx)
	if err != nil {
		return err
	}
	if nc != nil {
		defer nc.Close()
	}
	report := load.Run(ctx, load.Plan{
		Send: func(ctx context.Context, i int) (client.Reply, error) {
			return caller.Send(ctx, operation.Spec, bodies[i%len(bodies)], "")
		},
		InFlight: c.InFlight, Rate: c.Rate, Requests: c.Requests, Duration: c.Duration,
	})
	if report.OK == 0 && report.FirstError != nil {
		return report.FirstError
	}
	slots := 0
	if nc != nil {
		if slots, err = slotsOf(context.WithoutCancel(ctx), nc, operation.Service); err != nil {
			return err
		}
	}
	return c.print(s.out, report, slots)
}

// bodies returns the requests that are sent in turn.
func (c *benchCommand) bodies(operation contract.Descriptor, stdin io.Reader) ([][]byte, error) {
	body, err := c.body(operation, stdin)
	if err != nil || !c.fromStdin() {
		return [][]byte{body}, err
	}
	var bodies [][]byte
	for line := range bytes.Lines(body) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			bodies = append(bodies, line)
		}
	}
	if len(bodies) == 0 {
		return nil, contract.Errorf(contract.CodeInvalidArgument, "standard input holds no request; write one JSON object in a line")
	}
	return bodies, nil
}

// connect returns what sends the requests; the connection is nil over HTTP.
func (c *benchCommand) connect(ctx context.Context) (client.Caller, *nats.Conn, error) {
	if c.HTTP != "" {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxIdleConnsPerHost = c.InFlight // by default all but two are closed after each request
		return client.HTTP{Base: c.HTTP, Client: &http.Client{Transport: transport}}, nil, nil
	}
	nc, err := connectNow(ctx, c.Bus)
	return &client.NATS{Conn: nc}, nc, err
}

// slotsOf returns the number of slots that all instances of a service have.
func slotsOf(ctx context.Context, nc *nats.Conn, service string) (int, error) {
	instances, err := discovery.Discover(ctx, nc)
	if err != nil {
		return 0, err
	}
	slots := 0
	for _, i := range instances {
		var load host.Load
		if i.Service == service && len(i.Endpoints) > 0 && json.Unmarshal(i.Endpoints[0].Data, &load) == nil {
			slots += int(load.Slots)
		}
	}
	return slots, nil
}

// print prints a report for a person.
func (c *benchCommand) print(out io.Writer, r load.Report, slots int) error {
	buffered := bufio.NewWriter(out)
	fmt.Fprintf(buffered, "%s %s, %s\n\n", c.Operation, c.way(), c.loop())
	c.printCounts(buffered, r, slots)
	if r.OK > 0 {
		fmt.Fprintln(buffered)
		printTimes(buffered, r)
		fmt.Fprintln(buffered)
		printShares(buffered, r)
	}
	if r.FirstError != nil {
		fmt.Fprintf(buffered, "\nFirst error: %v\n", r.FirstError)
	}
	return buffered.Flush()
}

// way says how requests reach the suite.
func (c *benchCommand) way() string {
	if c.HTTP != "" {
		return "through " + c.HTTP
	}
	return "over NATS"
}

// loop says how requests were sent.
func (c *benchCommand) loop() string {
	if c.Rate > 0 {
		return fmt.Sprintf("open loop at %g requests/s, at most %d in flight", c.Rate, c.InFlight)
	}
	return fmt.Sprintf("closed loop, %d in flight", c.InFlight)
}

func (c *benchCommand) printCounts(out io.Writer, r load.Report, slots int) {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	defer flush(w)
	fmt.Fprintf(w, "results\t%d\n", r.OK)
	for _, code := range slices.Sorted(maps.Keys(r.Failed)) {
		fmt.Fprintf(w, "%s\t%d\n", code, r.Failed[code])
	}
	if r.Skipped > 0 {
		fmt.Fprintf(w, "not sent\t%d, since %d were in flight\n", r.Skipped, c.InFlight)
	}
	fmt.Fprintf(w, "throughput\t%.1f results/s\n", float64(r.OK)/r.Elapsed.Seconds())
	fmt.Fprintf(w, "makespan\t%v\n", r.Elapsed.Round(time.Millisecond))
	if ideal := r.Ideal(slots); ideal > 0 {
		fmt.Fprintf(w, "ideal\t%v, the work on %d slots; makespan / ideal %.2f\n",
			ideal.Round(time.Millisecond), slots, r.Elapsed.Seconds()/ideal.Seconds())
	}
}

// quantiles are those that are printed.
var quantiles = []float64{0.5, 0.9, 0.99, 0.999}

func printTimes(out io.Writer, r load.Report) {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', tabwriter.AlignRight)
	defer flush(w)
	fmt.Fprintln(w, "ms\tmean\tp50\tp90\tp99\tp99.9\tmax\t")
	for _, row := range []struct {
		name  string
		times load.Times
	}{{"latency", r.Latency}, {"queue", r.Queue}, {"work", r.Work}} {
		fmt.Fprintf(w, "%s\t%.3f", row.name, milliseconds(row.times.Sum)/float64(r.OK))
		for _, q := range quantiles {
			fmt.Fprintf(w, "\t%.3f", milliseconds(row.times.Quantile(q)))
		}
		fmt.Fprintf(w, "\t%.3f\t\n", milliseconds(row.times.Max))
	}
}

func printShares(out io.Writer, r load.Report) {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', tabwriter.AlignRight)
	defer flush(w)
	fmt.Fprintln(w, "instance\tresults\tshare\twork s\tmean ms\t")
	for _, i := range r.Instances {
		fmt.Fprintf(w, "%s\t%d\t%.1f %%\t%.3f\t%.3f\t\n", i.ID, i.Requests, 100*float64(i.Requests)/float64(r.OK),
			i.Work.Seconds(), milliseconds(i.Work)/float64(i.Requests))
	}
}

// flush writes a table. An error stays in the buffer behind it, whose own Flush returns it.
func flush(w *tabwriter.Writer) { _ = w.Flush() }

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
