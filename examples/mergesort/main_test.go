package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
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
	booktest.Run(t, "../../docs/book.md", "go run ./examples/mergesort", func(args []string, out io.Writer) error {
		return run(t.Context(), args, "", out)
	})
}

func TestConformance(t *testing.T) {
	t.Parallel()
	hosttest.Conform(t, hosttest.Suite{Service: service})
}

func TestSort(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	err := local.Run(t.Context(), local.Config{Services: daemon.Fixed(service()), Instances: 2}, func(ctx context.Context, nc *nats.Conn) error {
		c := &client.NATS{Conn: nc}
		for _, n := range []int{0, 1, 2, 3, 6, 7, 64, 101} {
			values := make([]int64, n)
			for i := range values {
				values[i] = random.Int64N(50) - 25 // with duplicates
			}
			for _, size := range []int{-1, 1, 2, 3, 10, 200} {
				got, err := sort(ctx, c, values, size)
				if want := slices.Sorted(slices.Values(values)); err != nil || !slices.Equal(got, want) {
					t.Errorf("%d numbers in parts of %d: got %v, %v, want %v", n, size, got, err, want)
				}
			}
		}
		for name, bad := range map[string]pair{
			"not in order": {Left: []int64{1}, Right: []int64{3, 2}},
			"too large":    {Left: []int64{maxSafe + 1}, Right: []int64{}},
			"too many":     {Left: make([]int64, maxValues+1), Right: []int64{}},
		} {
			if _, err := client.Call(ctx, c, mergeParts, bad); !errors.Is(err, contract.CodeInvalidArgument) {
				t.Errorf("%s: got %v, want %s", name, err, contract.CodeInvalidArgument)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestNotANumber(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := run(t.Context(), []string{"1", "two"}, "", &out); err == nil || out.Len() > 0 {
		t.Errorf("got %v and the output %q", err, &out)
	}
}

// Example sorts eleven numbers: six parts and five merges.
func Example() {
	args := strings.Fields("-- 5 3 9 3 -1 12 0 7 3 8 2")
	fmt.Println(run(context.Background(), args, "", os.Stdout))
	// Output:
	// [-1 0 2 3 3 3 5 7 8 9 12]
	// 11 requests
	// <nil>
}
