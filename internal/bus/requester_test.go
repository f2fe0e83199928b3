package bus_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/internal/bus"
)

// long is a timeout that no test reaches.
const long = time.Minute

// newRequester returns a requester that is closed when the test ends.
func newRequester(t testing.TB, nc *nats.Conn) *bus.Requester {
	t.Helper()
	r, err := bus.NewRequester(nc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// subscribe subscribes and returns when the broker knows.
func subscribe(t testing.TB, nc *nats.Conn, subject string, f nats.MsgHandler) {
	t.Helper()
	if _, err := nc.Subscribe(subject, f); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
}

// respond returns a handler that sends the messages as replies.
func respond(replies ...*nats.Msg) nats.MsgHandler {
	return func(m *nats.Msg) {
		for _, reply := range replies {
			_ = m.RespondMsg(reply) // a lost reply fails the test that waits for it
		}
	}
}

func echo(m *nats.Msg) { _ = m.RespondMsg(&nats.Msg{Data: m.Data, Header: m.Header}) }

// wantCode checks the code of an error and that it is one of the contract.
func wantCode(t *testing.T, err error, code contract.Code) *contract.Error {
	t.Helper()
	e, ok := errors.AsType[*contract.Error](err)
	if !ok || e.Code != code {
		t.Fatalf("error = %v, want %s", err, code)
	}
	return e
}

func wantUnavailable(t *testing.T, err error) {
	t.Helper()
	if e := wantCode(t, err, contract.CodeUnavailable); e.RetryAfter != time.Second {
		t.Errorf("retry after = %v, want 1s", e.RetryAfter)
	}
}

func TestDo(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t)
	service, r := brokertest.Connect(t, b), newRequester(t, brokertest.Connect(t, b))
	subscribe(t, service, "echo", echo)
	subscribe(t, service, "twice", respond(&nats.Msg{Data: []byte("first")}, &nats.Msg{Data: []byte("second")}))
	failed := &nats.Msg{
		Header: nats.Header{contract.HeaderError: {"no"}, contract.HeaderErrorCode: {"422"}},
		Data:   []byte(`{"code":"invalid_argument"}`),
	}
	subscribe(t, service, "failed", respond(failed))
	subscribe(t, service, "empty", respond(&nats.Msg{}))

	for name, test := range map[string]struct{ request, want *nats.Msg }{
		"body and header": {
			&nats.Msg{Subject: "echo", Data: []byte("weft"), Header: nats.Header{"Accept": {"text/plain"}}},
			&nats.Msg{Data: []byte("weft"), Header: nats.Header{"Accept": {"text/plain"}}},
		},
		"first of two replies": {&nats.Msg{Subject: "twice"}, &nats.Msg{Data: []byte("first")}},
		"error reply":          {&nats.Msg{Subject: "failed"}, failed},
		"empty reply":          {&nats.Msg{Subject: "empty"}, &nats.Msg{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reply, err := r.Do(t.Context(), test.request, long)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(reply.Data, test.want.Data) || fmt.Sprint(reply.Header) != fmt.Sprint(test.want.Header) {
				t.Errorf("reply = %q %v, want %q %v", reply.Data, reply.Header, test.want.Data, test.want.Header)
			}
			if reply.Subject != test.request.Reply {
				t.Errorf("reply came to %q, request says %q", reply.Subject, test.request.Reply)
			}
		})
	}
}

func TestDoFails(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t)
	service, r := brokertest.Connect(t, b), newRequester(t, brokertest.Connect(t, b))
	subscribe(t, service, "silent", func(*nats.Msg) {})

	for name, test := range map[string]struct {
		request *nats.Msg
		timeout time.Duration
		want    contract.Code
	}{
		"timeout":          {&nats.Msg{Subject: "silent"}, time.Millisecond, contract.CodeDeadlineExceeded},
		"no time":          {&nats.Msg{Subject: "silent"}, 0, contract.CodeDeadlineExceeded},
		"no responders":    {&nats.Msg{Subject: "nobody"}, long, contract.CodeUnavailable},
		"too large":        {&nats.Msg{Subject: "silent", Data: make([]byte, 1<<20+1)}, long, contract.CodeRequestTooLarge},
		"subject is empty": {&nats.Msg{}, long, contract.CodeInternal},
	} {
		_, err := r.Do(t.Context(), test.request, test.timeout)
		e := wantCode(t, err, test.want)
		if (e.RetryAfter > 0) != (test.want == contract.CodeUnavailable) {
			t.Errorf("%s: retry after = %v", name, e.RetryAfter)
		}
	}

	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := r.Do(canceled, &nats.Msg{Subject: "silent"}, long)
	_ = wantCode(t, err, contract.CodeCanceled)
	ending, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err = r.Do(ending, &nats.Msg{Subject: "silent"}, long)
	_ = wantCode(t, err, contract.CodeDeadlineExceeded)
}

func TestDoCanceledWhileWaiting(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	subscribe(t, brokertest.Connect(t, b), "silent", func(*nats.Msg) { cancel() })
	_, err := newRequester(t, brokertest.Connect(t, b)).Do(ctx, &nats.Msg{Subject: "silent"}, long)
	_ = wantCode(t, err, contract.CodeCanceled)
}

func TestCloseEndsWaiting(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*bus.Requester, *nats.Conn){
		"requester":  func(r *bus.Requester, _ *nats.Conn) { r.Close() },
		"connection": func(_ *bus.Requester, nc *nats.Conn) { nc.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const calls = 64
			b := brokertest.Start(t)
			nc := brokertest.Connect(t, b)
			r := newRequester(t, nc)
			arrived := make(chan struct{}, calls)
			subscribe(t, brokertest.Connect(t, b), "silent", func(*nats.Msg) { arrived <- struct{}{} })
			errs := make(chan error, calls)
			for range calls {
				go func() {
					_, err := r.Do(t.Context(), &nats.Msg{Subject: "silent"}, long)
					errs <- err
				}()
			}
			for range calls {
				<-arrived
			}
			end(r, nc)
			for range calls {
				wantUnavailable(t, <-errs)
			}
			_, err := r.Do(t.Context(), &nats.Msg{Subject: "silent"}, long)
			wantUnavailable(t, err)
			r.Close() // does nothing the second time
		})
	}
}

func TestNewRequesterOnClosedConnection(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	nc.Close()
	if _, err := bus.NewRequester(nc); !errors.Is(err, nats.ErrConnectionClosed) {
		t.Errorf("error = %v, want connection closed", err)
	}
}

func TestDoAcrossReconnect(t *testing.T) {
	t.Parallel()
	there := &place{}
	first := listen(t)
	there.put(first)
	dial := func() (nc *nats.Conn, log *lines) {
		log = newLines()
		nc, err := bus.Connect(t.Context(), "tester", bus.Options{}, log.log(), nats.SetCustomDialer(there))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		return nc, log
	}
	service, serviceLog := dial()
	caller, callerLog := dial()
	r := newRequester(t, caller)
	requests := make(chan *nats.Msg, 1)
	subscribe(t, service, "slow", func(m *nats.Msg) { requests <- m })
	type outcome struct {
		reply *nats.Msg
		err   error
	}
	done := make(chan outcome)
	go func() {
		reply, err := r.Do(t.Context(), &nats.Msg{Subject: "slow"}, long)
		done <- outcome{reply, err}
	}()
	request := <-requests

	first.Shutdown()
	there.put(nil)
	callerLog.await("lost the broker, reconnecting")
	_, err := r.Do(t.Context(), &nats.Msg{Subject: "slow"}, long)
	wantUnavailable(t, err)

	there.put(listen(t))
	callerLog.await("reconnected to the broker")
	serviceLog.await("reconnected to the broker")
	if err := caller.Flush(); err != nil { // the broker knows the inbox again
		t.Fatal(err)
	}
	if err := request.Respond([]byte("at last")); err != nil {
		t.Fatal(err)
	}
	if got := <-done; got.err != nil || string(got.reply.Data) != "at last" {
		t.Errorf("outcome = %v, want the reply from before the break", got)
	}
}

// behaviours are the ways in which the service of TestEveryDoReturnsItsOwnReply treats
// a request, by the first byte of its body.
const (
	replyNow     = 'n'
	replyTwice   = '2'
	replySwapped = 's' // two requests, the second is answered first
	replyNever   = '0' // the caller has a short timeout
	replyLate    = 'l' // after the caller has left
	replyRacing  = 'r' // at the moment the caller leaves
	nobody       = 'x' // there is no service
)

// TestEveryDoReturnsItsOwnReply sends requests of every behaviour, many at a time, and
// checks that each call ends once, as its behaviour demands, with its own reply.
func TestEveryDoReturnsItsOwnReply(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t)
	service, r := brokertest.Connect(t, b), newRequester(t, brokertest.Connect(t, b))
	var cancels sync.Map // from the body of a request to what makes its caller leave
	subscribe(t, service, "behave", behave(&cancels))

	behaviours := []byte{replyNow, replyTwice, replySwapped, replyNever, replyLate, replyRacing, nobody}
	rapid.Check(t, func(rt *rapid.T) {
		var bodies []string
		for i, behaviour := range rapid.SliceOfN(rapid.SampledFrom(behaviours), 1, 64).Draw(rt, "plan") {
			bodies = append(bodies, fmt.Sprintf("%c%d", behaviour, i))
			if behaviour == replySwapped {
				bodies = append(bodies, fmt.Sprintf("%c%d'", behaviour, i))
			}
		}
		faults := make(chan string, len(bodies))
		for _, body := range bodies {
			go func() { faults <- checkCall(t.Context(), r, &cancels, body) }()
		}
		for range bodies {
			if fault := <-faults; fault != "" {
				rt.Error(fault)
			}
		}
	})
}

// behave returns the service: it treats each request as the first byte of its body says.
func behave(cancels *sync.Map) nats.MsgHandler {
	var held *nats.Msg
	leave := func(m *nats.Msg) {
		cancel, _ := cancels.Load(string(m.Data))
		cancel.(context.CancelFunc)()
	}
	return func(m *nats.Msg) {
		switch m.Data[0] {
		case replyNow:
			echo(m)
		case replyTwice:
			echo(m)
			echo(m)
		case replySwapped:
			if held == nil {
				held = m
				return
			}
			echo(m)
			echo(held)
			held = nil
		case replyLate:
			leave(m)
			echo(m)
		case replyRacing:
			echo(m)
			leave(m)
		}
	}
}

// checkCall makes one call and says in what way its end is not what the first byte of
// the body demands, or "".
func checkCall(ctx context.Context, r *bus.Requester, cancels *sync.Map, body string) string {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cancels.Store(body, cancel)
	subject, timeout := "behave", long
	var want error
	switch body[0] {
	case nobody:
		subject, want = "nobody", contract.CodeUnavailable
	case replyNever:
		timeout, want = time.Millisecond, contract.CodeDeadlineExceeded
	}
	reply, err := r.Do(ctx, &nats.Msg{Subject: subject, Data: []byte(body)}, timeout)
	if err == nil && string(reply.Data) != body {
		return fmt.Sprintf("%s: got the reply %q of another call", body, reply.Data)
	}
	mayLeave := body[0] == replyLate || body[0] == replyRacing
	if mayLeave && errors.Is(err, contract.CodeCanceled) {
		return ""
	}
	if !errors.Is(err, want) {
		return fmt.Sprintf("%s: error = %v, want %v", body, err, want)
	}
	return ""
}

// TestCancelReachesTheService gives up a request and looks at what the service hears.
func TestCancelReachesTheService(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t)
	nc := brokertest.Connect(t, b)
	r := newRequester(t, brokertest.Connect(t, b))
	subject := contract.Subject("sqrt", "root")
	came, heard := make(chan string, 1), make(chan []byte, 1)
	subscribe(t, nc, subject, func(m *nats.Msg) { came <- m.Reply })
	subscribe(t, nc, contract.CancelSubject("sqrt"), func(m *nats.Msg) { heard <- m.Data })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := r.Do(ctx, &nats.Msg{Subject: subject}, long)
		done <- err
	}()
	reply := <-came
	cancel()
	_ = wantCode(t, <-done, contract.CodeCanceled)
	if got, want := string(<-heard), `{"reply":"`+reply+`"}`; got != want {
		t.Errorf("the service hears %s, want %s", got, want)
	}
	if err := (contract.Cancel{Reply: reply}).Validate(); err != nil {
		t.Errorf("a service would refuse it: %v", err)
	}
}
