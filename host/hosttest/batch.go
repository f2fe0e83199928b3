package hosttest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/solver"
)

// sendChunk sends a chunk and returns its lines, of which the last one says that there
// are no more.
func (b *bench) sendChunk(e contract.Descriptor, body string, headers ...string) []contract.BatchLine {
	b.t.Helper()
	m := nats.NewMsg(e.BatchSubject())
	m.Data = []byte(body)
	for i := 0; i < len(headers); i += 2 {
		m.Header.Set(headers[i], headers[i+1])
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	answer, err := b.caller.RequestMsgWithContext(ctx, m)
	if err != nil {
		b.t.Fatalf("%s: no reply to a chunk: %v", e.Name(), err)
	}
	b.wantIdentity(reply{Msg: answer})
	if got := answer.Header.Get(contract.HeaderContentType); got != contract.MediaNDJSON {
		b.t.Fatalf("%s: the reply to a chunk has content type %q: %s", e.Name(), got, clip(string(answer.Data)))
	}
	var lines []contract.BatchLine
	for line := range bytes.Lines(answer.Data) {
		l, err := contract.ParseBatchLine(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			b.t.Fatalf("%s: %v", e.Name(), err)
		}
		if want := len(lines); !l.Done && l.Index != want {
			b.t.Fatalf("%s: line %d has index %d", e.Name(), want, l.Index)
		}
		lines = append(lines, l)
	}
	if n := len(lines); n == 0 || !lines[n-1].Done || lines[n-1].OK+lines[n-1].Failed != n-1 {
		b.t.Fatalf("%s: the reply to a chunk is not whole: %s", e.Name(), clip(string(answer.Data)))
	}
	return lines
}

func chunks(t *testing.T, s Suite) {
	service := s.Service()
	b := start(t, service, host.Config{})
	for _, op := range service.Operations {
		const bad = `{"no_such_member_ever":1}`
		requests, want := []string{bad, "nonsense"}, []string{"", ""}
		for _, x := range op.Endpoint.Examples {
			request, err := json.Marshal(x.Request)
			if err != nil {
				t.Fatal(err)
			}
			result, err := json.Marshal(x.Result)
			if err != nil {
				t.Fatal(err)
			}
			requests, want = append(requests, string(request), bad), append(want, string(result), "")
		}
		lines := b.sendChunk(op.Endpoint, strings.Join(requests, "\n"))
		for i, l := range lines[:len(lines)-1] {
			switch {
			case want[i] == "" && l.Error == nil:
				t.Errorf("%s %s: got the result %s, want an error", op.Endpoint.Name(), requests[i], clip(string(l.Result)))
			case want[i] != "" && string(l.Result) != want[i]:
				t.Errorf("%s %s = %s, %v; want %s", op.Endpoint.Name(), requests[i], l.Result, l.Error, want[i])
			}
		}
		if len(lines) != len(requests)+1 {
			t.Errorf("%s: %d lines for %d requests", op.Endpoint.Name(), len(lines), len(requests))
		}
		b.sendChunk(op.Endpoint, "["+bad+",\n"+bad+"]")
	}
}

// chunkSlots sends a chunk that is too long to be light, and needs one slot for it.
func chunkSlots(t *testing.T, s Suite) {
	const requests = 100
	var running, most atomic.Int64
	service := stand(s.Service(), 0, func(context.Context) error {
		most.Store(max(most.Load(), running.Add(1)))
		defer running.Add(-1)
		return nil
	})
	for i := range service.Operations {
		service.Operations[i].Estimate = func(any) solver.Cost { return solver.Cost{Light: true, Memory: 10} }
	}
	b := start(t, service, host.Config{Slots: 2, Memory: 10})
	op := service.Operations[0].Endpoint
	lines := b.sendChunk(op, strings.Repeat(s.body(t, op)+"\n", requests), contract.HeaderContentType, contract.MediaNDJSON)
	if done := lines[len(lines)-1]; done.OK != requests || most.Load() != 1 {
		t.Errorf("%d of %d requests have a result, and %d ran at once; want all, one after the other", done.OK, requests, most.Load())
	}
}

// cancellations cancels a request that runs and one that waits for its slot.
func cancellations(t *testing.T, s Suite) {
	running, ended := make(chan struct{}), make(chan struct{})
	service := stand(s.Service(), 0, func(ctx context.Context) error {
		running <- struct{}{}
		<-ctx.Done()
		ended <- struct{}{}
		return ctx.Err()
	})
	b := start(t, service, host.Config{Slots: 1})
	op := service.Operations[0].Endpoint
	inbox := b.caller.NewInbox()
	replies, err := b.caller.SubscribeSync(inbox + ".*")
	if err != nil {
		t.Fatal(err)
	}
	request := func(reply string) {
		t.Helper()
		if err := b.caller.PublishRequest(op.Subject(), reply, []byte(s.body(t, op))); err != nil {
			t.Fatal(err)
		}
	}
	cancel := func(reply string) {
		t.Helper()
		if err := b.caller.Publish(contract.CancelSubject(service.Name), []byte(`{"reply":"`+reply+`"}`)); err != nil {
			t.Fatal(err)
		}
	}
	request(inbox + ".1")
	<-running
	request(inbox + ".2")
	for b.waiting(service.Name) < 1 {
		// As in slots.
	}
	cancel("_INBOX.>") // refused: it would be everybody's
	cancel(inbox + ".2")
	cancel(inbox + ".1")
	<-ended
	for range 2 {
		m, err := replies.NextMsg(patience)
		if err != nil {
			t.Fatalf("a cancelled request is not answered: %v", err)
		}
		problem := new(contract.Error)
		if err := json.Unmarshal(m.Data, problem); err != nil || !errors.Is(problem, contract.CodeCanceled) {
			t.Errorf("a cancelled request is answered %s, want %s", clip(string(m.Data)), contract.CodeCanceled)
		}
	}
}
