package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
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
	booktest.Run(t, "../../docs/book.md", "go run ./examples/imagepipeline", func(args []string, out io.Writer) error {
		return run(t.Context(), args, "", out)
	})
}

func TestConformance(t *testing.T) {
	t.Parallel()
	hosttest.Conform(t, hosttest.Suite{Service: service, Requests: map[string]string{"parse": `{"data":"AA=="}`}})
}

// encode returns an image of one shade as a file.
func encode(t *testing.T, width, height int, shade byte) []byte {
	t.Helper()
	picture := image.NewGray(image.Rect(0, 0, width, height))
	for i := range picture.Pix {
		picture.Pix[i] = shade
	}
	var data bytes.Buffer
	if err := png.Encode(&data, picture); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

// Every image arrives in the store once, in order, with what was in it.
func TestStore(t *testing.T) {
	t.Parallel()
	from, to := t.TempDir(), t.TempDir()
	args := []string{"-to", to}
	var want strings.Builder
	for n := range 20 {
		name := filepath.Join(from, fmt.Sprintf("%02d.png", n))
		if err := os.WriteFile(name, encode(t, 1+n, 20-n, byte(10*n)), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, name)
		fmt.Fprintf(&want, "%s is stored: %d x %d\n", name, 1+n, 20-n)
	}
	args = append(args, filepath.Join(from, "missing.png"))
	var out strings.Builder
	if err := run(t.Context(), args, "", &out); err != nil {
		t.Fatal(err)
	}
	if got, failure, _ := strings.Cut(out.String(), filepath.Join(from, "missing.png")+" failed"); got != want.String() || failure == "" {
		t.Errorf("got\n%s\nwant\n%sand a failure", &out, &want)
	}
	stored, err := os.ReadDir(to)
	if err != nil || len(stored) != 20 {
		t.Fatalf("%d images are stored, %v", len(stored), err)
	}
	for n, entry := range stored {
		data, err := os.ReadFile(filepath.Join(to, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(data, encode(t, 1+n, 20-n, byte(10*n))) {
			t.Errorf("%s has changed, though it has one shade", entry.Name())
		}
	}
}

func TestBadImages(t *testing.T) {
	t.Parallel()
	good := encode(t, 4, 4, 7)
	err := local.Run(t.Context(), local.Config{Services: daemon.Fixed(service())}, func(ctx context.Context, nc *nats.Conn) error {
		for name, data := range map[string][]byte{
			"empty": {}, "text": []byte("text"), "cut": good[:len(good)-20], "too large": encode(t, maxSide+1, 1, 0),
		} {
			_, err := client.Call(ctx, &client.NATS{Conn: nc}, parse, file{Data: data})
			if e, ok := errors.AsType[*contract.Error](err); !ok || e.Field != "data" {
				t.Errorf("%s: got %v, want an error at the data", name, err)
			}
		}
		p, err := client.Call(ctx, &client.NATS{Conn: nc}, parse, file{Data: good})
		if err != nil || p.Width != 4 || p.Height != 4 || !slices.Equal(p.Gray, slices.Repeat([]byte{7}, 16)) {
			t.Errorf("got %+v, %v", p, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// Example filters the samples, one of which is no image.
func Example() {
	fmt.Println(run(context.Background(), nil, "", os.Stdout))
	// Output:
	// small.png is stored: 8 x 16
	// large.png is stored: 16 x 16
	// none.png failed: data must be a PNG file
	// wide.png is stored: 64 x 16
	// <nil>
}
