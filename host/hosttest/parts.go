package hosttest

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
)

func examples(t *testing.T, s Suite) {
	service := s.Service()
	b := start(t, service, host.Config{})
	for _, op := range service.Operations {
		for _, x := range op.Endpoint.Examples {
			request, err := json.Marshal(x.Request)
			if err != nil {
				t.Fatal(err)
			}
			want, err := json.Marshal(x.Result)
			if err != nil {
				t.Fatal(err)
			}
			b.example(op.Endpoint, string(request), contract.MediaJSON, string(want))
			if lines, ok := x.Result.(contract.Lines); ok {
				b.example(op.Endpoint, string(request), contract.MediaNDJSON, string(lines.AppendLines(nil)))
			}
			if plain, ok := x.Result.(contract.Plain); ok {
				b.example(op.Endpoint, string(request), contract.MediaText, string(plain.AppendPlain(nil)))
			}
		}
	}
}

// example sends a request and compares the result, also without an Accept header if that
// asks for the same media type.
func (b *bench) example(e contract.Descriptor, request, media, want string) {
	b.t.Helper()
	headers := [][]string{{contract.HeaderAccept, media}}
	if media == e.Media()[0] {
		headers = append(headers, nil)
	}
	for _, header := range headers {
		r := b.send(e, request, header...)
		b.wantResult(r)
		contentType := r.Header.Get(contract.HeaderContentType)
		if contentType == "" {
			contentType = contract.MediaJSON
		}
		if string(r.Data) != want || contentType != media {
			b.t.Errorf("%s %s = %s %s, want %s %s", e.Name(), request, contentType, r.Data, media, want)
		}
	}
}

func discovered(t *testing.T, s Suite) {
	service := s.Service()
	b := start(t, service, host.Config{})
	var info micro.Info
	b.discover(micro.InfoVerb, service.Name, &info)
	if info.Name != service.Name || info.Version != service.Version || info.Type != micro.InfoResponseType {
		t.Errorf("info is %+v, want service %s %s", info, service.Name, service.Version)
	}
	if want := 2 * len(service.Operations); len(info.Endpoints) != want {
		t.Fatalf("info lists %d endpoints, want %d: one for requests and one for chunks of each operation", len(info.Endpoints), want)
	}
	for i, op := range service.Operations {
		e := info.Endpoints[i]
		if e.Subject != op.Endpoint.Subject() || e.QueueGroup != service.Name {
			t.Errorf("endpoint is %+v, want subject %s in group %s", e, op.Endpoint.Subject(), service.Name)
		}
		if e := info.Endpoints[len(service.Operations)+i]; e.Subject != op.Endpoint.BatchSubject() || e.QueueGroup != service.Name || e.Name != contract.BatchName(op.Endpoint.Operation) {
			t.Errorf("endpoint is %+v, want subject %s in group %s", e, op.Endpoint.BatchSubject(), service.Name)
		}
		for _, key := range []string{"request_schema", "result_schema"} {
			if !json.Valid([]byte(e.Metadata[key])) {
				t.Errorf("%s: metadata %s is not JSON: %q", op.Endpoint.Name(), key, e.Metadata[key])
			}
		}
	}
	var ping micro.Ping
	b.discover(micro.PingVerb, service.Name, &ping)
	if ping.ID != info.ID || ping.Metadata == nil {
		t.Errorf("ping is %+v, want the identity of info %+v", ping, info.ServiceIdentity)
	}
}

// discover asks the service for one of ADR-32's answers.
func (b *bench) discover(verb micro.Verb, name string, answer any) {
	b.t.Helper()
	subject, err := micro.ControlSubject(verb, name, "")
	if err != nil {
		b.t.Fatal(err)
	}
	m, err := b.caller.Request(subject, nil, patience)
	if err == nil {
		err = json.Unmarshal(m.Data, answer)
	}
	if err != nil {
		b.t.Fatalf("%s: %v", subject, err)
	}
}

func refusals(t *testing.T, s Suite) {
	service := s.Service()
	b := start(t, service, host.Config{})
	for _, op := range service.Operations {
		valid := s.body(t, op.Endpoint)
		large := valid + strings.Repeat(" ", op.Endpoint.MaxRequest)
		for body, code := range map[string]contract.Code{
			"":                          contract.CodeMalformedRequest,
			"nonsense":                  contract.CodeMalformedRequest,
			"[]":                        contract.CodeMalformedRequest,
			"7":                         contract.CodeMalformedRequest,
			`{"`:                        contract.CodeMalformedRequest,
			valid + "{}":                contract.CodeMalformedRequest,
			`[NaN]`:                     contract.CodeMalformedRequest,
			"{\"\xff\":1}":              contract.CodeMalformedRequest,
			`{"no_such_member_ever":1}`: contract.CodeInvalidArgument,
			`{}`:                        contract.CodeInvalidArgument,
			`null`:                      contract.CodeInvalidArgument,
			large:                       contract.CodeRequestTooLarge,
		} {
			b.want(b.send(op.Endpoint, body), code)
		}
		b.want(b.send(op.Endpoint, valid, contract.HeaderTimeout, "soon"), contract.CodeInvalidArgument)
	}
}

func negotiation(t *testing.T, s Suite) {
	service := stand(s.Service(), 0, func(context.Context) error { return nil })
	b := start(t, service, host.Config{})
	for _, op := range service.Operations {
		body := s.body(t, op.Endpoint)
		b.want(b.send(op.Endpoint, body, contract.HeaderAccept, "image/png"), contract.CodeNotAcceptable)
		b.wantResult(b.send(op.Endpoint, body, contract.HeaderAccept, "image/png, */*;q=0.1"))
		text := b.send(op.Endpoint, body, contract.HeaderAccept, contract.MediaText)
		switch {
		case !op.Endpoint.HasPlain():
			b.want(text, contract.CodeNotAcceptable)
		case text.Header.Get(contract.HeaderContentType) != contract.MediaText:
			t.Errorf("%s: content type %q, want %s", op.Endpoint.Name(), text.Header.Get(contract.HeaderContentType), contract.MediaText)
		}
	}
}

func panics(t *testing.T, s Suite) {
	calls := 0
	service := stand(s.Service(), 0, func(context.Context) error {
		if calls++; calls == 1 {
			panic("a secret")
		}
		return nil
	})
	b := start(t, service, host.Config{Slots: 1})
	op := service.Operations[0]
	body := s.body(t, op.Endpoint)
	r := b.send(op.Endpoint, body)
	b.want(r, contract.CodeInternal)
	if strings.Contains(string(r.Data), "secret") || r.problem.Reference == "" {
		t.Errorf("error reply is %s; want a reference and not the cause", r.Data)
	}
	b.wantResult(b.send(op.Endpoint, body))
}

func timeouts(t *testing.T, s Suite) {
	release := make(chan struct{})
	blind := func(context.Context) error { <-release; return nil }
	service := stand(s.Service(), 0, blind)
	b := start(t, service, host.Config{Slots: 1})
	defer close(release) // before the host drains
	for _, op := range service.Operations {
		// The first request takes the slot and never looks at its context; the others
		// run out of time while they wait. All are answered.
		for range 3 {
			b.want(b.send(op.Endpoint, s.body(t, op.Endpoint), contract.HeaderTimeout, "10ms"), contract.CodeDeadlineExceeded)
		}
	}
}

func slots(t *testing.T, s Suite) {
	const slots, queue = 3, 2
	running, release := make(chan struct{}), make(chan struct{})
	service := stand(s.Service(), 0, func(context.Context) error {
		running <- struct{}{}
		<-release
		return nil
	})
	b := start(t, service, host.Config{Slots: slots, Queue: queue})
	op := service.Operations[0].Endpoint
	body := s.body(t, op)
	var callers sync.WaitGroup
	for range slots + queue {
		callers.Go(func() {
			r, err := b.trySend(op, body)
			if err != nil {
				t.Errorf("request lost: %v", err)
				return
			}
			b.wantResult(r)
		})
	}
	for range slots {
		<-running // all slots at once, or this hangs
	}
	for b.waiting(service.Name) < queue {
		// Each look is a round trip, so this waits without sleeping.
	}
	b.want(b.send(op, body), contract.CodeResourceExhausted)
	close(release)
	for range queue {
		<-running
	}
	callers.Wait()
}

// load returns what the instance says about its slots.
func (b *bench) load(name string) (l host.Load) {
	b.t.Helper()
	var stats micro.Stats
	b.discover(micro.StatsVerb, name, &stats)
	if err := json.Unmarshal(stats.Endpoints[0].Data, &l); err != nil {
		b.t.Fatalf("load: %v", err)
	}
	return l
}

// waiting returns how many requests have no slot yet, in the lane or in the instance.
func (b *bench) waiting(name string) int64 {
	l := b.load(name)
	return l.Waiting + int64(l.LaneDepth)
}

func memory(t *testing.T, s Suite) {
	const budget = 100
	service := stand(s.Service(), budget+1, func(context.Context) error { return nil })
	b := start(t, service, host.Config{Memory: budget})
	op := service.Operations[0].Endpoint
	b.want(b.send(op, s.body(t, op)), contract.CodeInvalidArgument)

	entered, release := make(chan struct{}), make(chan struct{})
	service = stand(s.Service(), budget, func(context.Context) error {
		entered <- struct{}{}
		<-release
		return nil
	})
	b = start(t, service, host.Config{Memory: budget, Slots: 2})
	var callers sync.WaitGroup
	for range 2 {
		callers.Go(func() {
			if r, err := b.trySend(op, s.body(t, op)); err != nil || r.problem != nil {
				t.Errorf("got %v, %v; want a result", r.problem, err)
			}
		})
	}
	<-entered
	for b.load(service.Name).Busy < 2 {
		// As in slots: the second request has its slot and waits for memory.
	}
	if l := b.load(service.Name); l.MemoryReserved != budget {
		t.Errorf("%d bytes reserved, want %d", l.MemoryReserved, budget)
	}
	release <- struct{}{}
	<-entered
	release <- struct{}{}
	callers.Wait()
}

func drains(t *testing.T, s Suite) {
	running, release := make(chan struct{}), make(chan struct{})
	service := stand(s.Service(), 0, func(context.Context) error {
		running <- struct{}{}
		<-release
		return nil
	})
	b := start(t, service, host.Config{Slots: 1})
	op := service.Operations[0].Endpoint
	body := s.body(t, op)
	h := b.host
	var callers sync.WaitGroup
	for range 2 { // one runs, one waits
		callers.Go(func() {
			r, err := b.trySend(op, body)
			if err != nil {
				t.Errorf("request lost: %v", err)
				return
			}
			b.wantResult(r)
		})
	}
	<-running
	for b.waiting(service.Name) < 1 {
		// As in slots.
	}
	drained := make(chan error)
	go func() { drained <- b.drain(context.Background()) }()
	for h.Ready() == nil {
		// Ready changes before intake stops.
	}
	release <- struct{}{}
	<-running
	release <- struct{}{}
	if err := <-drained; err != nil {
		t.Errorf("drain: %v", err)
	}
	callers.Wait()
	if _, err := b.trySend(op, body); !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("after the drain: %v, want no responders", err)
	}
}

func cancels(t *testing.T, s Suite) {
	running := make(chan struct{})
	service := stand(s.Service(), 0, func(ctx context.Context) error {
		close(running)
		<-ctx.Done()
		return ctx.Err()
	})
	b := start(t, service, host.Config{Slots: 1})
	op := service.Operations[0].Endpoint
	body := s.body(t, op)
	var callers sync.WaitGroup
	callers.Go(func() {
		r, err := b.trySend(op, body)
		if err != nil {
			t.Errorf("request lost: %v", err)
			return
		}
		b.want(r, contract.CodeUnavailable)
	})
	<-running
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if err := b.drain(over); err == nil {
		t.Error("drain with no time left returned nil; want an error that counts what was cut off")
	}
	callers.Wait()
}

func statistics(t *testing.T, s Suite) {
	fault := contract.Errorf(contract.CodeUpstream, "the stand-in failed")
	results, failures := 5, 3
	calls := 0
	service := stand(s.Service(), 0, func(context.Context) error {
		if calls++; calls <= failures {
			return fault
		}
		return nil
	})
	service.Operations = service.Operations[:1]
	b := start(t, service, host.Config{Slots: 1})
	op := service.Operations[0].Endpoint
	for range results + failures {
		b.send(op, s.body(t, op))
	}
	b.send(op, "nonsense")
	var stats micro.Stats
	b.discover(micro.StatsVerb, service.Name, &stats)
	got := stats.Endpoints[0]
	if got.NumRequests != results+failures+1 || got.NumErrors != failures+1 {
		t.Errorf("%d requests with %d errors, want %d with %d", got.NumRequests, got.NumErrors, results+failures+1, failures+1)
	}
	if !strings.HasPrefix(got.LastError, string(contract.CodeMalformedRequest)) || got.ProcessingTime <= 0 {
		t.Errorf("last error %q, processing time %v", got.LastError, got.ProcessingTime)
	}
}
