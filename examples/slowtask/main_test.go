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
	"github.com/seed-649d3d38/heddle/internal/booktest"
	"github.com/seed-649d3d38/heddle/local"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBook(t *testing.T) {
	t.Parallel()
	booktest.Run(t, "../../docs/book.md", "go run ./examples/slowtask", func(args []string, out io.Writer) error {
		return run(t.Context(), args, "", out)
	})
}

func TestNoCrawler(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	err := local.Run(t.Context(), local.Config{}, func(ctx context.Context, nc *nats.Conn) error {
		return three(ctx, &client.NATS{Conn: nc}, &out)
	})
	if !errors.Is(err, contract.CodeUnavailable) || out.Len() > 0 {
		t.Errorf("got %v and %q, want %s", err, &out, contract.CodeUnavailable)
	}
}

// Example has one instance; were it blocked by the slow request it would never end.
func Example() {
	fmt.Println(run(context.Background(), nil, "", os.Stdout))
	// Output:
	// quick B is done
	// quick C is done
	// slow A is done
	// <nil>
}
