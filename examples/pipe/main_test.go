package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/booktest"
	"github.com/seed-649d3d38/heddle/internal/broker"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/solver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBook(t *testing.T) {
	t.Parallel()
	booktest.Run(t, "../../docs/book.md", "go run ./examples/pipe", func(args []string, out io.Writer) error {
		return run(t.Context(), args, "", out)
	})
}

// Messages arrive whole, whatever their size; 22 and 23 are those of the book.
func TestSizes(t *testing.T) {
	t.Parallel()
	var messages []string
	for _, n := range []int{0, 1, 22, 23, 100_000} {
		messages = append(messages, strings.Repeat("é", n/2)+strings.Repeat("x", n%2))
	}
	b := brokertest.Start(t)
	h, err := host.Start(t.Context(), brokertest.Connect(t, b), host.Config{}, newWriter(messages).service())
	if err != nil {
		t.Fatal(err)
	}
	c := &client.NATS{Conn: brokertest.Connect(t, b)}
	for i, want := range messages {
		if m, err := client.Call(t.Context(), c, next, place{Position: i}); err != nil || m.Text != want || m.End {
			t.Errorf("message of %d bytes: got %d, end %t, %v", len(want), len(m.Text), m.End, err)
		}
	}
	if m, err := client.Call(t.Context(), c, next, place{Position: 5}); err != nil || !m.End {
		t.Errorf("after the last one: got %+v, %v, want the end", m, err)
	}
	for _, position := range []int{-1, 6} {
		if _, err := client.Call(t.Context(), c, next, place{Position: position}); !errors.Is(err, contract.CodeInvalidArgument) {
			t.Errorf("position %d: got %v", position, err)
		}
	}
	if err := h.Drain(context.Background()); err != nil {
		t.Error(err)
	}
}

var line = regexp.MustCompile(`^\d+ bytes from \w{22}: `)

func TestTwoPrograms(t *testing.T) {
	t.Parallel()
	b, err := broker.Start(t.Context(), broker.Config{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Shutdown)
	says, writes := io.Pipe()
	written := make(chan error, 1)
	go func() {
		written <- run(t.Context(), []string{"-write", "hello", "", "and good bye"}, b.URL(), writes)
		_ = writes.Close()
	}()
	if said, err := bufio.NewReader(says).ReadString('\n'); err != nil || said != "waiting for a reader\n" {
		t.Fatalf("the writer says %q, %v", said, err)
	}
	var out strings.Builder
	if err := run(t.Context(), []string{"-server", b.URL(), "-read"}, "", &out); err != nil {
		t.Error(err)
	}
	if err := <-written; err != nil {
		t.Errorf("the writer: %v", err)
	}
	want := []string{"hello\n", "\n", "and good bye\n", "the end, after 3 messages\n"}
	i := 0
	for l := range strings.Lines(out.String()) {
		if got := line.ReplaceAllString(l, ""); i >= len(want) || got != want[i] {
			t.Errorf("line %d is %q", i, l)
		}
		i++
	}
	if i != len(want) {
		t.Errorf("got\n%s", &out)
	}
}

// A reader whose writer is gone, before it or in the middle, hears of it.
func TestWriterIsGone(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t)
	c := &client.NATS{Conn: brokertest.Connect(t, b)}
	if err := read(t.Context(), c, io.Discard); !errors.Is(err, contract.CodeUnavailable) {
		t.Errorf("no writer: got %v, want %s", err, contract.CodeUnavailable)
	}
	asked, leave := make(chan struct{}), make(chan struct{})
	w := newWriter([]string{"first"})
	dying := w.service()
	dying.Operations = []solver.Operation{solver.Bind(next, func(ctx context.Context, r place) (message, error) {
		if r.Position == 1 {
			close(asked)
			<-leave
			return message{}, ctx.Err()
		}
		return w.next(ctx, r)
	})}
	h, err := host.Start(t.Context(), brokertest.Connect(t, b), host.Config{}, dying)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	ended := make(chan error)
	go func() { ended <- read(t.Context(), c, &out) }()
	<-asked
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	drained := make(chan error, 1)
	go func() { drained <- h.Drain(gone) }()
	err = <-ended
	close(leave)
	if !errors.Is(err, contract.CodeUnavailable) || !strings.HasPrefix(err.Error(), "message 1: ") {
		t.Errorf("got %v, want %s at message 1", err, contract.CodeUnavailable)
	}
	if err := <-drained; err == nil {
		t.Error("the writer finished a message that it could not")
	}
	if !strings.HasSuffix(out.String(), ": first\n") {
		t.Errorf("got %q, want the first message", &out)
	}
}

func TestTwoProgramsNeedABroker(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"-read", "-write"} {
		if err := run(t.Context(), []string{flag}, "", io.Discard); err == nil {
			t.Errorf("%s without a broker does not fail", flag)
		}
	}
}

func TestWriterWithoutReader(t *testing.T) {
	t.Parallel()
	b, err := broker.Start(t.Context(), broker.Config{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Shutdown)
	ctx, cancel := context.WithCancel(t.Context())
	stop := writerFunc(func(p []byte) (int, error) {
		cancel()
		return len(p), nil
	})
	if err := run(ctx, []string{"-write", "x"}, b.URL(), stop); err == nil || err.Error() != "no reader has come to the end" {
		t.Errorf("got %v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// One process may be both ends.
func TestOneProgram(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := run(t.Context(), []string{"hello"}, "", &out); err != nil || !strings.HasSuffix(out.String(), ": hello\nthe end, after 1 messages\n") {
		t.Errorf("got %v and %q", err, &out)
	}
	out.Reset()
	if err := run(t.Context(), nil, "", &out); err != nil || out.String() != fmt.Sprintln("the end, after 0 messages") {
		t.Errorf("no message: got %v and %q", err, &out)
	}
}
