package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/bench/figure"
	"github.com/seed-649d3d38/heddle/bench/load"
	"github.com/seed-649d3d38/heddle/bench/longtext"
	"github.com/seed-649d3d38/heddle/bench/process"
	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
)

// The goals of large results; the aims are what a trial of the design reached.
var (
	resultSpeed     = figure.Goal{Order: figure.AtLeast, Must: 200, Aim: 400}
	resultFirstByte = figure.Goal{Order: figure.AtMost, Must: 20}
	resultBroker    = figure.Goal{Order: figure.AtMost, Must: 40}
	stalledP99      = figure.Goal{Order: figure.AtMost, Must: 2, Aim: 1.2}
)

const (
	// resultSize is the size of the large result in bytes.
	resultSize = 200_000_000

	// stalledReaders is how many readers take nothing of their results.
	stalledReaders = 8

	// smallBody asks for a result that fits into a reply.
	smallBody = `{"size":20}`
)

// transfers are the measurements of one way to a large result.
type transfers struct {
	name      string
	open      func(context.Context) (io.ReadCloser, error)
	speed     figure.Series // MB/s
	firstByte figure.Series // ms
}

// results measures large results, alone and beside small calls.
func (b *bench) results(ctx context.Context) (err error) {
	var s stage
	defer func() { err = errors.Join(err, s.stop()) }()
	broker, url, err := s.start(ctx, b.role("broker"), saysReady)
	if err != nil {
		return err
	}
	if _, _, err := s.start(ctx, b.program("longservice", url), saysReady); err != nil {
		return err
	}
	_, address, err := s.start(ctx, b.program("longgateway", url), saysReady)
	if err != nil {
		return err
	}
	loader, _, err := s.start(ctx, with(b.role("http-load"), loadGOGC), saysReady)
	if err != nil {
		return err
	}
	nc, err := nats.Connect(url)
	if err != nil {
		return err
	}
	defer nc.Close()
	ways := []*transfers{
		{name: "through the gateway", open: opener(client.HTTP{Base: "http://" + address, Client: &http.Client{Transport: &http.Transport{}}})},
		{name: "directly on NATS", open: opener(&client.NATS{Conn: nc})},
	}
	memory, err := b.transfer(ctx, broker, ways)
	if err != nil {
		return err
	}
	small, beside, err := b.besideStalled(ctx, loader, address)
	if err != nil {
		return err
	}
	return errors.Join(b.printResults(ways, memory, small, beside), s.stop())
}

// opener returns what opens the large result.
func opener(c client.Caller) func(context.Context) (io.ReadCloser, error) {
	return func(ctx context.Context) (io.ReadCloser, error) {
		return client.Open(ctx, c, longtext.Endpoint, longtext.Request{Size: resultSize}, contract.MediaText)
	}
}

// transfer reads the result in every way in turn and returns by how many MB the memory of
// the broker has grown at its peak.
func (b *bench) transfer(ctx context.Context, broker *process.Process, ways []*transfers) (figure.Series, error) {
	before, err := broker.Usage()
	if err != nil {
		return nil, err
	}
	for range b.extent.rounds {
		for _, w := range ways {
			if err := w.read(ctx); err != nil {
				return nil, fmt.Errorf("%s: %w", w.name, err)
			}
		}
	}
	after, err := broker.Usage()
	return figure.Series{megabytes(after.Peak - before.Peak)}, err
}

// read reads the result once.
func (t *transfers) read(ctx context.Context) error {
	start := time.Now()
	r, err := t.open(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	buffer := make([]byte, 128<<10)
	if _, err := io.ReadFull(r, buffer[:1]); err != nil {
		return err
	}
	first := time.Since(start)
	n, err := io.CopyBuffer(io.Discard, r, buffer)
	if err != nil {
		return err
	}
	if n+1 != resultSize {
		return fmt.Errorf("%d bytes of %d", n+1, resultSize)
	}
	t.firstByte = append(t.firstByte, milliseconds(first))
	t.speed = append(t.speed, resultSize/1e6/time.Since(start).Seconds())
	return nil
}

// besideStalled measures small calls, without and with readers that have stalled.
func (b *bench) besideStalled(ctx context.Context, loader *process.Process, address string) (alone, beside figure.Series, err error) {
	run := load.Run{Target: address, Path: longtext.Endpoint.Route(), Body: smallBody, InFlight: inFlight, Duration: b.extent.runTime}
	for range b.extent.rounds {
		result, err := order(ctx, loader, run)
		if err != nil {
			return nil, nil, err
		}
		alone = append(alone, milliseconds(result.P99))
		readers, err := stall(ctx, address)
		if err == nil {
			result, err = order(ctx, loader, run)
			beside = append(beside, milliseconds(result.P99))
		}
		for _, conn := range readers {
			_ = conn.Close() // nothing was to be read
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return alone, beside, nil
}

// stall begins large results and reads one byte of each.
func stall(ctx context.Context, address string) (readers []net.Conn, err error) {
	var dialer net.Dialer
	for range stalledReaders {
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			return readers, err
		}
		readers = append(readers, conn)
		_, err = fmt.Fprintf(conn, "GET %s?size=%d HTTP/1.1\r\nHost: %s\r\nAccept: %s\r\n\r\n", longtext.Endpoint.Route(), resultSize, address, contract.MediaText)
		if err == nil {
			_, err = io.ReadFull(conn, make([]byte, 1))
		}
		if err != nil {
			return readers, err
		}
	}
	return readers, nil
}

func (b *bench) printResults(ways []*transfers, memory, alone, beside figure.Series) error {
	if err := b.printf("results: a text of %d MB, %d rounds; then small calls, %d connections, while %d readers of that text have stalled\n\n",
		resultSize/1_000_000, b.extent.rounds, inFlight, stalledReaders); err != nil {
		return err
	}
	t := figure.NewTable("small calls", "p99 ms", "min–max")
	t.Add("alone", figure.Number(alone.Median(), 2), alone.Spread(2))
	t.Add("beside stalled readers", figure.Number(beside.Median(), 2), beside.Spread(2))
	if err := t.Print(b.out); err != nil {
		return err
	}
	var goals figure.Goals
	for _, w := range ways {
		goals.Add(w.name+": MB/s", w.speed, resultSpeed, 0)
		goals.Add(w.name+": ms to the first byte", w.firstByte, resultFirstByte, 1)
	}
	goals.Add("broker: MB more at its peak", memory, resultBroker, 1)
	goals.Add("small calls: p99 beside stalled readers / alone", beside.Over(alone), stalledP99, 2)
	return goals.Print(b.out)
}
