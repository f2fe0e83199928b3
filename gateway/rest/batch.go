package rest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/batch"
	"github.com/seed-649d3d38/heddle/internal/ndjson"
	"github.com/seed-649d3d38/heddle/jobs"
)

const (
	// stallTimeout is how long a reader of a batch may take to read what was written. A
	// reader that stops for longer loses its connection, and the work ends.
	stallTimeout = 30 * time.Second

	// lineBuffer holds lines until it is full or no more are ready, in bytes.
	lineBuffer = 32 << 10

	// batchJobBytes bounds the bodies of the batches that are being taken in to become jobs,
	// all together, in bytes. Somewhat more than twice of that is held meanwhile.
	batchJobBytes = 2 * contract.MaxBatchJobBody

	// maxBatchItems is more requests than a body of the largest size can hold that is
	// answered at once: the shortest one is a digit and the end of its line.
	maxBatchItems = contract.MaxBatchBody
)

// The query parameter of a batch and its values.
const (
	orderParameter = "order"
	orderInput     = "input"
	orderCompleted = "completed"
)

// batchRoute is the resource of an operation's batches.
//
// The whole body is read before the first line is written. On HTTP/1.1 a server that
// writes first throws away what is left of a short body, and many clients send all before
// they read; reading all first, within its limit, is right with every client.
func (o *operation) batchRoute() *route {
	return &route{pattern: o.BatchRoute(), methods: []string{http.MethodPost}, answer: o.answerBatch}
}

// answerBatch answers a batch with a line for each of its requests and a last one.
func (o *operation) answerBatch(ctx context.Context, w http.ResponseWriter, r *http.Request) (int, error) {
	arrived := time.Now()
	ordered, err := orderOf(r.URL)
	if err != nil {
		return 0, err
	}
	if _, ok := negotiate(acceptOf(r, contract.MediaNDJSON), []string{contract.MediaNDJSON}); !ok {
		return 0, contract.Errorf(contract.CodeNotAcceptable, "the answer to a batch is available as %s; accept it", contract.MediaNDJSON)
	}
	if r.Header[contract.HeaderTimeout] != nil {
		timeout, _, err := o.timeout(r, preferences{})
		if err != nil {
			return 0, err
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, arrived.Add(timeout))
		defer cancel()
	}
	if prefer := parsePrefer(r.Header["Prefer"]); prefer.async {
		if ordered {
			return 0, contract.Invalid(orderParameter, "cannot be %s for a batch that is a job; its lines have indexes", orderInput)
		}
		return o.submit(ctx, w, r, prefer, o.storeBatch)
	}
	items, err := readBatch(w, r, contract.MaxBatchBody, maxBatchItems)
	if err != nil {
		return 0, err
	}
	return o.runBatch(ctx, w, r, items, batch.Config{Pure: o.Pure, Ordered: ordered, Patience: o.Timeout})
}

// runBatch runs a batch and writes its lines.
func (o *operation) runBatch(ctx context.Context, w http.ResponseWriter, r *http.Request, items ndjson.Items, config batch.Config) (int, error) {
	do := func(ctx context.Context, m *nats.Msg, timeout time.Duration) (*nats.Msg, error) {
		return o.observer.request(ctx, o.requester, m, timeout)
	}
	header := requestHeader(r, "")
	h := w.Header()
	h["Cache-Control"] = noStore
	h["Content-Type"] = typeNDJSON
	lines := newLineWriter(w)
	source := batch.List(items.Len(), func(i int) batch.Item { return o.item(items.At(i)) })
	summary, err := batch.Run(ctx, config, source, lines, batch.Over(do, o.Descriptor, header))
	if errors.Is(err, context.DeadlineExceeded) && r.Context().Err() == nil {
		err = lines.refuse(&summary, items.Len(), contract.FromError(err))
	}
	if err == nil {
		err = lines.end(summary)
	}
	if err != nil { // the caller has left, or does not read
		return 0, contract.FromError(context.Canceled).WithCause(err)
	}
	return http.StatusOK, nil
}

var typeNDJSON = []string{contract.MediaNDJSON}

// item returns a request of a batch. One that is too large is refused here, since it
// would not fit into a message.
func (o *operation) item(body []byte) batch.Item {
	if len(body) > o.MaxRequest {
		return batch.Item{Fault: contract.Errorf(contract.CodeRequestTooLarge, "the request must have at most %d bytes", o.MaxRequest)}
	}
	return batch.Item{Body: body}
}

// orderOf reads the query of a batch.
func orderOf(u *url.URL) (ordered bool, err error) {
	if u.RawQuery == "" {
		return false, nil
	}
	parameters, err := parseQuery(u.RawQuery)
	if err != nil {
		return false, err
	}
	for name := range parameters {
		if name != orderParameter {
			return false, contract.Invalid(printable(name), "is not a parameter; there is only %s", orderParameter)
		}
	}
	switch values := parameters[orderParameter]; {
	case slices.Equal(values, []string{orderInput}):
		return true, nil
	case slices.Equal(values, []string{orderCompleted}):
		return false, nil
	default:
		return false, contract.Invalid(orderParameter, "must be %s or %s, once", orderInput, orderCompleted)
	}
}

// readBatch reads the whole body, of so many bytes at most, and splits it into its items, so
// many at most.
func readBatch(w http.ResponseWriter, r *http.Request, most, mostItems int) (ndjson.Items, error) {
	form, err := batchForm(r.Header)
	if err != nil {
		return ndjson.Items{}, err
	}
	body, err := readBody(make([]byte, 0, min(max(r.ContentLength+1, 4096), int64(most)+1)), w, r, most)
	if err != nil {
		return ndjson.Items{}, err
	}
	if len(body) > most {
		w.Header()["Connection"] = closing
		return ndjson.Items{}, contract.Errorf(contract.CodeRequestTooLarge, "the batch must have at most %d bytes; send it in several parts%s", most, orAsJob(most))
	}
	items, err := ndjson.Split(body, form, mostItems)
	switch {
	case errors.Is(err, ndjson.ErrTooMany):
		return items, jobs.TooManyItems()
	case err != nil:
		return items, contract.Errorf(contract.CodeMalformedRequest, "%v; send a JSON array of requests, or one request on each line as %s", err, contract.MediaNDJSON)
	case items.Len() == 0 && form == ndjson.Lines:
		return items, contract.Errorf(contract.CodeMalformedRequest, "the batch is empty; send one request on each line")
	}
	return items, nil
}

// orAsJob says what may help where a batch is too large for an answer at once.
func orAsJob(most int) string {
	if most >= contract.MaxBatchJobBody {
		return ""
	}
	return fmt.Sprintf(", or as a job of at most %d bytes, with Prefer: respond-async", contract.MaxBatchJobBody)
}

// batchForm returns the form that the headers declare the body to have. A web page cannot
// send either media type to another site without asking first.
func batchForm(h http.Header) (ndjson.Form, error) {
	if err := checkEncoding(h); err != nil {
		return 0, err
	}
	if types := h["Content-Type"]; len(types) == 1 {
		t, parameters, err := mime.ParseMediaType(types[0])
		charset, named := parameters["charset"]
		if utf8 := !named || strings.EqualFold(charset, "utf-8"); err == nil && utf8 {
			switch t {
			case contract.MediaJSON:
				return ndjson.Array, nil
			case contract.MediaNDJSON:
				return ndjson.Lines, nil
			}
		}
	}
	return 0, contract.Errorf(contract.CodeUnsupportedMediaType, "must be %s for an array or %s for lines, in UTF-8", contract.MediaJSON, contract.MediaNDJSON).At("Content-Type")
}

// lineWriter writes the lines of a batch. It is the sink of its run: what it writes blocks
// until the reader has room, and that is what holds the work back.
type lineWriter struct {
	control *http.ResponseController
	buffer  *bufio.Writer
	scratch []byte
}

func newLineWriter(w http.ResponseWriter) *lineWriter {
	l := &lineWriter{control: http.NewResponseController(w)}
	l.buffer = bufio.NewWriterSize(deadlineWriter{w, l.control}, lineBuffer)
	return l
}

// deadlineWriter gives every write its time.
type deadlineWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (w deadlineWriter) Write(p []byte) (int, error) {
	// Writers that know no deadlines, such as those of tests, need none.
	_ = w.control.SetWriteDeadline(time.Now().Add(stallTimeout))
	return w.ResponseWriter.Write(p)
}

// Deliver implements [batch.Sink].
func (l *lineWriter) Deliver(line contract.BatchLine) error {
	if line.Error != nil || line.Done {
		l.scratch = line.Append(l.scratch[:0])
		_, err := l.buffer.Write(l.scratch)
		return err
	}
	// The result goes to the buffer without a stop.
	l.scratch = append(contract.AppendBatchIndex(l.scratch[:0], line.Index), `"result":`...)
	_, _ = l.buffer.Write(l.scratch) // an error stays in the buffer
	_, _ = l.buffer.Write(line.Result)
	_, err := l.buffer.WriteString("}\n")
	return err
}

// Flush implements [batch.Sink].
func (l *lineWriter) Flush() error {
	if err := l.buffer.Flush(); err != nil {
		return err
	}
	_ = l.control.SetWriteDeadline(time.Now().Add(stallTimeout))
	if err := l.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// refuse writes the same error for all items that were not read any more.
func (l *lineWriter) refuse(s *batch.Summary, items int, fault *contract.Error) error {
	for ; s.Read < items; s.Read++ {
		s.Failed++
		if err := l.Deliver(contract.BatchLine{Index: s.Read, Error: fault}); err != nil {
			return err
		}
	}
	return nil
}

// end writes the last line.
func (l *lineWriter) end(s batch.Summary) error {
	if err := l.Deliver(contract.BatchLine{Done: true, OK: s.OK, Failed: s.Failed}); err != nil {
		return err
	}
	err := l.Flush()
	_ = l.control.SetWriteDeadline(time.Time{}) // the connection may be used again
	return err
}
