package rest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/micro"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/gateway/rest"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/solver"
)

// alphabetRequest asks for so many letters.
type alphabetRequest struct {
	Size int `json:"size"`
}

func (alphabetRequest) Validate() error { return nil }

type alphabetResult struct {
	Text string `json:"text"`
}

func (r alphabetResult) AppendPlain(dst []byte) []byte { return append(dst, r.Text...) }

var alphabet = contract.Define[alphabetRequest, alphabetResult](contract.Spec{Service: "alphabet", Operation: "text", Summary: "Letters", Pure: true})

// written is a result that counts how far it was written out.
type written struct {
	size int
	upTo *atomic.Int64
}

func (written) Memory() int64 { return 1 }

func (w written) Encode(media string) solver.Encoded {
	text := solver.Appended(w.size, func(dst []byte, from, to int) []byte {
		w.upTo.Store(max(w.upTo.Load(), int64(to)))
		return appendLetters(dst, from, to)
	})
	if media == contract.MediaText {
		return text
	}
	return solver.Concat(strings.NewReader(`{"text":"`), text, strings.NewReader(`"}`))
}

func appendLetters(dst []byte, from, to int) []byte {
	for i := from; i < to; i++ {
		dst = append(dst, byte('a'+i%26))
	}
	return dst
}

// large is a gateway before a service with large results.
type large struct {
	*suite
	host *host.Host
	upTo atomic.Int64 // how far any result was written out
}

func startLarge(t *testing.T) *large {
	t.Helper()
	l := &large{suite: start(t, func(c *rest.Config) { c.Endpoints = append(c.Endpoints, alphabet.Descriptor()) })}
	h, err := host.Start(t.Context(), l.services, host.Config{}, solver.Service{
		Name: "alphabet", Version: "1.0.0", Operations: []solver.Operation{
			solver.BindLong(alphabet, func(_ context.Context, r alphabetRequest) (alphabetResult, solver.Long, error) {
				return alphabetResult{}, written{r.Size, &l.upTo}, nil
			}, func(alphabetRequest) solver.Cost { return solver.Cost{Light: true} }),
		}})
	if err != nil {
		t.Fatal(err)
	}
	l.host = h
	return l
}

func (l *large) drain() {
	l.Helper()
	if err := l.host.Drain(context.Background()); err != nil {
		l.Errorf("drain: %v", err)
	}
}

// awaitReleased waits until the service holds nothing any more.
func (l *large) awaitReleased() {
	l.Helper()
	subject, err := micro.ControlSubject(micro.StatsVerb, "alphabet", "")
	if err != nil {
		l.Fatal(err)
	}
	for {
		m, err := l.services.Request(subject, nil, 10*time.Second)
		if err != nil {
			l.Fatal(err)
		}
		var stats micro.Stats
		var load host.Load
		if err := errors.Join(json.Unmarshal(m.Data, &stats), json.Unmarshal(stats.Endpoints[0].Data, &load)); err != nil {
			l.Fatal(err)
		}
		if load.Handles == 0 && load.MemoryReserved == 0 {
			return
		}
	}
}

// sizes of results that travel in the reply and as a handle.
var sizes = map[string]int{"small": 1000, "large": 4*contract.MaxPart + 77}

func TestWholeResults(t *testing.T) {
	t.Parallel()
	l := startLarge(t)
	defer l.drain()
	for name, size := range sizes {
		letters := string(appendLetters(nil, 0, size))
		for media, want := range map[string]string{contract.MediaText: letters, contract.MediaJSON: `{"text":"` + letters + `"}`} {
			target := fmt.Sprintf("/v1/alphabet/text?size=%d", size)
			for method, r := range map[string]*http.Response{
				http.MethodGet:  l.get(target, "Accept", media),
				http.MethodPost: l.post("/v1/alphabet/text", fmt.Sprintf(`{"size":%d}`, size), "Accept", media),
				http.MethodHead: l.do(request(t, http.MethodHead, target, nil, "Accept", media)),
			} {
				if method == http.MethodHead {
					if got := r.Header.Get("Content-Length"); got != fmt.Sprint(len(want)) {
						t.Errorf("%s %s: Content-Length %s, want %d", name, method, got, len(want))
					}
					if name == "large" && text(t, r) != "" {
						t.Errorf("%s: HEAD has a body", name)
					}
				} else if body := text(t, r); body != want {
					t.Errorf("%s %s %s: %d bytes, want %d", name, method, media, len(body), len(want))
				}
				if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != media || r.Header.Get(contract.HeaderInstance) == "" {
					t.Errorf("%s %s: status %d, header %v", name, method, r.StatusCode, r.Header)
				}
				ranged, tagged := r.Header.Get("Accept-Ranges") == "bytes", r.Header.Get("Etag") != ""
				if pure := method != http.MethodPost; ranged != pure || tagged != pure {
					t.Errorf("%s %s: header %v", name, method, r.Header)
				}
			}
		}
	}
	l.awaitReleased()
}

func TestRanges(t *testing.T) {
	t.Parallel()
	l := startLarge(t)
	defer l.drain()
	for name, size := range sizes {
		target := fmt.Sprintf("/v1/alphabet/text?size=%d", size)
		letters := string(appendLetters(nil, 0, size))
		tag := l.get(target, "Accept", contract.MediaText).Header.Get("Etag")
		get := func(headers ...string) *http.Response {
			return l.get(target, append(headers, "Accept", contract.MediaText)...)
		}
		for header, want := range map[string][2]int{
			"bytes=0-":           {0, size},
			"bytes=0-0":          {0, 1},
			"bytes=500-599":      {500, 600},
			"bytes=900-":         {900, size},
			"bytes=-5":           {size - 5, size},
			"bytes=-99999999999": {0, size},
			fmt.Sprintf("bytes=%d-99999999999999999999", size-1): {size - 1, size},
		} {
			for _, condition := range [][]string{nil, {"If-Range", tag}} {
				r := get(append(condition, "Range", header)...)
				body := text(t, r)
				if r.StatusCode != http.StatusPartialContent || body != letters[want[0]:want[1]] {
					t.Errorf("%s, %s %v: status %d, %d bytes", name, header, condition, r.StatusCode, len(body))
				}
				if got := r.Header.Get("Content-Range"); got != fmt.Sprintf("bytes %d-%d/%d", want[0], want[1]-1, size) {
					t.Errorf("%s, %s: Content-Range %q", name, header, got)
				}
				if r.Header.Get("Etag") != tag || r.Header.Get("Content-Type") != contract.MediaText {
					t.Errorf("%s, %s: header %v", name, header, r.Header)
				}
			}
		}
		for _, headers := range [][]string{
			{"Range", "lines=1-2"}, {"Range", "bytes=5-2"}, {"Range", "bytes=1-2,5-6"}, {"Range", "bytes"}, {"Range", "bytes=a-b"}, {"Range", "bytes=-"},
			{"Range", "bytes=1-2", "Range", "bytes=1-2"}, {"Range", "bytes=1-2", "If-Range", `"another"`},
			{"Range", "bytes=1-2", "If-Range", "W/" + tag}, {"Range", "bytes=1-2", "If-Range", "Sun, 06 Nov 1994 08:49:37 GMT"},
		} {
			if r := get(headers...); r.StatusCode != http.StatusOK || text(t, r) != letters {
				t.Errorf("%s, %v: status %d", name, headers, r.StatusCode)
			}
		}
		for _, header := range []string{fmt.Sprintf("bytes=%d-", size), "bytes=99999999999999999999-", "bytes=-0"} {
			r := get("Range", header)
			wantProblem(t, r, contract.CodeRangeNotSatisfiable, "Range", fmt.Sprint(size))
			if got := r.Header.Get("Content-Range"); got != fmt.Sprintf("bytes */%d", size) || r.Header.Get("Etag") != "" {
				t.Errorf("%s, %s: header %v", name, header, r.Header)
			}
		}
		for _, r := range []*http.Response{
			l.do(request(t, http.MethodHead, target, nil, "Accept", contract.MediaText, "Range", "bytes=1-2")),
			l.post("/v1/alphabet/text", fmt.Sprintf(`{"size":%d}`, size), "Accept", contract.MediaText, "Range", "bytes=1-2"),
		} {
			if r.StatusCode != http.StatusOK || r.ContentLength != int64(size) {
				t.Errorf("%s: a range of what has none: status %d, length %d", name, r.StatusCode, r.ContentLength)
			}
		}
		if r := get("Range", "bytes=1-2", "If-None-Match", tag); r.StatusCode != http.StatusNotModified {
			t.Errorf("%s: status %d for a result that the caller has", name, r.StatusCode)
		}
	}
	l.awaitReleased()
}

// TestResume takes a result up again where its reading ended, as curl -C - does.
func TestResume(t *testing.T) {
	t.Parallel()
	l := startLarge(t)
	defer l.drain()
	c := l.dial()
	const size = 4 * contract.MaxPart
	target := fmt.Sprintf("/v1/alphabet/text?size=%d", size)
	r := c.get(target)
	got := make([]byte, 100_000)
	if _, err := io.ReadFull(r.Body, got); err != nil {
		t.Fatal(err)
	}
	c.close()
	c = l.dial()
	defer c.close()
	r = c.get(target, fmt.Sprintf("Range: bytes=%d-", len(got)), "If-Range: "+r.Header.Get("Etag"))
	rest, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusPartialContent || !bytes.Equal(append(got, rest...), appendLetters(nil, 0, size)) {
		t.Errorf("status %d, %d bytes and %d more, %v", r.StatusCode, len(got), len(rest), err)
	}
}

// caller is a connection to a gateway that holds no bytes: what is written waits until it
// is read.
type caller struct {
	t      *testing.T
	conn   net.Conn
	reader *bufio.Reader
	close  func()
}

// dial starts a server for the gateway with one connection.
func (l *large) dial() *caller {
	l.Helper()
	near, far := net.Pipe()
	listener := &pipe{conns: make(chan net.Conn, 1), closed: make(chan struct{})}
	listener.conns <- far
	server := rest.NewServer(l.gateway, slogDiscard())
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener)
	}()
	return &caller{t: l.T, conn: near, reader: bufio.NewReaderSize(near, 16), close: func() {
		_ = near.Close()
		_ = server.Shutdown(context.Background())
		<-served
	}}
}

// get sends a request and returns the response, of which no more than its header was read.
func (c *caller) get(target string, headers ...string) *http.Response {
	c.t.Helper()
	lines := append([]string{"GET " + target + " HTTP/1.1", "Host: 127.0.0.1", "Accept: text/plain"}, headers...)
	if _, err := io.WriteString(c.conn, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		c.t.Fatal(err)
	}
	r, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

// pipe is a listener for ready-made connections.
type pipe struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipe) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipe) Close() error {
	close(p.closed)
	return nil
}

func (p *pipe) Addr() net.Addr { return &net.TCPAddr{} }

// TestStalledReader reads nothing of a large result: pulling stops after two parts, and
// small requests are answered meanwhile. Then the reader goes on, and gets everything.
func TestStalledReader(t *testing.T) {
	t.Parallel()
	l := startLarge(t)
	defer l.drain()
	c := l.dial()
	defer c.close()
	const size = 20 * contract.MaxPart
	r := c.get(fmt.Sprintf("/v1/alphabet/text?size=%d", size))
	if r.ContentLength != size {
		t.Errorf("length %d, want %d", r.ContentLength, size)
	}
	for range 200 {
		if small := l.get("/v1/alphabet/text?size=5", "Accept", contract.MediaText); text(t, small) != "abcde" {
			t.Errorf("a small request beside it: status %d", small.StatusCode)
		}
	}
	if upTo := l.upTo.Load(); upTo > 2*contract.MaxPart {
		t.Errorf("%d bytes were pulled for a reader that reads nothing", upTo)
	}
	got, err := io.ReadAll(r.Body)
	if err != nil || !bytes.Equal(got, appendLetters(nil, 0, size)) {
		t.Errorf("after the pause: %d bytes, %v", len(got), err)
	}
	l.awaitReleased()
}

// TestReaderLeaves closes the connection in the middle: the service is told.
func TestReaderLeaves(t *testing.T) {
	t.Parallel()
	l := startLarge(t)
	defer l.drain()
	c := l.dial()
	r := c.get(fmt.Sprintf("/v1/alphabet/text?size=%d", 20*contract.MaxPart))
	if _, err := io.CopyN(io.Discard, r.Body, 3*contract.MaxPart); err != nil {
		t.Fatal(err)
	}
	c.close()
	l.awaitReleased()
}

// TestHolderDies ends the service in the middle of a result: the connection ends before
// the length that was promised.
func TestHolderDies(t *testing.T) {
	t.Parallel()
	l := startLarge(t)
	c := l.dial()
	defer c.close()
	const size = 20 * contract.MaxPart
	r := c.get(fmt.Sprintf("/v1/alphabet/text?size=%d", size))
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if err := l.host.Drain(over); err == nil {
		t.Error("the drain did not mind the reader")
	}
	n, err := io.Copy(io.Discard, r.Body)
	if !errors.Is(err, io.ErrUnexpectedEOF) || n >= size {
		t.Errorf("%d bytes of %d, %v; want an unexpected end", n, size, err)
	}
}

// TestHolderIsGone answers with a handle of nobody: nothing was sent to the caller yet, so
// there is a problem to tell.
func TestHolderIsGone(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.respondWithHandles(contract.HandleSubject("fibonacci", "nobody", "x"), "elsewhere")
	r := s.get("/v1/fibonacci/term?n=5")
	wantProblem(t, r, contract.CodeUnavailable, "", "send the request again")
	if r.Header.Get("Retry-After") == "" || r.Header.Get("Etag") != "" {
		t.Errorf("header %v", r.Header)
	}
	wantProblem(t, s.get("/v1/fibonacci/term?n=6"), contract.CodeUpstream, "", "handle")
}

// slowCaller is a caller that takes one part and then is too slow.
type slowCaller struct {
	header http.Header
	set    []time.Time
	parts  int
}

func (d *slowCaller) Header() http.Header { return d.header }
func (d *slowCaller) WriteHeader(int)     {}
func (d *slowCaller) SetWriteDeadline(at time.Time) error {
	d.set = append(d.set, at)
	return nil
}

func (d *slowCaller) Write(p []byte) (int, error) {
	if d.parts++; d.parts == 2 {
		return len(p) / 2, os.ErrDeadlineExceeded
	}
	return len(p), nil
}

// TestSlowReaderIsCutOff gives each part of a result a deadline.
func TestSlowReaderIsCutOff(t *testing.T) {
	t.Parallel()
	l := startLarge(t)
	defer l.drain()
	before := time.Now()
	slow := &slowCaller{header: make(http.Header)}
	l.aborted(slow, request(t, http.MethodGet, fmt.Sprintf("/v1/alphabet/text?size=%d", 9*contract.MaxPart), nil))
	if slow.parts != 2 || len(slow.set) != 2 {
		t.Fatalf("%d writes, deadlines %v; want one for each of two", slow.parts, slow.set)
	}
	for _, at := range slow.set {
		if d := at.Sub(before); d < 20*time.Second || d > 29*time.Second {
			t.Errorf("a part has %v; want less than the time for which the service waits", d)
		}
	}
	l.awaitReleased()
}
