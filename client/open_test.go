package client_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/solver"
)

// repeatRequest asks for a text of so many letters.
type repeatRequest struct {
	Size int `json:"size"`
}

func (repeatRequest) Validate() error { return nil }

type repeatResult struct {
	Text string `json:"text"`
}

func (r repeatResult) AppendPlain(dst []byte) []byte { return append(dst, r.Text...) }

var repeat = contract.Define[repeatRequest, repeatResult](contract.Spec{Service: "repeat", Operation: "letter", Pure: true})

// repeated is the result in its internal form. When it comes to the byte at break it panics,
// unless that is 0.
type repeated struct{ size, breaks int }

func (repeated) Memory() int64 { return 1 }

func (r repeated) Encode(media string) solver.Encoded {
	text := solver.Appended(r.size, func(dst []byte, from, to int) []byte {
		if r.breaks > 0 && to > r.breaks {
			panic("broken")
		}
		return append(dst, bytes.Repeat([]byte("x"), to-from)...)
	})
	if media == contract.MediaText {
		return text
	}
	return solver.Concat(strings.NewReader(`{"text":"`), text, strings.NewReader(`"}`))
}

// repeater is the service; results of a negative size break in the middle.
func repeater() solver.Service {
	return solver.Service{Name: "repeat", Version: "1.0.0", Operations: []solver.Operation{
		solver.BindLong(repeat, func(_ context.Context, r repeatRequest) (repeatResult, solver.Long, error) {
			if r.Size < 0 {
				return repeatResult{}, repeated{-r.Size, -r.Size / 2}, nil
			}
			return repeatResult{}, repeated{size: r.Size}, nil
		}, func(repeatRequest) solver.Cost { return solver.Cost{} }),
	}}
}

// sizes are around the limits of a reply, and well above them.
var sizes = []int{0, 1, contract.MaxPart - 11, contract.MaxPart - 10, contract.MaxPart, contract.MaxPart + 1, 5 * contract.MaxPart}

func TestResultsOfAnySize(t *testing.T) {
	t.Parallel()
	s := start(t, repeater())
	for name, c := range s.callers() {
		for _, size := range sizes {
			want := strings.Repeat("x", size)
			got, err := client.Call(t.Context(), c, repeat, repeatRequest{size})
			if err != nil || got.Text != want {
				t.Errorf("%s: call for %d letters: %d, %v", name, size, len(got.Text), err)
			}
			reply, err := c.Send(t.Context(), repeat.Spec, []byte(`{"size":5}`), contract.MediaText)
			if err != nil || string(reply.Body) != "xxxxx" {
				t.Errorf("%s: send: %q, %v", name, reply.Body, err)
			}
			r, err := client.Open(t.Context(), c, repeat, repeatRequest{size}, contract.MediaText)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(r)
			if err != nil || string(text) != want || r.Size != int64(size) || r.ContentType != contract.MediaText || r.Instance == "" || r.Timing == "" {
				t.Errorf("%s: open for %d letters: %d, %v, %+v", name, size, len(text), err, r)
			}
			if err := r.Close(); err != nil {
				t.Errorf("%s: close: %v", name, err)
			}
		}
	}
}

// TestResultBreaks reads results that the instance cannot write to their end.
func TestResultBreaks(t *testing.T) {
	t.Parallel()
	s := start(t, repeater())
	want := map[string]contract.Code{
		"NATS": contract.CodeInternal,
		"HTTP": contract.CodeUnavailable, // the status line has been sent, so the gateway can only hang up
	}
	for name, c := range s.callers() {
		const size = 6 * contract.MaxPart
		r, err := client.Open(t.Context(), c, repeat, repeatRequest{-size}, "")
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, r)
		if !errors.Is(err, want[name]) || n >= size {
			t.Errorf("%s: %d bytes, %v; want %s", name, n, err, want[name])
		}
		_ = r.Close()
		if _, err := client.Call(t.Context(), c, repeat, repeatRequest{-size}); !errors.Is(err, want[name]) {
			t.Errorf("%s: call: %v; want %s", name, err, want[name])
		}
	}
}

// TestContextEndsReading cancels in the middle of a result.
func TestContextEndsReading(t *testing.T) {
	t.Parallel()
	s := start(t, repeater())
	for name, c := range s.callers() {
		ctx, cancel := context.WithCancel(t.Context())
		r, err := client.Open(ctx, c, repeat, repeatRequest{40 * contract.MaxPart}, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(r, make([]byte, 10)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
		if _, err := io.Copy(io.Discard, r); !errors.Is(err, contract.CodeCanceled) {
			t.Errorf("%s: %v, want %s", name, err, contract.CodeCanceled)
		}
		_ = r.Close()
	}
}
