package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/daemon"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/booktest"
	"github.com/seed-649d3d38/heddle/internal/broker"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/local"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBook(t *testing.T) {
	t.Parallel()
	booktest.Run(t, "../../docs/book.md", "go run ./examples/fibonaccis", func(args []string, out io.Writer) error {
		return run(t.Context(), args, "", out)
	})
}

// One, three, five and a thousand inputs for four places lose nothing.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	err := local.Run(t.Context(), local.Config{Services: daemon.Fixed(fib.Service()), Instances: 2}, func(ctx context.Context, nc *nats.Conn) error {
		for _, n := range []int{0, 1, 3, 5, 1000} {
			var inputs []contract.Integer
			for i := range int64(n) {
				inputs = append(inputs, contract.NewInteger(i-int64(n)/2))
			}
			var out strings.Builder
			if err := answer(ctx, &client.NATS{Conn: nc}, 4, inputs, &out); err != nil {
				t.Errorf("%d inputs: %v", n, err)
			}
			i := 0
			for line := range strings.Lines(out.String()) {
				if !strings.HasPrefix(line, fmt.Sprintf("F(%s) = ", inputs[i])) {
					t.Errorf("line %d is %q, want that of %s", i, line, inputs[i])
				}
				i++
			}
			if i != n {
				t.Errorf("%d inputs have %d lines", n, i)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// Fifteen inputs of nine values have fifteen answers and nine computations.
func TestEqualInputsAreComputedOnce(t *testing.T) {
	t.Parallel()
	args := strings.Fields("8 10 19 6 17 18 4 7 9 8 8 10 +9 009 4")
	var out strings.Builder
	if err := run(t.Context(), args, "", &out); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); strings.Count(got, "\nF(9) = 34\n") != 2 || strings.Count(got, "F(8) = 21\n") != 3 ||
		!strings.HasSuffix(got, "\n15 inputs, 9 requests\n") {
		t.Errorf("got\n%s", got)
	}
}

func TestRandom(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := run(t.Context(), []string{"-random", "15", "-limit", "1"}, "", &out); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); strings.Count(got, " = ") != 15 {
		t.Errorf("got\n%s", got)
	}
}

// An input that cannot be answered costs no other input its answer.
func TestOneBadInput(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	err := run(t.Context(), []string{"3", "1" + strings.Repeat("0", 18), "5"}, "", &out)
	if e, ok := errors.AsType[*contract.Error](err); !ok || e.Code.Status() != 422 {
		t.Errorf("got %v, want an error that says what to change", err)
	}
	if got := out.String(); !strings.HasPrefix(got, "F(3) = 2\nF(1000000000000000000) failed\nF(5) = 5\n") {
		t.Errorf("got\n%s", got)
	}
	if err := run(t.Context(), []string{"three"}, "", io.Discard); !errors.Is(err, contract.CodeInvalidArgument) {
		t.Errorf("three: got %v", err)
	}
}

// With a broker the program uses the services that are there.
func TestServer(t *testing.T) {
	t.Parallel()
	b, err := broker.Start(t.Context(), broker.Config{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Shutdown)
	if err := run(t.Context(), []string{"1"}, b.URL(), io.Discard); !errors.Is(err, contract.CodeUnavailable) {
		t.Errorf("without services: got %v, want %s at once", err, contract.CodeUnavailable)
	}
	h, err := host.Start(t.Context(), brokertest.Connect(t, b), host.Config{}, fib.Service())
	if err != nil {
		t.Fatal(err)
	}
	err = run(t.Context(), []string{"-server", b.URL(), "93"}, "", io.Discard)
	if err := errors.Join(err, h.Drain(t.Context())); err != nil {
		t.Error(err)
	}
}

// Example answers the inputs of the book and those it has no answer for.
func Example() {
	args := strings.Fields("-- 3 10 5 7 0 -8 93 100")
	fmt.Println(run(context.Background(), args, "", os.Stdout))
	// Output:
	// F(3) = 2
	// F(10) = 55
	// F(5) = 5
	// F(7) = 13
	// F(0) = 0
	// F(-8) = -21
	// F(93) = 12200160415121876738
	// F(100) = 354224848179261915075
	// 8 inputs, 8 requests
	// <nil>
}
