package host_test

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/solver"
)

// patience bounds what must happen; nothing waits that long unless it fails.
const patience = 20 * time.Second

// TestDrainUnderLoadConcurrentSafe drains one of two instances while callers keep
// sending: every request is answered, by its own result, and executed once.
func TestDrainUnderLoadConcurrentSafe(t *testing.T) {
	t.Parallel()
	const callers, each = 16, 100
	var executed atomic.Int64
	half := make(chan struct{})
	solve := func(_ context.Context, r EchoRequest) (EchoResult, error) {
		if executed.Add(1) == callers*each/2 {
			close(half)
		}
		runtime.Gosched()
		return EchoResult{Text: r.Text}, nil
	}
	estimate := func(r EchoRequest) solver.Cost { return solver.Cost{Light: r.Text.Digits()%2 == 0} }
	mixed := solver.Service{
		Name: "echo", Version: "1.0.0",
		Operations: []solver.Operation{solver.BindEstimated(echo, solve, estimate)},
	}
	b := brokertest.Start(t)
	leaver, err := host.Start(t.Context(), brokertest.Connect(t, b), host.Config{Slots: 2}, mixed)
	if err != nil {
		t.Fatal(err)
	}
	stayer, err := host.Start(t.Context(), brokertest.Connect(t, b), host.Config{Slots: 2}, mixed)
	if err != nil {
		t.Fatal(err)
	}
	caller := brokertest.Connect(t, b)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for j := range each {
				n := fmt.Sprint(i*each + j)
				var got EchoResult
				if err := request(caller, `{"text":"`+n+`"}`, &got); err != nil || string(got.Text) != n {
					t.Errorf("request %s: got %v, %v", n, got, err)
				}
			}
		})
	}
	<-half
	if err := leaver.Drain(t.Context()); err != nil {
		t.Errorf("drain under load: %v", err)
	}
	wg.Wait()
	if n := executed.Load(); n != callers*each {
		t.Errorf("%d requests executed, want %d", n, callers*each)
	}
	if err := stayer.Drain(t.Context()); err != nil {
		t.Errorf("drain: %v", err)
	}
}

// request sends a body to the echo and decodes its result.
func request(nc *nats.Conn, body string, result any) error {
	m, err := nc.Request(echo.Subject(), []byte(body), patience)
	if err != nil {
		return err
	}
	if code := m.Header.Get(contract.HeaderErrorCode); code != "" {
		return fmt.Errorf("error reply %s: %s", code, m.Data)
	}
	return json.Unmarshal(m.Data, result)
}

// TestDrainWithoutConnection shows that a lost broker does not keep an instance from
// stopping.
func TestDrainWithoutConnection(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	h, err := host.Start(t.Context(), nc, host.Config{}, service(say, solver.Cost{}))
	if err != nil {
		t.Fatal(err)
	}
	nc.Close()
	if h.Ready() == nil {
		t.Error("an instance without a connection says it is ready")
	}
	if err := h.Drain(t.Context()); err != nil {
		t.Errorf("drain: %v", err)
	}
}

func TestStartRefuses(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	misplaced := service(say, solver.Cost{})
	misplaced.Name = "other"
	twice := service(say, solver.Cost{})
	twice.Operations = append(twice.Operations, twice.Operations[0])
	for name, s := range map[string]solver.Service{"empty": {}, "misplaced": misplaced, "twice": twice} {
		if _, err := host.Start(t.Context(), nc, host.Config{}, s); err == nil {
			t.Errorf("%s service: started; want an error", name)
		}
	}
	if n := nc.NumSubscriptions(); n != 0 {
		t.Errorf("%d subscriptions left behind", n)
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	closed := 0
	s := service(say, solver.Cost{})
	s.Close = func() { closed++ }
	h, err := host.Start(t.Context(), brokertest.Connect(t, brokertest.Start(t)), host.Config{}, s)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Drain(t.Context()); err != nil || closed != 1 {
		t.Errorf("closed %d times, %v; want once", closed, err)
	}
}
