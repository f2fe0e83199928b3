// Package handle reads large results that services hold as handles: from the beginning
// to the end or any range of bytes, part by part, with a bounded number of parts under
// way. The client and the gateway read with it; what a handle is, package contract says.
//
//	r, err := handle.Open(nc, h)
//	if err != nil {
//		return err
//	}
//	defer r.Close()
//	for {
//		part, err := r.Next(ctx)
//		if errors.Is(err, io.EOF) {
//			return nil
//		}
//		…
//	}
package handle

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
)

const (
	// window is the largest number of parts that are asked for and not yet taken: with
	// parts of 512 KiB, 3.5 MiB are on their way or wait here. Loopback needs four for its
	// full speed; the others are for the way through a network.
	window = 7

	// patience is how long a part may take. The instance writes parts in milliseconds, and
	// one that is gone is known at once; what is left is a reply that was lost with a
	// connection.
	patience = 10 * time.Second

	// retryAfter is what a caller is told to wait before it sends the request again.
	retryAfter = time.Second
)

// Reader reads the bytes of one handle in order. It is for one goroutine.
type Reader struct {
	nc     *nats.Conn
	handle contract.Handle
	inbox  string
	sub    *nats.Subscription
	length int64 // of a part

	asked int64 // up to here parts were asked for
	next  int64 // up to here parts were taken
	end   int64 // of what is wanted
	taken int   // number of parts

	hash hash.Hash // of everything taken; nil unless the whole result is read
	err  error     // what Next has ended with
}

// Open returns a reader of the whole result, which checks the result's digest. The caller
// closes it.
func Open(nc *nats.Conn, h contract.Handle) (*Reader, error) {
	r, err := OpenRange(nc, h, 0, h.Size)
	if err == nil {
		r.hash = sha256.New()
	}
	return r, err
}

// OpenRange returns a reader of the bytes from and up to, but without, to, where
// 0 ≤ from < to ≤ h.Size. The caller closes it.
func OpenRange(nc *nats.Conn, h contract.Handle, from, to int64) (*Reader, error) {
	r := &Reader{
		nc: nc, handle: h, inbox: nc.NewInbox(), length: min(contract.MaxPart, nc.MaxPayload()-contract.HeaderRoom),
		asked: from, next: from, end: to,
	}
	sub, err := nc.SubscribeSync(r.inbox)
	if err != nil {
		return nil, unreachable(err)
	}
	r.sub = sub
	if err := r.ask(); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// Size returns the number of bytes that the reader has in all.
func (r *Reader) Size() int64 { return r.end - r.next }

// Next returns the next bytes of the result, at most [contract.MaxPart], and [io.EOF] after
// the last ones. They are the caller's. It asks for further parts only when it is called,
// so a caller that stops leaves a bounded number of bytes behind.
//
// It returns an [*contract.Error]: [contract.CodeUnavailable] when the instance is gone,
// has given the result up or sent something else than it said, or the broker cannot be
// reached; [contract.CodeCanceled] or [contract.CodeDeadlineExceeded] when ctx ended. After
// an error all further calls return it.
func (r *Reader) Next(ctx context.Context) ([]byte, error) {
	if r.err == nil && r.next == r.end {
		r.err = io.EOF
	}
	if r.err != nil {
		return nil, r.err
	}
	part, err := r.take(ctx)
	if err != nil {
		r.err = err
	}
	return part, err
}

// take waits for the next part and checks it.
func (r *Reader) take(ctx context.Context) ([]byte, error) {
	if err := r.ask(); err != nil {
		return nil, err
	}
	m, err := r.receive(ctx)
	if err != nil {
		return nil, err
	}
	if m.Header[contract.HeaderErrorCode] != nil {
		return nil, problem(m.Data)
	}
	end := min(r.next+r.length, r.end)
	if got := m.Header.Get(contract.HeaderContentRange); int64(len(m.Data)) != end-r.next || got != contract.FormatContentRange(r.next, end, r.handle.Size) {
		return nil, spoilt(fmt.Errorf("%d bytes with the range %q came for the bytes %d to %d", len(m.Data), got, r.next, end))
	}
	r.next = end
	r.taken++
	return m.Data, r.check(m)
}

// ask asks for parts until enough are on their way. A reader begins with two and has one
// more on their way for each part that it takes, so that a slow one has few.
func (r *Reader) ask() error {
	ahead := r.next + int64(min(2+r.taken, window))*r.length
	for r.asked < min(ahead, r.end) {
		end := min(r.asked+r.length, r.end)
		body, err := json.Marshal(contract.PartRequest{Offset: r.asked, Length: end - r.asked})
		if err != nil { // a struct of integers always marshals
			return fmt.Errorf("encode request for a part: %w", err)
		}
		if err := r.nc.PublishRequest(r.handle.Subject, r.inbox, body); err != nil {
			return unreachable(err)
		}
		r.asked = end
	}
	return nil
}

// receive waits for the next reply. Replies come in the order of the requests, since one
// goroutine of the instance sends them over one connection.
func (r *Reader) receive(ctx context.Context) (*nats.Msg, error) {
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	m, err := r.sub.NextMsgWithContext(bounded)
	switch {
	case err == nil:
		return m, nil
	case ctx.Err() != nil:
		return nil, contract.FromError(ctx.Err())
	case errors.Is(err, nats.ErrNoResponders):
		return nil, unavailable("the instance that held the result is gone; send the request again").WithCause(err)
	case bounded.Err() != nil:
		return nil, unavailable("the instance that holds the result does not answer; send the request again").WithCause(err)
	default:
		return nil, unreachable(err)
	}
}

// check hashes a part if the whole result is read, and compares the digest after the last.
func (r *Reader) check(m *nats.Msg) error {
	if r.hash == nil {
		return nil
	}
	r.hash.Write(m.Data)
	if r.next < r.end {
		return nil
	}
	sent, got := m.Header.Get(contract.HeaderDigest), contract.FormatDigest([sha256.Size]byte(r.hash.Sum(nil)))
	if sent != got || r.handle.Digest != "" && r.handle.Digest != got {
		return spoilt(fmt.Errorf("the digest is %s; the instance says %q and said %q", got, sent, r.handle.Digest))
	}
	return nil
}

// Close ends the reading. A result that was not read to its end in order is released, so
// that the instance need not hold it longer.
func (r *Reader) Close() {
	_ = r.sub.Unsubscribe() // fails only if the connection is gone
	if r.hash == nil || r.next < r.end {
		Release(r.nc, r.handle)
	}
}

// Release tells the instance that nobody wants the result. It does not wait: should the
// message be lost, the instance gives the result up by itself later.
func Release(nc *nats.Conn, h contract.Handle) {
	_ = nc.Publish(h.Subject, []byte(`{"release":true}`)) // as above
}

// problem returns the error of a part that was refused. That there is no such handle is the
// instance's doing, since the reader has just been given it.
func problem(body []byte) error {
	fault := new(contract.Error)
	if err := json.Unmarshal(body, fault); err != nil {
		return spoilt(err)
	}
	if fault.Code == contract.CodeNotFound {
		return unavailable("%s", fault.Detail)
	}
	return fault
}

func spoilt(cause error) error {
	return unavailable("the result did not arrive as it was sent; send the request again").WithCause(cause)
}

func unreachable(cause error) error {
	return unavailable("the broker cannot be reached at the moment; send the request again later").WithCause(cause)
}

func unavailable(format string, args ...any) *contract.Error {
	e := contract.Errorf(contract.CodeUnavailable, format, args...)
	e.RetryAfter = retryAfter
	return e
}
