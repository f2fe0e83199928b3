package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/handle"
	"github.com/seed-649d3d38/heddle/jobs"
)

const (
	// partTimeout is how long a reader may take for one part of a large result. It is
	// below the 30 s for which a service holds a result that nobody pulls from.
	partTimeout = 25 * time.Second

	// maxStreams is how many large results are passed on at once. Each takes up to 4 MiB.
	maxStreams = 64
)

// streams passes large results on, over a connection of their own: on the one of the
// small requests every reply would wait behind the parts.
type streams struct {
	nc     *nats.Conn
	places chan struct{}
}

func newStreams(nc *nats.Conn) *streams {
	return &streams{nc: nc, places: make(chan struct{}, maxStreams)}
}

// cutError says that a response ended before its end because of its cause. The connection
// is closed then, so that the caller sees that the result is not whole.
type cutError struct{ cause error }

// Error describes the cause.
func (e *cutError) Error() string { return "result cut off: " + e.cause.Error() }

// Unwrap returns the cause.
func (e *cutError) Unwrap() error { return e.cause }

// content is a result on its way to the caller: bytes, or a handle.
type content struct {
	media  string
	size   int64
	tag    string   // its entity tag, empty if it must not be kept
	cache  []string // how it may be kept
	digest string   // empty if it is not known
	data   []byte
	handle contract.Handle // of a large result, whose data is not here
	stored *jobs.Stored    // of a job, whose data is not here
}

func (c content) large() bool { return c.handle.Subject != "" }

// contentOf returns the result in a reply.
func contentOf(reply *nats.Msg) (content, error) {
	media := mediaOf(reply)
	if media != contract.MediaHandle {
		return content{media: media, size: int64(len(reply.Data)), data: reply.Data}, nil
	}
	h, err := contract.ParseHandle(reply.Data)
	return content{media: h.ContentType, size: h.Size, digest: h.Digest, handle: h}, err
}

// deliver answers with the result in the reply to the request: with all of it, or for a
// GET with the range of bytes that it asks for.
func (o *operation) deliver(ctx context.Context, w http.ResponseWriter, r *http.Request, reply *nats.Msg, body []byte) (int, error) {
	c, err := contentOf(reply)
	if err != nil {
		return 0, err
	}
	from, to, status := int64(0), c.size, http.StatusOK
	if r.Method != http.MethodPost {
		c.tag, c.cache = entityTag(o.subject, body, c.media), keepForEver
		if from, to, status, err = c.partOf(w, r); err != nil {
			o.streams.release(c)
			return 0, err
		}
	}
	if c.large() {
		return o.streams.pass(ctx, w, r, c, from, to, status)
	}
	c.writeHeader(w, from, to, status)
	_, _ = w.Write(c.data[from:to]) // a caller that left cannot be told
	return status, nil
}

// partOf returns which part of a result the request asks for, and the status of the
// response.
func (c content) partOf(w http.ResponseWriter, r *http.Request) (from, to int64, status int, err error) {
	ranges := r.Header["Range"]
	if len(ranges) != 1 || r.Method != http.MethodGet || !current(r.Header["If-Range"], c.tag) {
		return 0, c.size, http.StatusOK, nil
	}
	from, to, ok := parseRange(ranges[0], c.size)
	switch {
	case !ok:
		return 0, c.size, http.StatusOK, nil
	case from >= to:
		w.Header()["Content-Range"] = []string{"bytes */" + strconv.FormatInt(c.size, 10)}
		return 0, 0, 0, contract.Errorf(contract.CodeRangeNotSatisfiable, "must begin below the size of the result, %d", c.size).At("Range")
	default:
		return from, to, http.StatusPartialContent, nil
	}
}

// writeHeader begins the response with the bytes from and up to, but without, to.
func (c content) writeHeader(w http.ResponseWriter, from, to int64, status int) {
	h := w.Header()
	if c.tag != "" {
		markCacheable(h, c.tag, c.cache)
		h["Accept-Ranges"] = acceptRanges
	}
	if status == http.StatusPartialContent {
		h["Content-Range"] = []string{contract.FormatContentRange(from, to, c.size)}
	}
	if c.digest != "" {
		h[contract.HeaderDigest] = []string{c.digest}
	}
	h["Content-Length"] = []string{strconv.FormatInt(to-from, 10)}
	if c.media == contract.MediaJSON {
		h["Content-Type"] = typeJSON
	} else {
		h["Content-Type"] = []string{c.media}
	}
	w.WriteHeader(status)
}

// release gives a result up that will not be read.
func (s *streams) release(c content) {
	if c.large() {
		handle.Release(s.nc, c.handle)
	}
}

// pass answers with the bytes of a large result. An error before the first of them is an
// answer of its own; later ones are a [*cutError].
func (s *streams) pass(ctx context.Context, w http.ResponseWriter, r *http.Request, c content, from, to int64, status int) (int, error) {
	if r.Method == http.MethodHead {
		s.release(c)
		c.writeHeader(w, from, to, status)
		return status, nil
	}
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	default:
		s.release(c)
		return 0, crowded()
	}
	reader, err := s.open(c, from, to)
	if err != nil {
		return 0, err
	}
	defer reader.Close()
	part, err := reader.Next(ctx)
	if err != nil {
		return 0, err
	}
	c.writeHeader(w, from, to, status)
	return status, s.copy(ctx, w, reader, part)
}

func crowded() error {
	e := contract.Errorf(contract.CodeResourceExhausted, "the gateway passes on as many large results as it can; try again later")
	e.RetryAfter = time.Second
	return e
}

// open returns a reader of the bytes. All of them are read with a check of the digest.
func (s *streams) open(c content, from, to int64) (*handle.Reader, error) {
	if from == 0 && to == c.size {
		return handle.Open(s.nc, c.handle)
	}
	return handle.OpenRange(s.nc, c.handle, from, to)
}

// copy writes the part and all that follow. Nothing is pulled while the caller does not
// take what it has.
func (s *streams) copy(ctx context.Context, w http.ResponseWriter, reader *handle.Reader, part []byte) error {
	control := http.NewResponseController(w)
	for {
		// Writers that know no deadlines, such as those of tests, need none.
		_ = control.SetWriteDeadline(time.Now().Add(partTimeout))
		if _, err := w.Write(part); err != nil {
			return &cutError{contract.Errorf(contract.CodeCanceled, "the caller does not take the result").WithCause(err)}
		}
		var err error
		switch part, err = reader.Next(ctx); {
		case errors.Is(err, io.EOF):
			_ = control.SetWriteDeadline(time.Time{})
			return nil
		case err != nil:
			return &cutError{fmt.Errorf("pass a result on: %w", err)}
		}
	}
}
