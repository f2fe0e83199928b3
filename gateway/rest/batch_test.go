package rest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/gateway/rest"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
	"github.com/seed-649d3d38/heddle/solver"
)

// patience bounds what must happen; nothing waits that long unless it fails.
const patience = 20 * time.Second

// linesOf reads the answer to a batch of so many requests and checks that it is whole.
func linesOf(t testing.TB, r io.Reader, requests int) (lines []contract.BatchLine, done contract.BatchLine) {
	t.Helper()
	seen := make([]bool, requests)
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 2<<20)
	for scanner.Scan() {
		l, err := contract.ParseBatchLine(bytes.Clone(scanner.Bytes()))
		switch {
		case err != nil:
			t.Fatalf("line %s: %v", brief(scanner.Text()), err)
		case done.Done:
			t.Fatalf("after the last line comes %s", brief(scanner.Text()))
		case l.Done:
			done = l
			continue
		case l.Index >= requests || seen[l.Index]:
			t.Fatalf("request %d has a second line, or there is none such", l.Index)
		}
		seen[l.Index] = true
		lines = append(lines, l)
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	if len(lines) != requests || !done.Done || done.OK+done.Failed != requests {
		t.Fatalf("%d lines and the last one %+v, want %d", len(lines), done, requests)
	}
	return lines, done
}

const batchPath = "/v1/fibonacci/term/batch"

func (s *suite) batch(target, contentType, body string, headers ...string) *http.Response {
	s.Helper()
	return s.do(request(s, http.MethodPost, target, strings.NewReader(body), append([]string{"Content-Type", contentType}, headers...)...))
}

func TestBatchOnTheWire(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.host(host.Config{}, fib.Service())
	const want = `{"index":0,"result":{"n":"10","value":"55","digits":2}}
{"index":1,"error":{"type":"urn:heddle:error:invalid_argument","title":"Invalid argument","status":422,"detail":"m is not a member; the members are n, modulus","code":"invalid_argument","field":"m"}}
{"index":2,"result":{"n":"12","value":"144","digits":3}}
{"done":true,"ok":2,"failed":1}
`
	for contentType, body := range map[string]string{
		"application/json":                        "[{\"n\":10},\n {\"m\":1}, {\"n\": \"12\"}]",
		"application/x-ndjson":                    "{\"n\":10}\r\n\n{\"m\":1}\n{\"n\": \"12\"}",
		"application/x-ndjson; charset=\"UTF-8\"": "{\"n\":10}\n{\"m\":1}\n{\"n\":12}\n",
	} {
		r := s.batch(batchPath+"?order=input", contentType, body)
		got, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != contract.MediaNDJSON || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: status %d, headers %v, %v", contentType, r.StatusCode, r.Header, err)
		}
		if string(got) != want {
			t.Errorf("%s: got\n%swant\n%s", contentType, got, want)
		}
	}
	if got, _ := io.ReadAll(s.batch(batchPath, contract.MediaJSON, " [ ] ").Body); string(got) != `{"done":true,"ok":0,"failed":0}`+"\n" {
		t.Errorf("an empty array is answered %s", got)
	}
}

func TestBatchRefused(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	large := strings.Repeat(" ", contract.MaxBatchBody) + "{}"
	for _, c := range []struct {
		target, contentType, body string
		headers                   []string
		code                      contract.Code
		field, words              string
	}{
		{batchPath, contract.MediaJSON, "{}", nil, contract.CodeMalformedRequest, "", "not a JSON array"},
		{batchPath, contract.MediaJSON, "[{}", nil, contract.CodeMalformedRequest, "", "not valid JSON"},
		{batchPath, contract.MediaJSON, "", nil, contract.CodeMalformedRequest, "", "one request on each line"},
		{batchPath, contract.MediaNDJSON, " \n", nil, contract.CodeMalformedRequest, "", "is empty"},
		{batchPath, "text/plain", "{}", nil, contract.CodeUnsupportedMediaType, "Content-Type", "application/x-ndjson"},
		{batchPath, contract.MediaNDJSON + "; charset=latin1", "{}", nil, contract.CodeUnsupportedMediaType, "Content-Type", "UTF-8"},
		{batchPath, contract.MediaNDJSON, "{}", []string{"Content-Encoding", "gzip"}, contract.CodeUnsupportedMediaType, "Content-Encoding", "compressed"},
		{batchPath, contract.MediaNDJSON, "{}", []string{"Accept", "image/png"}, contract.CodeNotAcceptable, "", contract.MediaNDJSON},
		{batchPath, contract.MediaNDJSON, "{}", []string{"Heddle-Timeout", "soon"}, contract.CodeInvalidArgument, "Heddle-Timeout", "duration"},
		{batchPath, contract.MediaNDJSON, large, nil, contract.CodeRequestTooLarge, "", "8388608 bytes"},
		{batchPath + "?order=random", contract.MediaNDJSON, "{}", nil, contract.CodeInvalidArgument, "order", "input"},
		{batchPath + "?order=input&order=input", contract.MediaNDJSON, "{}", nil, contract.CodeInvalidArgument, "order", "once"},
		{batchPath + "?sort=input", contract.MediaNDJSON, "{}", nil, contract.CodeInvalidArgument, "sort", "order"},
		{batchPath + "?%zz", contract.MediaNDJSON, "{}", nil, contract.CodeMalformedRequest, "", "query"},
	} {
		wantProblem(t, s.batch(c.target, c.contentType, c.body, c.headers...), c.code, c.field, c.words)
	}
	wantProblem(t, s.get(batchPath), contract.CodeMethodNotAllowed, "", "POST")
	chunked := request(t, http.MethodPost, batchPath, io.NopCloser(strings.NewReader(large)), "Content-Type", contract.MediaNDJSON)
	chunked.ContentLength = -1
	wantProblem(t, s.do(chunked), contract.CodeRequestTooLarge, "", "several parts")
}

// terms returns the requests of the terms up to n, modulo a number, as lines.
func terms(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"n\":\"%d\",\"modulus\":\"97\"}\n", i)
	}
	return b.String()
}

// TestBatchOverHTTP sends a body below the 256 kB that a server swallows when it writes
// before it has read, and one above, over real connections.
func TestBatchOverHTTP(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.host(host.Config{}, fib.Service())
	server := s.serve()
	for _, n := range []int{1, 5000, 100_000} {
		for _, query := range []string{"", "?order=completed", "?order=input"} {
			r := post(t, server, batchPath+query, strings.NewReader(terms(n)))
			lines, done := linesOf(t, r.Body, n)
			_ = r.Body.Close()
			if done.OK != n || done.Failed != 0 {
				t.Errorf("%d requests: the last line is %+v", n, done)
			}
			if query == "?order=input" && !slices.IsSortedFunc(lines, func(a, b contract.BatchLine) int { return a.Index - b.Index }) {
				t.Error("lines are not in the order of the requests")
			}
			for _, l := range lines {
				if want := fmt.Sprintf(`{"n":"%d",`, l.Index); !strings.HasPrefix(string(l.Result), want) {
					t.Fatalf("request %d has the result %s", l.Index, brief(string(l.Result)))
				}
			}
		}
	}
}

// serve serves the gateway on a real port.
func (s *suite) serve() *httptest.Server {
	server := httptest.NewUnstartedServer(nil)
	server.Config.Handler = s.gateway
	server.Start()
	s.Cleanup(server.Close)
	return server
}

func post(t *testing.T, server *httptest.Server, target string, body io.Reader) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+target, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contract.MediaNDJSON)
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// termService answers terms with a stand-in for the solver.
func termService(solve solver.Func[contract.TermRequest, contract.TermResult], cost solver.Cost) solver.Service {
	return solver.Service{Name: "fibonacci", Version: "1.0.0", Waits: true, Operations: []solver.Operation{
		solver.BindEstimated(contract.FibonacciTerm, solve, func(contract.TermRequest) solver.Cost { return cost }),
	}}
}

// TestBatchFirstLineComesAtOnce reads the first line while the second request still runs.
func TestBatchFirstLineComesAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	release := make(chan struct{})
	s.host(host.Config{}, termService(func(_ context.Context, r contract.TermRequest) (contract.TermResult, error) {
		if r.N == "2" {
			<-release
		}
		return contract.TermResult{N: r.N}, nil
	}, solver.Cost{}))
	r := post(t, s.serve(), batchPath, strings.NewReader(terms(3)))
	defer r.Body.Close()
	body := bufio.NewReader(r.Body)
	for range 2 {
		if line, err := body.ReadString('\n'); err != nil || strings.Contains(line, `"index":2`) {
			t.Fatalf("got %s, %v", line, err)
		}
	}
	close(release)
	if rest, err := io.ReadAll(body); err != nil || !bytes.HasSuffix(rest, []byte(`{"done":true,"ok":3,"failed":0}`+"\n")) {
		t.Errorf("got %s, %v", rest, err)
	}
}

// TestBatchEndsWhenTheCallerLeaves looks at the solvers' contexts.
func TestBatchEndsWhenTheCallerLeaves(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	running, ended := make(chan struct{}, 100), make(chan time.Time, 100)
	s.host(host.Config{}, termService(func(ctx context.Context, r contract.TermRequest) (contract.TermResult, error) {
		running <- struct{}{}
		<-ctx.Done()
		ended <- time.Now()
		return contract.TermResult{}, ctx.Err()
	}, solver.Cost{}))
	server := s.serve()
	ctx, leave := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+batchPath, strings.NewReader(terms(100)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contract.MediaNDJSON)
	go func() {
		<-running
		leave()
	}()
	if response, err := server.Client().Do(r); err == nil {
		_ = response.Body.Close()
		t.Error("the batch was answered")
	}
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("the solver still works for a caller that has left")
	}
}

// TestBatchTimeout gives a batch less time than it needs: every request has its line.
func TestBatchTimeout(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.host(host.Config{}, termService(func(ctx context.Context, r contract.TermRequest) (contract.TermResult, error) {
		if r.N == "0" {
			return contract.TermResult{N: r.N}, nil
		}
		<-ctx.Done()
		return contract.TermResult{}, ctx.Err()
	}, solver.Cost{}))
	r := s.batch(batchPath, contract.MediaNDJSON, terms(20_000), "Heddle-Timeout", "1s")
	lines, done := linesOf(t, r.Body, 20_000)
	if done.OK != 1 || done.Failed != 19_999 {
		t.Errorf("the last line is %+v", done)
	}
	for _, l := range lines {
		if l.Error != nil && l.Error.Code != contract.CodeDeadlineExceeded {
			t.Fatalf("request %d: %v", l.Index, l.Error)
		}
	}
}

// TestBatchWithoutService answers every request, and not much later than it must.
func TestBatchWithoutService(t *testing.T) {
	t.Parallel()
	r := start(t, nil).batch(batchPath, contract.MediaNDJSON, terms(1000))
	lines, _ := linesOf(t, r.Body, 1000)
	for _, l := range lines {
		if l.Error == nil || l.Error.Code != contract.CodeUnavailable || l.Error.RetryAfter == 0 {
			t.Fatalf("request %d: got %s, %v", l.Index, l.Result, l.Error)
		}
	}
}

// TestBatchReaderThatStops stops reading: the work stops, memory does not grow, and when
// it reads on it gets everything.
func TestBatchReaderThatStops(t *testing.T) {
	t.Parallel()
	const n = 60_000
	s := start(t, nil)
	var solved atomic.Int64
	value := contract.Integer(strings.Repeat("7", 1000))
	s.host(host.Config{}, termService(func(_ context.Context, r contract.TermRequest) (contract.TermResult, error) {
		solved.Add(1)
		return contract.TermResult{N: r.N, Value: value}, nil
	}, solver.Cost{Light: true}))
	server := s.serve()
	server.Client().Transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		if err == nil {
			err = c.(*net.TCPConn).SetReadBuffer(64 << 10)
		}
		return c, err
	}
	r := post(t, server, batchPath, strings.NewReader(terms(n)))
	defer r.Body.Close()
	// Progress ends when nothing has been solved for a while.
	before, still := int64(-1), 0
	for still < 20 {
		<-time.After(10 * time.Millisecond)
		if now := solved.Load(); now == before {
			still++
		} else {
			before, still = now, 0
		}
	}
	if before >= n/2 {
		t.Errorf("%d of %d requests were solved for a reader that does not read", before, n)
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > 200<<20 {
		t.Errorf("the heap has %d MiB", m.HeapAlloc>>20)
	}
	if _, done := linesOf(t, r.Body, n); done.OK != n {
		t.Errorf("the last line is %+v", done)
	}
}

// TestBatchComputesEqualRequestsOnce also shows that this is for pure operations only.
func TestBatchComputesEqualRequestsOnce(t *testing.T) {
	t.Parallel()
	var solved atomic.Int64
	s := start(t, nil)
	s.host(host.Config{}, termService(func(_ context.Context, r contract.TermRequest) (contract.TermResult, error) {
		solved.Add(1)
		return contract.TermResult{N: r.N}, nil
	}, solver.Cost{Light: true}), crawlerOf(func() { solved.Add(1) }))
	body := strings.Repeat(terms(10), 500)
	if _, done := linesOf(t, s.batch(batchPath, contract.MediaNDJSON, body).Body, 5000); done.OK != 5000 || solved.Load() != 10 {
		t.Errorf("the last line is %+v after %d computations, want 10", done, solved.Load())
	}
	solved.Store(0)
	body = strings.Repeat(`{"url":"https://example.com/"}`+"\n", 50)
	if _, done := linesOf(t, s.batch("/v1/crawler/links/batch", contract.MediaNDJSON, body).Body, 50); done.OK != 50 || solved.Load() != 50 {
		t.Errorf("the last line is %+v after %d fetches, want 50", done, solved.Load())
	}
}

func crawlerOf(fetched func()) solver.Service {
	return solver.Service{Name: "crawler", Version: "1.0.0", Waits: true, Operations: []solver.Operation{
		solver.Bind(contract.CrawlerLinks, func(_ context.Context, r contract.LinksRequest) (contract.LinksResult, error) {
			fetched()
			return contract.LinksResult{URL: r.URL}, nil
		}),
	}}
}

// TestBatchItemTooLarge refuses one request and leaves the others alone.
func TestBatchItemTooLarge(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.host(host.Config{}, fib.Service())
	huge := `{"n":"` + strings.Repeat("9", contract.DefaultMaxRequest) + `"}`
	lines, done := linesOf(t, s.batch(batchPath+"?order=input", contract.MediaNDJSON, terms(1)+huge+"\n"+terms(1)).Body, 3)
	if done.OK != 2 || lines[1].Error == nil || lines[1].Error.Code != contract.CodeRequestTooLarge {
		t.Errorf("got %+v", lines)
	}
}

// TestBatchLargeResults has results that fit into no reply together.
func TestBatchLargeResults(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.host(host.Config{}, termService(func(_ context.Context, r contract.TermRequest) (contract.TermResult, error) {
		size := 1
		if n, _ := strconv.Atoi(string(r.N)); n >= 2000 {
			size = 400_000
		}
		return contract.TermResult{N: r.N, Value: contract.Integer(strings.Repeat("7", size))}, nil
	}, solver.Cost{Light: true}))
	if _, done := linesOf(t, s.batch(batchPath, contract.MediaNDJSON, terms(2050)).Body, 2050); done.OK != 2050 {
		t.Errorf("the last line is %+v", done)
	}
}

// TestBatchResultBeyondAReply has a result that is a handle when its request is alone.
func TestBatchResultBeyondAReply(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.host(host.Config{}, termService(func(_ context.Context, r contract.TermRequest) (contract.TermResult, error) {
		size := 1
		if r.N == "1" {
			size = 3 << 20
		}
		return contract.TermResult{N: r.N, Value: contract.Integer(strings.Repeat("7", size))}, nil
	}, solver.Cost{}))
	lines, done := linesOf(t, s.batch(batchPath+"?order=input", contract.MediaNDJSON, terms(300)).Body, 300)
	if done.OK != 299 || lines[1].Error == nil || lines[1].Error.Code != contract.CodeResultTooLarge || !strings.Contains(lines[1].Error.Detail, "by itself") {
		t.Errorf("the last line is %+v, that of the large result %v", done, lines[1].Error)
	}
}

// walkBatch sends every body of the walk as a line of a batch, and holds each line of the
// answer against the answer to the body alone.
func (w *walker) walkBatch(t *testing.T) {
	line := w.lineSchema(t)
	var bodies []string
	for _, body := range w.bodies() {
		if !strings.ContainsAny(body, "\n\r") && strings.TrimSpace(body) == body && body != "" {
			bodies = append(bodies, body)
		}
	}
	for part := range slices.Chunk(bodies, 50) {
		r := w.batch(w.path+"/batch", contract.MediaNDJSON, strings.Join(part, "\n"))
		if r.StatusCode != http.StatusOK {
			t.Fatalf("status %d: %s", r.StatusCode, brief(text(t, r)))
		}
		lines, _ := linesOf(t, r.Body, len(part))
		for _, l := range lines {
			if err := valid(line, string(l.Append(nil))); err != nil {
				t.Errorf("line %s: %v", brief(string(l.Append(nil))), err)
			}
			alone := w.do(request(t, http.MethodPost, w.path, strings.NewReader(part[l.Index]),
				"Content-Type", contract.MediaJSON, "Accept", contract.MediaJSON))
			want := text(t, alone)
			switch {
			case l.Error != nil && l.Error.Code == contract.CodeResultTooLarge && len(want) > contract.MaxPart:
				// Alone it is a handle, which a line has no place for.
			case l.Error == nil && (alone.StatusCode != http.StatusOK || want != string(l.Result)):
				t.Errorf("%s: in a batch %s, alone %s", brief(part[l.Index]), brief(string(l.Result)), brief(want))
			case l.Error != nil && l.Error.Code.Status() != alone.StatusCode:
				t.Errorf("%s: in a batch %v, alone %s", brief(part[l.Index]), l.Error, brief(want))
			}
		}
	}
}

// lineSchema returns the schema of the lines that answer a batch.
func (w *walker) lineSchema(t *testing.T) *jsonschema.Resolved {
	t.Helper()
	var document struct {
		Paths map[string]struct {
			Post struct {
				Responses map[string]struct {
					Content map[string]struct{ Schema *jsonschema.Schema }
				}
			}
		}
		Components json.RawMessage
	}
	if err := json.Unmarshal(w.raw, &document); err != nil {
		t.Fatal(err)
	}
	schema := document.Paths[w.path+"/batch"].Post.Responses["200"].Content[contract.MediaNDJSON].Schema
	var components struct {
		Schemas map[string]*jsonschema.Schema
	}
	if err := json.Unmarshal(document.Components, &components); err != nil {
		t.Fatal(err)
	}
	// The references of the document are those of a root that has its components.
	schema.Extra = map[string]any{"components": map[string]any{"schemas": components.Schemas}}
	raw := strings.ReplaceAll(marshal(t, schema), "#/components/schemas/", "#/$defs/")
	var rooted jsonschema.Schema
	if err := json.Unmarshal([]byte(raw), &rooted); err != nil {
		t.Fatal(err)
	}
	rooted.Extra = nil
	rooted.Defs = make(map[string]*jsonschema.Schema)
	for name, s := range components.Schemas {
		raw := strings.ReplaceAll(marshal(t, s), "#/components/schemas/", "#/$defs/")
		rooted.Defs[name] = new(jsonschema.Schema)
		if err := json.Unmarshal([]byte(raw), rooted.Defs[name]); err != nil {
			t.Fatal(err)
		}
	}
	resolved, err := rooted.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

// FuzzBatch posts arbitrary bodies to a gateway without services: whatever comes, there is
// a problem or a whole answer.
func FuzzBatch(f *testing.F) {
	for _, body := range []string{"[]", "[{\"n\":1}]", "{\"n\":1}\n{}", "[", "\x00", "[[[]]]"} {
		f.Add(body, true)
		f.Add(body, false)
	}
	f.Fuzz(func(t *testing.T, body string, array bool) {
		contentType := contract.MediaNDJSON
		if array {
			contentType = contract.MediaJSON
		}
		s := start(t, func(c *rest.Config) { c.Endpoints = c.Endpoints[:1] })
		s.host(host.Config{}, fib.Service())
		r := s.batch(batchPath, contentType, body)
		if r.StatusCode >= 500 {
			t.Errorf("status %d", r.StatusCode)
		}
		if r.StatusCode == http.StatusOK {
			all, err := io.ReadAll(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			linesOf(t, bytes.NewReader(all), bytes.Count(all, []byte("\n"))-1)
		}
	})
}
