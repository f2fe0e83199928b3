package host_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/solver"
)

// askChunk sends a chunk to the echo and returns the reply.
func askChunk(t *testing.T, nc *nats.Conn, body string, header nats.Header) *nats.Msg {
	t.Helper()
	r, err := nc.RequestMsg(&nats.Msg{Subject: echo.BatchSubject(), Data: []byte(body), Header: header}, patience)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// says returns so many requests to the echo as lines.
func says(n int) string {
	var lines strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, "{\"text\":\"%d\"}\n", i)
	}
	return lines.String()
}

// TestChunkOnTheWire pins a whole reply: one bad item leaves the others alone, and a
// panic is told as it is for a single request.
func TestChunkOnTheWire(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	for name, light := range map[string]bool{"light": true, "heavy": false} {
		panicky := func(_ context.Context, r EchoRequest) (EchoResult, error) {
			if r.Text == "13" {
				panic("a secret")
			}
			return EchoResult{Text: r.Text}, nil
		}
		nc := serve(t, host.Config{Log: slog.New(slog.NewTextHandler(&log, nil))}, service(panicky, solver.Cost{Light: light}))
		r := askChunk(t, nc, `[{"text":"1"}, {"text":2}, {}, {"text":"13"}, {"text":"3"}]`, nil)
		lines := strings.SplitAfter(string(r.Data), "\n")
		want := []string{
			`{"index":0,"result":{"text":"1"}}` + "\n",
			`{"index":1,"result":{"text":"2"}}` + "\n",
			`{"index":2,"error":{"type":"urn:heddle:error:invalid_argument","title":"Invalid argument","status":422,"detail":"text is missing","code":"invalid_argument","field":"text"}}` + "\n",
			`{"index":3,"error":{"type":"urn:heddle:error:internal",`,
			`{"index":4,"result":{"text":"3"}}` + "\n",
			`{"done":true,"ok":3,"failed":2}` + "\n",
		}
		if len(lines) != len(want)+1 {
			t.Fatalf("%s: got %d lines: %s", name, len(lines), r.Data)
		}
		for i := range want {
			if !strings.HasPrefix(lines[i], want[i]) {
				t.Errorf("%s: line %d is %s, want %s", name, i, lines[i], want[i])
			}
		}
		if bytes.Contains(r.Data, []byte("secret")) || !strings.Contains(log.String(), "a secret") {
			t.Errorf("%s: the cause of a panic belongs into the log and nowhere else", name)
		}
	}
}

func TestChunkRefused(t *testing.T) {
	t.Parallel()
	nc := serve(t, host.Config{}, service(say, solver.Cost{Light: true}))
	for _, c := range []struct {
		body   string
		header nats.Header
		want   contract.Code
	}{
		{"[", nil, contract.CodeMalformedRequest},
		{"{}", nats.Header{contract.HeaderContentType: {contract.MediaJSON}}, contract.CodeMalformedRequest},
		{"{}", nats.Header{contract.HeaderContentType: {"text/csv"}}, contract.CodeUnsupportedMediaType},
		{"{}", nats.Header{contract.HeaderAccept: {"image/png"}}, contract.CodeNotAcceptable},
		{"{}", nats.Header{contract.HeaderTimeout: {"soon"}}, contract.CodeInvalidArgument},
		{strings.Repeat("{}\n", contract.MaxChunkItems+1), nil, contract.CodeRequestTooLarge},
	} {
		r := askChunk(t, nc, c.body, c.header)
		if e := new(contract.Error); e.UnmarshalJSON(r.Data) != nil || e.Code != c.want {
			t.Errorf("%.20s %v: got %.200s, want %s", c.body, c.header, r.Data, c.want)
		}
	}
	if r := askChunk(t, nc, says(contract.MaxChunkItems), nil); !strings.HasSuffix(string(r.Data), `{"done":true,"ok":2000,"failed":0}`+"\n") {
		t.Errorf("the largest chunk is answered %.200s", r.Data)
	}
}

// TestChunkTooLargeToAnswer also shows that no work is done for a reply that is too large
// already.
func TestChunkTooLargeToAnswer(t *testing.T) {
	t.Parallel()
	var solved atomic.Int64
	large := func(context.Context, EchoRequest) (EchoResult, error) {
		solved.Add(1)
		return EchoResult{Text: contract.Integer(strings.Repeat("7", 100_000))}, nil
	}
	nc := serve(t, host.Config{}, service(large, solver.Cost{}))
	r := askChunk(t, nc, says(100), nil)
	if e := new(contract.Error); e.UnmarshalJSON(r.Data) != nil || e.Code != contract.CodeResultTooLarge || !strings.Contains(e.Detail, "fewer requests") {
		t.Errorf("got %.200s, want %s with a hint", r.Data, contract.CodeResultTooLarge)
	}
	if n := solved.Load(); n > 11 {
		t.Errorf("%d requests solved for a reply of at most 10", n)
	}
}

// TestChunkMemory holds the reservation of a chunk against the rule: the largest request
// and all results.
func TestChunkMemory(t *testing.T) {
	t.Parallel()
	cost := solver.Cost{Memory: 1000, Result: 10}
	var h *host.Host
	var reserved atomic.Int64
	s := service(say, cost)
	s.Operations[0].Solve = func(_ context.Context, request any) (any, error) {
		reserved.Store(host.Reserved(h))
		return EchoResult{Text: request.(*EchoRequest).Text}, nil
	}
	b := brokertest.Start(t)
	h, err := host.Start(t.Context(), brokertest.Connect(t, b), host.Config{}, s)
	if err != nil {
		t.Fatal(err)
	}
	askChunk(t, brokertest.Connect(t, b), says(50), nil)
	if err := h.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	if got, want := reserved.Load(), int64(1000+50*10); got != want {
		t.Errorf("%d bytes reserved, want %d", got, want)
	}
}

// TestChunkWaitsInTheLane fills an instance, so that a chunk goes through the lane to
// another one that comes later.
func TestChunkWaitsInTheLane(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t)
	entered, release := make(chan struct{}, 1), make(chan struct{})
	busy := func(ctx context.Context, r EchoRequest) (EchoResult, error) {
		entered <- struct{}{}
		<-release
		return say(ctx, r)
	}
	full, err := host.Start(t.Context(), brokertest.Connect(t, b), host.Config{Slots: 1}, service(busy, solver.Cost{}))
	if err != nil {
		t.Fatal(err)
	}
	nc := brokertest.Connect(t, b)
	inbox, err := nc.SubscribeSync(nc.NewInbox())
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.PublishRequest(echo.Subject(), inbox.Subject, []byte(`{"text":"1"}`)); err != nil {
		t.Fatal(err)
	}
	<-entered
	answered := make(chan *nats.Msg)
	go func() {
		m, err := nc.Request(echo.BatchSubject(), []byte(says(100)), patience)
		if err != nil {
			t.Errorf("chunk: %v", err)
		}
		answered <- m
	}()
	for host.LaneDepth(t.Context(), full) < 1 {
		// Each look is a round trip, so this waits without sleeping.
	}
	idle, err := host.Start(t.Context(), brokertest.Connect(t, b), host.Config{Slots: 1}, service(say, solver.Cost{}))
	if err != nil {
		t.Fatal(err)
	}
	if m := <-answered; m == nil || !strings.HasSuffix(string(m.Data), `{"done":true,"ok":100,"failed":0}`+"\n") {
		t.Errorf("got %v, want 100 results", m)
	}
	close(release)
	if _, err := inbox.NextMsg(patience); err != nil {
		t.Error(err)
	}
	if err := errors.Join(full.Drain(t.Context()), idle.Drain(t.Context())); err != nil {
		t.Error(err)
	}
}

// BenchmarkChunk measures the cost of a light request in a chunk of a thousand.
func BenchmarkChunk(b *testing.B) {
	broker := brokertest.Start(b)
	h, err := host.Start(b.Context(), brokertest.Connect(b, broker), host.Config{}, service(say, solver.Cost{Light: true}))
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := h.Drain(context.Background()); err != nil {
			b.Error(err)
		}
	}()
	nc := brokertest.Connect(b, broker)
	const items = 1000
	body := []byte(says(items))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := nc.Request(echo.BatchSubject(), body, patience); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/items, "ns/item")
}
