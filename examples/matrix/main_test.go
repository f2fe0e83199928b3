package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/daemon"
	"github.com/seed-649d3d38/heddle/host/hosttest"
	"github.com/seed-649d3d38/heddle/internal/booktest"
	"github.com/seed-649d3d38/heddle/local"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBook(t *testing.T) {
	t.Parallel()
	booktest.Run(t, "../../docs/book.md", "go run ./examples/matrix", func(args []string, out io.Writer) error {
		return run(t.Context(), args, "", out)
	})
}

func TestConformance(t *testing.T) {
	t.Parallel()
	hosttest.Conform(t, hosttest.Suite{Service: service})
}

// The result is the same for every grain, and there are as many requests as pieces.
func TestGrain(t *testing.T) {
	t.Parallel()
	var rows, want [][]int64
	for i := range int64(23) {
		rows = append(rows, []int64{i, -i, 1 << 40})
		want = append(want, []int64{-7 * i, 7 * i, -7 << 40})
	}
	err := local.Run(t.Context(), local.Config{Services: daemon.Fixed(service()), Instances: 2}, func(ctx context.Context, nc *nats.Conn) error {
		for _, grain := range []int{0, 1, 2, 5, 22, 23, 1000} {
			tally := client.NewTally(&client.NATS{Conn: nc})
			got, err := multiply(ctx, tally, rows, -7, grain)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("grain %d: got %v, %v", grain, got, err)
			}
			if pieces := (len(rows) + max(1, grain) - 1) / max(1, grain); tally.Requests() != pieces {
				t.Errorf("grain %d: %d requests, want %d", grain, tally.Requests(), pieces)
			}
		}
		if got, err := multiply(ctx, &client.NATS{Conn: nc}, nil, 4, 1); len(got) != 0 || err != nil {
			t.Errorf("no rows: got %v, %v", got, err)
		}
		_, err := multiply(ctx, &client.NATS{Conn: nc}, rows, 1<<20, 4)
		if e, ok := errors.AsType[*contract.Error](err); !ok || e.Field != "scalar" {
			t.Errorf("a product beyond the limit: got %v, want an error at the scalar", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestFits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b int64
		want bool
	}{{0, maxSafe, true}, {-1, maxSafe, true}, {2, maxSafe, false}, {maxSafe, maxSafe, false}, {-maxSafe, -maxSafe, false}, {1 << 26, 1 << 26, true}} {
		if got := fits(tt.a, tt.b); got != tt.want {
			t.Errorf("fits(%d, %d) = %t", tt.a, tt.b, got)
		}
	}
}

func TestNotAMatrix(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := run(t.Context(), []string{"1,x"}, "", &out); err == nil || out.Len() > 0 {
		t.Errorf("got %v and the output %q", err, &out)
	}
}

// Example multiplies the book's matrix, a row at a time.
func Example() {
	fmt.Println(run(context.Background(), []string{"-scalar", "4", "1,2", "3,4"}, "", os.Stdout))
	// Output:
	// [4 8]
	// [12 16]
	// 2 requests
	// <nil>
}
