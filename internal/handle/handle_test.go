package handle_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/internal/handle"
	"github.com/seed-649d3d38/heddle/solver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// size is that of the result of the tests: some parts and a piece.
const size = 12*contract.MaxPart + 321

// result is what is read.
var result = func() []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte('a' + i*i%23)
	}
	return b
}()

type none struct{}

func (none) Validate() error { return nil }

type long struct{}

func (long) Memory() int64 { return size }

func (long) Encode(string) solver.Encoded { return bytes.NewReader(result) }

var letters = contract.Define[none, struct{}](contract.Spec{Service: "letters", Operation: "many", Summary: "Many letters"})

// start hosts the service and returns the caller's connection, and a function that asks
// for a handle.
func start(t *testing.T) (*nats.Conn, *host.Host, func() contract.Handle) {
	t.Helper()
	b := brokertest.Start(t)
	h, err := host.Start(t.Context(), brokertest.Connect(t, b), host.Config{}, solver.Service{
		Name: "letters", Version: "1.0.0", Operations: []solver.Operation{
			solver.BindLong(letters, func(context.Context, none) (struct{}, solver.Long, error) { return struct{}{}, long{}, nil },
				func(none) solver.Cost { return solver.Cost{Light: true} }),
		}})
	if err != nil {
		t.Fatal(err)
	}
	nc := brokertest.Connect(t, b)
	return nc, h, func() contract.Handle {
		m, err := nc.Request(letters.Subject(), []byte("{}"), patience)
		if err != nil {
			t.Fatal(err)
		}
		h, err := contract.ParseHandle(m.Data)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
}

// drain ends the service; it waits for handles that nobody has released.
func drain(t *testing.T, h *host.Host) {
	t.Helper()
	if err := h.Drain(context.Background()); err != nil {
		t.Errorf("drain: %v", err)
	}
}

// gone fails the test unless the instance does not hold the handle any more.
func gone(t *testing.T, nc *nats.Conn, h contract.Handle) {
	t.Helper()
	m, err := nc.Request(h.Subject, []byte(`{"offset":0,"length":1}`), patience)
	if err != nil || m.Header.Get(contract.HeaderErrorCode) != strconv.Itoa(contract.CodeNotFound.Status()) {
		t.Errorf("the handle is still held: %v %.100s", err, m.Data)
	}
}

func TestReadWhole(t *testing.T) {
	t.Parallel()
	nc, service, ask := start(t)
	defer drain(t, service)
	h := ask()
	r, err := handle.Open(nc, h)
	if err != nil {
		t.Fatal(err)
	}
	if r.Size() != size {
		t.Errorf("size %d, want %d", r.Size(), size)
	}
	if err := iotest.TestReader(justReader{r.Stream(t.Context())}, result); err != nil {
		t.Error(err)
	}
	r.Close()
	gone(t, nc, h)

	h = ask()
	if r, err = handle.Open(nc, h); err != nil {
		t.Fatal(err)
	}
	stream := r.Stream(t.Context())
	var got bytes.Buffer
	some, err := io.CopyN(&got, stream, 100)
	if err != nil {
		t.Fatal(err)
	}
	rest, err := io.Copy(&got, stream)
	if err != nil || some+rest != size || !bytes.Equal(got.Bytes(), result) {
		t.Errorf("copied %d bytes, %v", some+rest, err)
	}
	if err := stream.Close(); err != nil {
		t.Error(err)
	}
	gone(t, nc, h)
}

// justReader hides what else a reader can do.
type justReader struct{ io.Reader }

func TestReadRanges(t *testing.T) {
	t.Parallel()
	nc, service, ask := start(t)
	defer drain(t, service)
	for _, c := range [][2]int64{{0, 1}, {size - 1, size}, {5, contract.MaxPart + 6}, {contract.MaxPart, 2 * contract.MaxPart}, {0, size}} {
		h := ask()
		r, err := handle.OpenRange(nc, h, c[0], c[1])
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r.Stream(t.Context()))
		if err != nil || !bytes.Equal(got, result[c[0]:c[1]]) {
			t.Errorf("bytes %v: got %d, %v", c, len(got), err)
		}
		r.Close()
		gone(t, nc, h)
	}
}

// TestCloseEarly shows that a handle that is not wanted any more is not held.
func TestCloseEarly(t *testing.T) {
	t.Parallel()
	nc, service, ask := start(t)
	defer drain(t, service)
	h := ask()
	r, err := handle.Open(nc, h)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.Close()
	gone(t, nc, h)

	h = ask()
	handle.Release(nc, h)
	gone(t, nc, h)
}

func TestContextEnds(t *testing.T) {
	t.Parallel()
	nc, service, ask := start(t)
	defer drain(t, service)
	for want, end := range map[contract.Code]func() (context.Context, context.CancelFunc){
		contract.CodeCanceled: func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			return ctx, cancel
		},
		contract.CodeDeadlineExceeded: func() (context.Context, context.CancelFunc) {
			return context.WithDeadline(t.Context(), time.Unix(0, 0))
		},
	} {
		ctx, cancel := end()
		defer cancel()
		h := ask()
		r, err := handle.Open(nc, h)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time as well
			if _, err := r.Next(ctx); !errors.Is(err, want) {
				t.Errorf("got %v, want %s", err, want)
			}
		}
		r.Close()
		gone(t, nc, h)
	}
}

// TestHolderDies ends the instance while a reader is in the middle.
func TestHolderDies(t *testing.T) {
	t.Parallel()
	nc, service, ask := start(t)
	r, err := handle.Open(nc, ask())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if err := service.Drain(over); err == nil {
		t.Error("the drain did not mind the reader")
	}
	got, err := io.ReadAll(r.Stream(t.Context()))
	e, ok := errors.AsType[*contract.Error](err)
	if !ok || e.Code != contract.CodeUnavailable || e.RetryAfter <= 0 || len(got) >= size-contract.MaxPart {
		t.Errorf("after %d bytes: %v; want %s", len(got), err, contract.CodeUnavailable)
	}
}

func TestReleasedMeanwhile(t *testing.T) {
	t.Parallel()
	nc, service, ask := start(t)
	defer drain(t, service)
	h := ask()
	r, err := handle.Open(nc, h)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	handle.Release(nc, h)
	if _, err := io.ReadAll(r.Stream(t.Context())); !errors.Is(err, contract.CodeUnavailable) {
		t.Errorf("got %v, want %s", err, contract.CodeUnavailable)
	}
}

func TestClosedConnection(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	h := contract.Handle{Subject: contract.HandleSubject("letters", "x", "y"), Size: size, ContentType: contract.MediaText}
	r, err := handle.Open(nc, h)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(t.Context()); !errors.Is(err, contract.CodeUnavailable) {
		t.Errorf("without a holder: %v, want %s", err, contract.CodeUnavailable)
	}
	r.Close()
	nc.Close()
	if _, err := handle.Open(nc, h); !errors.Is(err, contract.CodeUnavailable) {
		t.Errorf("without a connection: %v, want %s", err, contract.CodeUnavailable)
	}
}

// holder is an instance that does what the test wants.
type holder struct {
	handle contract.Handle
	nc     *nats.Conn // of the reader
	asked  chan *nats.Msg
}

func startHolder(t *testing.T) *holder {
	t.Helper()
	b := brokertest.Start(t)
	nc := brokertest.Connect(t, b)
	h := &holder{
		handle: contract.Handle{Subject: contract.HandleSubject("letters", "x", "y"), Size: size, ContentType: contract.MediaText},
		nc:     brokertest.Connect(t, b), asked: make(chan *nats.Msg, 100),
	}
	sub, err := nc.ChanSubscribe(h.handle.Subject, h.asked)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sub.Unsubscribe() })
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return h
}

// reply returns the right reply to a request for a part.
func reply(t *testing.T, m *nats.Msg) *nats.Msg {
	t.Helper()
	var r contract.PartRequest
	if err := json.Unmarshal(m.Data, &r); err != nil || r.Release {
		t.Errorf("%s: %v", m.Data, err)
		return &nats.Msg{}
	}
	end := r.Offset + r.Length
	answer := &nats.Msg{Data: result[r.Offset:end], Header: nats.Header{
		contract.HeaderContentRange: {contract.FormatContentRange(r.Offset, end, size)},
	}}
	if end == size {
		answer.Header[contract.HeaderDigest] = []string{contract.FormatDigest(sha256.Sum256(result))}
	}
	return answer
}

// TestWindow counts the parts that a reader asks for before it takes any, and how many
// more it asks for with each that it takes.
func TestWindow(t *testing.T) {
	t.Parallel()
	h := startHolder(t)
	r, err := handle.Open(h.nc, h.handle)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	answered := 0
	for taken := 0; ; taken++ {
		// The reader asks when it is called: two parts at first, then one more ahead with
		// each that it takes, up to the window and the end.
		called := max(taken-1, 0)
		want := min(called+min(2+called, 7), 13)
		for ; answered < want; answered++ {
			m := <-h.asked
			if err := m.RespondMsg(reply(t, m)); err != nil {
				t.Fatal(err)
			}
		}
		// The reader's connection sends in order, so nothing more is to come.
		if err := h.nc.Flush(); err != nil {
			t.Fatal(err)
		}
		if n := len(h.asked); n != 0 {
			t.Errorf("after %d parts the reader asks for %d too many", taken, n)
		}
		if _, err := r.Next(t.Context()); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// TestSpoiltResults changes what the instance sends.
func TestSpoiltResults(t *testing.T) {
	t.Parallel()
	last := func(m *nats.Msg) bool { return m.Header.Get(contract.HeaderDigest) != "" }
	for name, spoil := range map[string]func(*nats.Msg){
		"another byte":  func(m *nats.Msg) { m.Data = append([]byte("?"), m.Data[1:]...) },
		"a short part":  func(m *nats.Msg) { m.Data = m.Data[1:] },
		"another range": func(m *nats.Msg) { m.Header.Set(contract.HeaderContentRange, "bytes 1-2/3") },
		"no range":      func(m *nats.Msg) { m.Header.Del(contract.HeaderContentRange) },
		"no digest":     func(m *nats.Msg) { m.Header.Del(contract.HeaderDigest) },
		"another digest": func(m *nats.Msg) {
			if last(m) {
				m.Header.Set(contract.HeaderDigest, contract.FormatDigest([32]byte{}))
			}
		},
		"a problem that is none": func(m *nats.Msg) { m.Header.Set(contract.HeaderErrorCode, "500") },
		"an empty message":       func(m *nats.Msg) { m.Data, m.Header = nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := startHolder(t)
			done := make(chan struct{})
			var answering sync.WaitGroup
			answering.Go(func() {
				for {
					select {
					case m := <-h.asked:
						answer := reply(t, m)
						spoil(answer)
						_ = m.RespondMsg(answer)
					case <-done:
						return
					}
				}
			})
			r, err := handle.Open(h.nc, h.handle)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r.Stream(t.Context()))
			if !errors.Is(err, contract.CodeUnavailable) || len(got) == size {
				t.Errorf("%d bytes, %v; want %s before the end", len(got), err, contract.CodeUnavailable)
			}
			close(done)
			answering.Wait()
			r.Close()
		})
	}
}

// TestOutOfOrder answers the second request before the first.
func TestOutOfOrder(t *testing.T) {
	t.Parallel()
	h := startHolder(t)
	r, err := handle.Open(h.nc, h.handle)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	first, second := <-h.asked, <-h.asked
	for _, m := range []*nats.Msg{second, first} {
		if err := m.RespondMsg(reply(t, m)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Next(t.Context()); !errors.Is(err, contract.CodeUnavailable) {
		t.Errorf("got %v, want %s", err, contract.CodeUnavailable)
	}
}

// TestDigestInHandle holds the result against a digest that was known from the start.
func TestDigestInHandle(t *testing.T) {
	t.Parallel()
	h := startHolder(t)
	h.handle.Digest = contract.FormatDigest([32]byte{})
	h.handle.Size = 10
	r, err := handle.Open(h.nc, h.handle)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	m := <-h.asked
	if err := m.RespondMsg(&nats.Msg{Data: result[:10], Header: nats.Header{
		contract.HeaderContentRange: {"bytes 0-9/10"},
		contract.HeaderDigest:       {contract.FormatDigest(sha256.Sum256(result[:10]))},
	}}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(t.Context()); !errors.Is(err, contract.CodeUnavailable) {
		t.Errorf("got %v, want %s", err, contract.CodeUnavailable)
	}
}

// TestProblemPassesOn shows that an error of the instance is the reader's.
func TestProblemPassesOn(t *testing.T) {
	t.Parallel()
	h := startHolder(t)
	r, err := handle.Open(h.nc, h.handle)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	body, err := contract.Errorf(contract.CodeInternal, "a fault").MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	m := <-h.asked
	if err := m.RespondMsg(&nats.Msg{Data: body, Header: nats.Header{contract.HeaderErrorCode: {"500"}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(t.Context()); !errors.Is(err, contract.CodeInternal) {
		t.Errorf("got %v, want %s", err, contract.CodeInternal)
	}
}
