package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/bus"
	"github.com/seed-649d3d38/heddle/internal/query"
	"github.com/seed-649d3d38/heddle/internal/schema"
)

const (
	// bodyTimeout is how long a request body may take to arrive, counted from the end
	// of the headers.
	bodyTimeout = 30 * time.Second

	// replyGrace is how much longer than the caller allowed the gateway waits. The
	// service ends the work in time and says so; its answer, which tells how long the
	// request waited and worked, is worth the moment it is on its way.
	replyGrace = 100 * time.Millisecond

	// keptBuffer is the largest buffer that is kept for the next request.
	keptBuffer = 256 << 10
)

// operation is the resource of one operation: POST, and GET and HEAD if it is pure.
type operation struct {
	contract.Descriptor
	subject   string
	query     *query.Writer // nil unless the operation is pure
	media     []string
	requester *bus.Requester
	streams   *streams
	observer  *observer
	jobs      *jobRoutes
}

func newOperation(d contract.Descriptor, requester *bus.Requester, results *streams, observe *observer, jobs *jobRoutes) (*operation, error) {
	o := &operation{
		Descriptor: d, subject: d.Subject(), media: d.Media(),
		requester: requester, streams: results, observer: observe, jobs: jobs,
	}
	if !d.Pure {
		return o, nil
	}
	s, err := schema.Request(d.Request)
	if err != nil {
		return nil, err
	}
	o.query, err = query.NewWriter(s)
	return o, err
}

func (o *operation) route() *route {
	rt := &route{pattern: o.Route(), methods: []string{http.MethodPost}, answer: o.answer}
	if o.Pure {
		rt.methods = []string{http.MethodGet, http.MethodHead, http.MethodPost}
	}
	return rt
}

// answer turns the HTTP request into a NATS request and the reply into the response.
func (o *operation) answer(ctx context.Context, w http.ResponseWriter, r *http.Request) (int, error) {
	arrived := time.Now()
	prefer := parsePrefer(r.Header["Prefer"])
	if prefer.async && r.Method == http.MethodPost {
		return o.submit(ctx, w, r, prefer, o.store)
	}
	timeout, asked, err := o.timeout(r, prefer)
	if err != nil {
		return 0, err
	}
	buffer := buffers.Get().(*[]byte)
	defer putBuffer(buffer)
	*buffer, err = o.body((*buffer)[:0], w, r)
	if err != nil {
		return 0, err
	}
	body := *buffer
	accept := acceptOf(r, o.media[0])
	if r.Method != http.MethodPost {
		if tag := o.heldTag(r, body, accept); tag != "" {
			markCacheable(w.Header(), tag, keepForEver)
			w.WriteHeader(http.StatusNotModified)
			return http.StatusNotModified, nil
		}
	}

	left := timeout - time.Since(arrived)
	message := &nats.Msg{Subject: o.subject, Data: body, Header: requestHeader(r, accept)}
	if asked {
		setTimeout(message, left)
	}
	reply, err := o.observer.request(ctx, o.requester, message, left+replyGrace)
	if err != nil {
		return 0, err
	}
	h := w.Header()
	pass(h, reply.Header, contract.HeaderServerTiming)
	pass(h, reply.Header, contract.HeaderInstance)
	if code := reply.Header[contract.HeaderErrorCode]; code != nil {
		return answerFault(w, reply, code[0])
	}
	return o.deliver(ctx, w, r, reply, body)
}

// timeout returns how long the request may take, and whether its caller asked for that.
// The header is a demand and goes before the preference, which is a wish.
func (o *operation) timeout(r *http.Request, p preferences) (timeout time.Duration, asked bool, err error) {
	if values := r.Header[contract.HeaderTimeout]; values != nil {
		timeout, err = contract.ParseTimeout(strings.Join(values, ","))
		return timeout, true, err
	}
	if p.wait > 0 {
		return p.wait, true, nil
	}
	return o.Timeout, false, nil
}

// body appends the request's JSON to dst: the body of a POST as it is, the query of a
// GET in canonical form.
func (o *operation) body(dst []byte, w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var err error
	if r.Method == http.MethodPost {
		if err = checkContent(r.Header); err == nil {
			dst, err = readBody(dst, w, r, o.MaxRequest)
		}
	} else {
		dst, err = o.appendQuery(dst, r.URL.RawQuery)
	}
	if err == nil && len(dst) > o.MaxRequest {
		// The rest of a body is not read; without it the connection is of no use.
		w.Header()["Connection"] = closing
		err = contract.Errorf(contract.CodeRequestTooLarge, "the request must have at most %d bytes", o.MaxRequest)
	}
	return dst, err
}

// appendQuery appends the JSON that the query of a GET stands for.
func (o *operation) appendQuery(dst []byte, raw string) ([]byte, error) {
	parameters, err := parseQuery(raw)
	if err != nil {
		return dst, err
	}
	return o.query.AppendJSON(dst, parameters)
}

// closing is the value of a Connection header that ends the connection.
var closing = []string{"close"}

// readBody appends the body to dst; of one that has more than most bytes, one byte too
// many.
func readBody(dst []byte, w http.ResponseWriter, r *http.Request, most int) ([]byte, error) {
	if r.ContentLength > int64(most) {
		return slices.Grow(dst, most+1)[:most+1], nil
	}
	control := http.NewResponseController(w)
	// Writers that know no deadlines, such as those of tests, need none.
	_ = control.SetReadDeadline(time.Now().Add(bodyTimeout))
	dst, err := appendAll(dst, r.Body, most+1)
	_ = control.SetReadDeadline(time.Time{})
	switch {
	case err == nil:
		return dst, nil
	case r.Context().Err() != nil:
		return dst, contract.FromError(r.Context().Err())
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.Header()["Connection"] = closing
		return dst, contract.Errorf(contract.CodeMalformedRequest, "the body did not arrive within %s", bodyTimeout)
	default:
		w.Header()["Connection"] = closing
		return dst, contract.Errorf(contract.CodeMalformedRequest, "the body ended before its end").WithCause(err)
	}
}

// checkContent requires the body to be declared as JSON. It is not for the reader's
// sake: a web page cannot send this media type to another site without asking first.
func checkContent(h http.Header) error {
	if err := checkEncoding(h); err != nil {
		return err
	}
	types := h["Content-Type"]
	if len(types) == 1 && types[0] == contract.MediaJSON {
		return nil
	}
	if len(types) == 1 {
		t, parameters, err := mime.ParseMediaType(types[0])
		charset, named := parameters["charset"]
		if err == nil && t == contract.MediaJSON && (!named || strings.EqualFold(charset, "utf-8")) {
			return nil
		}
	}
	return contract.Errorf(contract.CodeUnsupportedMediaType, "must be %s, in UTF-8", contract.MediaJSON).At("Content-Type")
}

func checkEncoding(h http.Header) error {
	if encodings := h["Content-Encoding"]; encodings != nil && !slices.Equal(encodings, []string{"identity"}) {
		return contract.Errorf(contract.CodeUnsupportedMediaType, "the body must not be compressed; send it without Content-Encoding").At("Content-Encoding")
	}
	return nil
}

// appendAll appends what r has to dst, at most the given number of bytes in all.
func appendAll(dst []byte, r io.Reader, most int) ([]byte, error) {
	for len(dst) < most {
		dst = slices.Grow(dst, 512)
		n, err := r.Read(dst[len(dst):min(cap(dst), most)])
		dst = dst[:len(dst)+n]
		if errors.Is(err, io.EOF) {
			return dst, nil
		}
		if err != nil {
			return dst, fmt.Errorf("read body: %w", err)
		}
	}
	return dst, nil
}

// requestHeader returns the header of the NATS request, nil if there is nothing to say:
// every header costs a few per cent of throughput.
func requestHeader(r *http.Request, accept string) nats.Header {
	parent := r.Header["Traceparent"]
	if accept == "" && parent == nil {
		return nil
	}
	h := make(nats.Header, 4)
	if accept != "" {
		h[contract.HeaderAccept] = []string{accept}
	}
	if parent != nil {
		h["traceparent"] = parent
		if state := r.Header["Tracestate"]; state != nil {
			h["tracestate"] = state
		}
	}
	return h
}

// setTimeout tells the service how long the request may take. A time-out that the caller
// did not ask for is the one the service knows by itself.
func setTimeout(m *nats.Msg, left time.Duration) {
	if m.Header == nil {
		m.Header = make(nats.Header, 1)
	}
	m.Header[contract.HeaderTimeout] = []string{contract.FormatTimeout(left)}
}

// pass copies a header of the reply to the response. All that pass are written in
// their canonical form on both sides.
func pass(to http.Header, from nats.Header, name string) {
	if values := from[name]; values != nil {
		to[name] = values
	}
}

// mediaOf returns the media type of a result.
func mediaOf(reply *nats.Msg) string {
	if values := reply.Header[contract.HeaderContentType]; len(values) > 0 {
		return values[0]
	}
	return contract.MediaJSON
}

// answerFault answers with the service's problem as it is. A reply that is an error of
// ADR-32 but no problem, since another kit wrote it, is made one.
func answerFault(w http.ResponseWriter, reply *nats.Msg, number string) (int, error) {
	status, err := strconv.Atoi(number)
	if err != nil || status < http.StatusBadRequest || status > 599 {
		return 0, contract.FromError(fmt.Errorf("service sent the error code %q: %s", number, reply.Header.Get(contract.HeaderError)))
	}
	var fault contract.Error
	switch err := fault.UnmarshalJSON(reply.Data); {
	case err != nil:
		return 0, contract.Errorf(codeOf(status), "%s", printable(reply.Header.Get(contract.HeaderError)))
	case fault.Code == contract.CodeCanceled:
		// The caller is still here, so it was not the caller who gave up.
		again := contract.Errorf(contract.CodeUnavailable, "the service gave the request up; try again")
		again.RetryAfter = time.Second
		return 0, again
	}
	writeProblem(w, status, fault.RetrySeconds(), reply.Data)
	return status, nil
}

// codeOf returns the code for a number, the broader one where two share it.
func codeOf(status int) contract.Code {
	for _, code := range contract.Codes() {
		if code.Status() == status && code != contract.CodeCanceled {
			return code
		}
	}
	return contract.CodeUpstream
}

// buffers holds request bodies. The broker's client copies what it publishes, so a
// buffer is free again when its request has been answered.
var buffers = sync.Pool{New: func() any { return new(make([]byte, 0, 1024)) }}

func putBuffer(b *[]byte) {
	if cap(*b) <= keptBuffer {
		buffers.Put(b)
	}
}
