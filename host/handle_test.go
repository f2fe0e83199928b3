package host_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/solver"
)

// digits is a Long of so many digits that takes so many bytes of memory.
type digits struct {
	size   int
	memory int64
}

func (d digits) Memory() int64 { return d.memory }

func (d digits) Encode(media string) solver.Encoded {
	value := solver.Appended(d.size, func(dst []byte, from, to int) []byte {
		for i := from; i < to; i++ {
			dst = append(dst, byte('0'+i%7))
		}
		return dst
	})
	if media == contract.MediaText {
		return value
	}
	return solver.Concat(strings.NewReader(`{"text":"`), value, strings.NewReader(`"}`))
}

// text returns the whole of a Long in a media type.
func (d digits) text(t *testing.T, media string) []byte {
	t.Helper()
	text := d.Encode(media)
	whole := make([]byte, text.Size())
	if n, err := text.ReadAt(whole, 0); n != len(whole) {
		t.Fatal(err)
	}
	return whole
}

// longService answers with as many digits as text says, in as much memory.
func longService(memory int64, cost solver.Cost) solver.Service {
	solve := func(_ context.Context, r EchoRequest) (EchoResult, solver.Long, error) {
		return EchoResult{}, digits{int(r.Text.Big().Int64()), memory}, nil
	}
	return solver.Service{
		Name: "echo", Version: "1.0.0",
		Operations: []solver.Operation{solver.BindLong(echo, solve, func(EchoRequest) solver.Cost { return cost })},
	}
}

// holder is a service with large results, and its caller.
type holder struct {
	t    *testing.T
	host *host.Host
	nc   *nats.Conn
}

func startHolder(t *testing.T, cfg host.Config, s solver.Service) *holder {
	t.Helper()
	b := brokertest.Start(t)
	h, err := host.Start(t.Context(), brokertest.Connect(t, b), cfg, s)
	if err != nil {
		t.Fatal(err)
	}
	return &holder{t: t, host: h, nc: brokertest.Connect(t, b)}
}

// drain ends the service.
func (h *holder) drain() {
	h.t.Helper()
	if err := h.host.Drain(context.Background()); err != nil {
		h.t.Errorf("drain: %v", err)
	}
}

// ask requests so many digits.
func (h *holder) ask(size int, accept string) *nats.Msg {
	h.t.Helper()
	m := nats.NewMsg(echo.Subject())
	m.Data = fmt.Appendf(nil, `{"text":"%d"}`, size)
	if accept != "" {
		m.Header[contract.HeaderAccept] = []string{accept}
	}
	r, err := h.nc.RequestMsg(m, patience)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// handle requests so many digits and returns the handle.
func (h *holder) handle(size int, accept string) contract.Handle {
	h.t.Helper()
	r := h.ask(size, accept)
	if r.Header.Get(contract.HeaderContentType) != contract.MediaHandle {
		h.t.Fatalf("got %s %.200s, want a handle", r.Header.Get(contract.HeaderContentType), r.Data)
	}
	got, err := contract.ParseHandle(r.Data)
	if err != nil {
		h.t.Fatal(err)
	}
	return got
}

// pull sends a part request as it is written.
func (h *holder) pull(subject, body string) *nats.Msg {
	h.t.Helper()
	m, err := h.nc.Request(subject, []byte(body), patience)
	if err != nil {
		h.t.Fatalf("%s: %v", body, err)
	}
	return m
}

func part(offset, length int64) string {
	return fmt.Sprintf(`{"offset":%d,"length":%d}`, offset, length)
}

// wantProblem fails the test unless the reply is the error.
func (h *holder) wantProblem(m *nats.Msg, code contract.Code, field string) {
	h.t.Helper()
	problem := new(contract.Error)
	if err := json.Unmarshal(m.Data, problem); err != nil || problem.Code != code || problem.Field != field || m.Header.Get(contract.HeaderErrorCode) != fmt.Sprint(code.Status()) {
		h.t.Errorf("got %v %.200s, want %s of %q", m.Header, m.Data, code, field)
	}
}

// load returns what the instance says of itself.
func (h *holder) load() (l host.Load) {
	h.t.Helper()
	subject, err := micro.ControlSubject(micro.StatsVerb, "echo", "")
	if err != nil {
		h.t.Fatal(err)
	}
	var stats micro.Stats
	if err := json.Unmarshal(h.pull(subject, "").Data, &stats); err != nil {
		h.t.Fatal(err)
	}
	if err := json.Unmarshal(stats.Endpoints[0].Data, &l); err != nil {
		h.t.Fatal(err)
	}
	return l
}

// idle waits until no request runs, since a reply may come before its slot is free.
func (h *holder) idle() host.Load {
	h.t.Helper()
	for {
		if l := h.load(); l.Busy == 0 {
			return l
		}
	}
}

func TestReadInOrder(t *testing.T) {
	t.Parallel()
	const size, memory = 3*contract.MaxPart + 1234, 100_000
	h := startHolder(t, host.Config{}, longService(memory, solver.Cost{Memory: 5_000_000}))
	defer h.drain()
	for media, accept := range map[string]string{contract.MediaJSON: "", contract.MediaText: contract.MediaText} {
		want := digits{size: size}.text(t, media)
		handle := h.handle(size, accept)
		if handle.Size != int64(len(want)) || handle.ContentType != media || handle.Digest != "" || handle.IdleMS != 30_000 {
			t.Errorf("%s: handle %+v", media, handle)
		}
		if l := h.idle(); l.Handles != 1 || l.HandleMemory != memory || l.MemoryReserved != memory {
			t.Errorf("%s: while it is held: %+v; want the memory of the internal form and no more", media, l)
		}
		var got []byte
		for offset := int64(0); offset < handle.Size; offset += contract.MaxPart {
			m := h.pull(handle.Subject, part(offset, contract.MaxPart))
			end := min(offset+contract.MaxPart, handle.Size)
			if r := m.Header.Get(contract.HeaderContentRange); r != fmt.Sprintf("bytes %d-%d/%d", offset, end-1, handle.Size) {
				t.Errorf("%s: range %q at %d", media, r, offset)
			}
			if m.Header.Get(contract.HeaderContentType) != media {
				t.Errorf("%s: part of type %q", media, m.Header.Get(contract.HeaderContentType))
			}
			digest := m.Header.Get(contract.HeaderDigest)
			if last := end == handle.Size; last != (digest != "") || last && digest != contract.FormatDigest(sha256.Sum256(want)) {
				t.Errorf("%s: digest %q with the part up to %d", media, digest, end)
			}
			got = append(got, m.Data...)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: the parts are not the result", media)
		}
		if l := h.load(); l.Handles != 0 || l.HandleMemory != 0 || l.MemoryReserved != 0 {
			t.Errorf("%s: after the last part: %+v; want nothing held", media, l)
		}
		h.wantProblem(h.pull(handle.Subject, part(0, 1)), contract.CodeNotFound, "")
	}
}

// TestReadInAnyOrder reads parts backwards and again: all are right, there is no digest,
// and the handle stays until it is released.
func TestReadInAnyOrder(t *testing.T) {
	t.Parallel()
	const size = contract.MaxPart + 1000
	h := startHolder(t, host.Config{}, longService(1, solver.Cost{}))
	defer h.drain()
	want := digits{size: size}.text(t, contract.MediaJSON)
	handle := h.handle(size, "")
	for _, at := range []int64{handle.Size - 10, 500, 0, 500, handle.Size - 1} {
		m := h.pull(handle.Subject, part(at, 400))
		if end := min(at+400, handle.Size); !bytes.Equal(m.Data, want[at:end]) || m.Header.Get(contract.HeaderDigest) != "" {
			t.Errorf("part at %d: %d bytes, header %v", at, len(m.Data), m.Header)
		}
	}
	if m := h.pull(handle.Subject, `{"release":true}`); string(m.Data) != "{}" {
		t.Errorf("release: %s", m.Data)
	}
	h.wantProblem(h.pull(handle.Subject, part(0, 1)), contract.CodeNotFound, "")
	h.wantProblem(h.pull(handle.Subject, `{"release":true}`), contract.CodeNotFound, "")
	if l := h.idle(); l.Handles != 0 || l.MemoryReserved != 0 {
		t.Errorf("after the release: %+v", l)
	}
}

// TestRepeatedParts reads in order but for parts that come twice and overlap, as after a
// retry: the digest is that of the whole.
func TestRepeatedParts(t *testing.T) {
	t.Parallel()
	const size = contract.MaxPart + 1000
	h := startHolder(t, host.Config{}, longService(1, solver.Cost{}))
	defer h.drain()
	want := digits{size: size}.text(t, contract.MediaJSON)
	handle := h.handle(size, "")
	var last *nats.Msg
	for _, at := range []int64{0, 0, 1000, 200_000, 100_000, 300_000} {
		last = h.pull(handle.Subject, part(at, 300_000))
	}
	if got := last.Header.Get(contract.HeaderDigest); got != contract.FormatDigest(sha256.Sum256(want)) {
		t.Errorf("digest %q", got)
	}
}

func TestTypedResultIsHeld(t *testing.T) {
	t.Parallel()
	const size = 2 << 20
	solve := func(context.Context, EchoRequest) (EchoResult, error) {
		return EchoResult{Text: contract.Integer(strings.Repeat("7", size))}, nil
	}
	h := startHolder(t, host.Config{}, service(solve, solver.Cost{Memory: 10 << 20}))
	defer h.drain()
	want := `{"text":"` + strings.Repeat("7", size) + `"}`
	handle := h.handle(1, "")
	if handle.Digest != contract.FormatDigest(sha256.Sum256([]byte(want))) {
		t.Errorf("digest %q of bytes that are there", handle.Digest)
	}
	if l := h.idle(); l.MemoryReserved != l.HandleMemory || l.HandleMemory < size || l.HandleMemory > 2*size {
		t.Errorf("while it is held: %+v", l)
	}
	m := h.pull(handle.Subject, part(handle.Size-3, 100))
	if string(m.Data) != `7"}` || m.Header.Get(contract.HeaderDigest) != handle.Digest {
		t.Errorf("last part %q, header %v", m.Data, m.Header)
	}
	h.pull(handle.Subject, `{"release":true}`)
}

// TestSmallLongResult shows that a Long that fits into the reply is a reply.
func TestSmallLongResult(t *testing.T) {
	t.Parallel()
	h := startHolder(t, host.Config{}, longService(1, solver.Cost{Light: true}))
	defer h.drain()
	largest := contract.MaxPart - len(`{"text":""}`)
	for _, size := range []int{0, 5, largest} {
		if m := h.ask(size, ""); !bytes.Equal(m.Data, digits{size: size}.text(t, contract.MediaJSON)) || m.Header.Get(contract.HeaderContentType) != "" {
			t.Errorf("%d digits: %v %.100s", size, m.Header, m.Data)
		}
	}
	h.handle(largest+1, "")
	if l := h.load(); l.Handles != 1 || l.MemoryReserved != l.HandleMemory {
		t.Errorf("one digit more, without a reservation: %+v", l)
	}
}

func TestBadPartRequests(t *testing.T) {
	t.Parallel()
	const size = contract.MaxPart
	h := startHolder(t, host.Config{}, longService(1, solver.Cost{}))
	defer h.drain()
	handle := h.handle(size, "")
	for _, c := range []struct {
		body  string
		code  contract.Code
		field string
	}{
		{"", contract.CodeMalformedRequest, ""},
		{"[]", contract.CodeMalformedRequest, ""},
		{`{}`, contract.CodeInvalidArgument, "length"},
		{part(0, 0), contract.CodeInvalidArgument, "length"},
		{part(0, -1), contract.CodeInvalidArgument, "length"},
		{part(0, contract.MaxPart+1), contract.CodeInvalidArgument, "length"},
		{part(-1, 1), contract.CodeInvalidArgument, "offset"},
		{part(handle.Size, 1), contract.CodeInvalidArgument, "offset"},
		{part(1<<62, contract.MaxPart), contract.CodeInvalidArgument, "offset"},
		{`{"offset":1e30,"length":1}`, contract.CodeInvalidArgument, "offset"},
		{`{"offset":"0","length":1}`, contract.CodeInvalidArgument, "offset"},
		{`{"offset":0,"length":1,"x":1}`, contract.CodeInvalidArgument, "x"},
		{`{"release":"yes"}`, contract.CodeInvalidArgument, "release"},
	} {
		h.wantProblem(h.pull(handle.Subject, c.body), c.code, c.field)
	}
	unknown := handle.Subject[:strings.LastIndexByte(handle.Subject, '.')+1] + "nobody"
	m := h.pull(unknown, part(0, 1))
	h.wantProblem(m, contract.CodeNotFound, "")
	if !bytes.Contains(m.Data, []byte("send the request again")) {
		t.Errorf("the error does not say what to do: %s", m.Data)
	}
	if m := h.pull(handle.Subject, part(handle.Size-1, contract.MaxPart)); string(m.Data) != "}" {
		t.Errorf("the handle is gone after bad requests: %s", m.Data)
	}
}

// TestFullMemory fills the memory with results that nobody reads: further ones are
// refused, and there is room again when one is released.
func TestFullMemory(t *testing.T) {
	t.Parallel()
	const memory = 1 << 20
	h := startHolder(t, host.Config{Memory: 3 * memory}, longService(memory, solver.Cost{}))
	defer h.drain()
	var handles []contract.Handle
	for range 3 {
		handles = append(handles, h.handle(contract.MaxPart, ""))
	}
	h.wantProblem(h.ask(contract.MaxPart, ""), contract.CodeResourceExhausted, "")
	h.pull(handles[1].Subject, `{"release":true}`)
	handles[1] = h.handle(contract.MaxPart, "")
	if l := h.load(); l.Handles != 3 || l.HandleMemory != 3*memory {
		t.Errorf("full again: %+v", l)
	}
	for _, handle := range handles {
		h.pull(handle.Subject, `{"release":true}`)
	}
}

// TestFailingLong shows that a result which cannot be written is an error, and that its
// cause is not sent.
func TestFailingLong(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]solver.Encoded{
		"panics": solver.Appended(contract.MaxPart+1, func([]byte, int, int) []byte { panic("a secret") }),
		"short":  solver.Appended(contract.MaxPart+1, func(dst []byte, _, _ int) []byte { return dst }),
		"small":  solver.Appended(10, func([]byte, int, int) []byte { panic("a secret") }),
	} {
		solve := func(context.Context, EchoRequest) (EchoResult, solver.Long, error) {
			return EchoResult{}, broken{text}, nil
		}
		h := startHolder(t, host.Config{}, solver.Service{
			Name: "echo", Version: "1.0.0",
			Operations: []solver.Operation{solver.BindLong(echo, solve, func(EchoRequest) solver.Cost { return solver.Cost{} })},
		})
		m := h.ask(1, "")
		if name != "small" {
			handle, err := contract.ParseHandle(m.Data)
			if err != nil {
				t.Fatal(err)
			}
			m = h.pull(handle.Subject, part(0, 5))
			h.pull(handle.Subject, `{"release":true}`)
		}
		h.wantProblem(m, contract.CodeInternal, "")
		if bytes.Contains(m.Data, []byte("secret")) {
			t.Errorf("%s: the cause was sent: %s", name, m.Data)
		}
		h.drain()
	}
}

type broken struct{ text solver.Encoded }

func (broken) Memory() int64                  { return 1 }
func (b broken) Encode(string) solver.Encoded { return b.text }

// TestUnwantedResults shows that nothing is held for callers who are not there: one that
// published without a reply subject and one whose time was up.
func TestUnwantedResults(t *testing.T) {
	t.Parallel()
	working, finish := make(chan struct{}), make(chan struct{})
	solve := func(context.Context, EchoRequest) (EchoResult, solver.Long, error) {
		working <- struct{}{}
		<-finish
		return EchoResult{}, digits{contract.MaxPart, 1 << 20}, nil
	}
	h := startHolder(t, host.Config{}, solver.Service{
		Name: "echo", Version: "1.0.0",
		Operations: []solver.Operation{solver.BindLong(echo, solve, func(EchoRequest) solver.Cost { return solver.Cost{Memory: 5} })},
	})
	defer h.drain()
	if err := h.nc.Publish(echo.Subject(), []byte(`{"text":"1"}`)); err != nil {
		t.Fatal(err)
	}
	<-working
	finish <- struct{}{}
	if l := h.idle(); l.Handles != 0 || l.MemoryReserved != 0 {
		t.Errorf("without a reply subject: %+v", l)
	}
	r, err := h.nc.RequestMsg(&nats.Msg{
		Subject: echo.Subject(), Data: []byte(`{"text":"1"}`), Header: nats.Header{contract.HeaderTimeout: {"1ms"}},
	}, patience)
	if err != nil {
		t.Fatal(err)
	}
	h.wantProblem(r, contract.CodeDeadlineExceeded, "")
	select {
	case <-working: // it may have run out of time before it began
		finish <- struct{}{}
	default:
	}
	if l := h.idle(); l.Handles != 0 || l.MemoryReserved != 0 {
		t.Errorf("after the deadline: %+v", l)
	}
}

// TestDrainWithReader drains an instance while somebody reads a result: the reader gets
// all of it, and nobody else gets anything.
func TestDrainWithReader(t *testing.T) {
	t.Parallel()
	const size = 4 * contract.MaxPart
	h := startHolder(t, host.Config{}, longService(1, solver.Cost{}))
	handle := h.handle(size, contract.MediaText)
	got := h.pull(handle.Subject, part(0, contract.MaxPart)).Data
	drained := make(chan error)
	go func() { drained <- h.host.Drain(context.Background()) }()
	for h.host.Ready() == nil {
		// Ready changes before intake stops.
	}
	for offset := int64(contract.MaxPart); offset < size; offset += contract.MaxPart {
		got = append(got, h.pull(handle.Subject, part(offset, contract.MaxPart)).Data...)
	}
	if err := <-drained; err != nil {
		t.Errorf("drain: %v", err)
	}
	if !bytes.Equal(got, digits{size: size}.text(t, contract.MediaText)) {
		t.Error("the parts are not the result")
	}
	if _, err := h.nc.Request(handle.Subject, []byte(part(0, 1)), patience); !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("after the drain: %v, want no responders", err)
	}
}

// TestDrainOutOfTime drains with no time left: the handle is gone at once, and the error
// says so.
func TestDrainOutOfTime(t *testing.T) {
	t.Parallel()
	h := startHolder(t, host.Config{}, longService(1, solver.Cost{}))
	handle := h.handle(contract.MaxPart, "")
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if err := h.host.Drain(over); err == nil || !strings.Contains(err.Error(), "1 large results") {
		t.Errorf("drain: %v; want to hear of the result that was cut off", err)
	}
	if _, err := h.nc.Request(handle.Subject, []byte(part(0, 1)), patience); !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("after the drain: %v, want no responders", err)
	}
}

// TestHandlePermissions runs a service and a caller with no more permissions than they
// need.
func TestHandlePermissions(t *testing.T) {
	t.Parallel()
	allow := func(publish, subscribe []string) *server.Permissions {
		return &server.Permissions{
			Publish:   &server.SubjectPermission{Allow: publish},
			Subscribe: &server.SubjectPermission{Allow: subscribe},
		}
	}
	s, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true, Users: []*server.User{
		{Username: "echo", Password: "x", Permissions: allow(
			[]string{"_INBOX.>", "$SRV.PING.echo"},
			[]string{"heddle.v1.echo.>", "heddle.v1.handle.echo.>", "heddle.v1.cancel.echo", "$SRV.>", "_INBOX.echo.>"})},
		{Username: "caller", Password: "x", Permissions: allow(
			[]string{"heddle.v1.echo.>", "heddle.v1.handle.>", "heddle.v1.cancel.>"},
			[]string{"_INBOX.caller.>"})},
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	defer s.WaitForShutdown()
	defer s.Shutdown()
	refused := make(chan error, 100)
	connect := func(user string) *nats.Conn {
		nc, err := nats.Connect("", nats.InProcessServer(s), nats.UserInfo(user, "x"), nats.CustomInboxPrefix("_INBOX."+user),
			nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		return nc
	}
	service, err := host.Start(t.Context(), connect("echo"), host.Config{}, longService(1, solver.Cost{Light: true}))
	if err != nil {
		t.Fatal(err)
	}
	h := &holder{t: t, host: service, nc: connect("caller")}
	handle := h.handle(contract.MaxPart, contract.MediaJSON)
	if m := h.pull(handle.Subject, part(0, 9)); string(m.Data) != `{"text":"` {
		t.Errorf("first part %q", m.Data)
	}
	h.pull(handle.Subject, `{"release":true}`)
	h.drain()
	for len(refused) > 0 {
		if err := <-refused; !strings.Contains(err.Error(), "JS.API") { // there is no JetStream, so there is no lane
			t.Errorf("refused: %v", err)
		}
	}
}

// TestSmallBroker shows what changes when the broker takes less than the usual payload.
func TestSmallBroker(t *testing.T) {
	t.Parallel()
	s, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true, MaxPayload: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	defer s.WaitForShutdown()
	defer s.Shutdown()
	connect := func() *nats.Conn {
		nc, err := nats.Connect("", nats.InProcessServer(s))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		return nc
	}
	service, err := host.Start(t.Context(), connect(), host.Config{}, longService(1, solver.Cost{Light: true}))
	if err != nil {
		t.Fatal(err)
	}
	h := &holder{t: t, host: service, nc: connect()}
	defer h.drain()
	const largest = 63 << 10
	handle := h.handle(largest+1, contract.MediaText)
	h.wantProblem(h.pull(handle.Subject, part(0, largest+1)), contract.CodeInvalidArgument, "length")
	got := slices.Concat(h.pull(handle.Subject, part(0, largest)).Data, h.pull(handle.Subject, part(largest, largest)).Data)
	if !bytes.Equal(got, digits{size: largest + 1}.text(t, contract.MediaText)) {
		t.Error("the parts are not the result")
	}
}
