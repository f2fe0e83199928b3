package batch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/batch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// service answers items as a service would: "7" with "7!", one at a time per message.
type service struct {
	cost time.Duration                     // of an item
	size int                               // of a result; 0 means small
	fail func(items []string) error        // of a message; nil means none
	item func(item string) *contract.Error // of an item; nil means none

	mu       sync.Mutex
	chunks   [][]string // messages in the order of arrival
	now, top int        // items in flight, and how many there have been at most
	flights  int
	peak     int // messages in flight at most
}

func (s *service) send(ctx context.Context, body []byte, n int) (batch.Reply, error) {
	items := strings.Split(strings.TrimSuffix(string(body), "\n"), "\n")
	if len(items) != n {
		return batch.Reply{}, fmt.Errorf("%d items announced, %d sent", n, len(items))
	}
	s.mu.Lock()
	s.chunks = append(s.chunks, items)
	s.now += n
	s.top = max(s.top, s.now)
	s.flights++
	s.peak = max(s.peak, s.flights)
	work := s.cost * time.Duration(n)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.now -= n
		s.flights--
	}()
	select {
	case <-time.After(work):
	case <-ctx.Done():
		return batch.Reply{}, contract.FromError(ctx.Err())
	}
	if s.fail != nil {
		if err := s.fail(items); err != nil {
			return batch.Reply{}, err
		}
	}
	return s.answer(items, work)
}

func (s *service) answer(items []string, work time.Duration) (batch.Reply, error) {
	var out []byte
	for i, item := range items {
		line := contract.BatchLine{Index: i, Result: []byte(strconv.Quote(item + "!" + strings.Repeat("x", s.size)))}
		if s.item != nil {
			if line.Error = s.item(item); line.Error != nil && len(items) == 1 {
				return batch.Reply{}, line.Error
			}
		}
		if len(items) == 1 {
			return batch.Reply{Body: line.Result, Work: work}, nil
		}
		out = line.Append(out)
	}
	return batch.Reply{Body: contract.BatchLine{Done: true}.Append(out), Work: work}, nil
}

// sink keeps what is delivered.
type sink struct {
	lines   []contract.BatchLine
	flushes int
	before  func(contract.BatchLine) error // nil means none
}

func (s *sink) Deliver(l contract.BatchLine) error {
	if s.before != nil {
		if err := s.before(l); err != nil {
			return err
		}
	}
	l.Result = bytes.Clone(l.Result)
	s.lines = append(s.lines, l)
	return nil
}

func (s *sink) Flush() error { s.flushes++; return nil }

// numbers returns the items "0", "1", … up to n.
func numbers(n int) batch.Source {
	return batch.List(n, func(i int) batch.Item { return batch.Item{Body: strconv.AppendInt(nil, int64(i), 10)} })
}

// wantEach checks that each of n items has exactly one outcome: the result of its own
// number modulo the given one, 0 for none.
func (s *sink) wantEach(t *testing.T, n, modulo int) {
	t.Helper()
	seen := make([]bool, n)
	for _, l := range s.lines {
		want := l.Index
		if modulo > 0 {
			want %= modulo
		}
		switch {
		case l.Index >= n || seen[l.Index]:
			t.Fatalf("item %d has a second outcome, or there is none such", l.Index)
		case l.Error != nil || !strings.HasPrefix(string(l.Result), fmt.Sprintf(`"%d!`, want)):
			t.Errorf("item %d: got %.40s, %v", l.Index, l.Result, l.Error)
		}
		seen[l.Index] = true
	}
	if len(s.lines) != n {
		t.Errorf("%d outcomes, want %d", len(s.lines), n)
	}
}

func TestLightItemsTravelTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 20_000
		s, out := service{cost: time.Microsecond}, sink{}
		summary, err := batch.Run(t.Context(), batch.Config{Pure: true}, numbers(n), &out, s.send)
		if err != nil || summary != (batch.Summary{Read: n, OK: n}) {
			t.Errorf("got %+v, %v", summary, err)
		}
		out.wantEach(t, n, 0)
		if len(s.chunks) > 150 {
			t.Errorf("%d messages for %d items", len(s.chunks), n)
		}
		for i := range firstMessages {
			if len(s.chunks[i]) != 1 {
				t.Errorf("message %d has %d items before anything is known", i, len(s.chunks[i]))
			}
		}
		if out.flushes == 0 {
			t.Error("never flushed")
		}
	})
}

// firstMessages are sent before any reply is there.
const firstMessages = 8

func TestHeavyItemsTravelAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out := service{cost: 20 * time.Millisecond}, sink{}
		if _, err := batch.Run(t.Context(), batch.Config{Pure: true}, numbers(300), &out, s.send); err != nil {
			t.Fatal(err)
		}
		out.wantEach(t, 300, 0)
		if len(s.chunks) != 300 {
			t.Errorf("%d messages for 300 heavy items", len(s.chunks))
		}
		if s.peak <= firstMessages {
			t.Errorf("%d messages in flight at most although nobody had to wait", s.peak)
		}
	})
}

func TestChunksShrinkAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out := service{cost: time.Microsecond}, sink{}
		out.before = func(l contract.BatchLine) error {
			if l.Index == 10_000 {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.cost = 10 * time.Millisecond
			}
			return nil
		}
		if _, err := batch.Run(t.Context(), batch.Config{Pure: true, InFlight: 800}, numbers(10_000+2000), &out, s.send); err != nil {
			t.Fatal(err)
		}
		out.wantEach(t, 12_000, 0)
		for _, c := range s.chunks[len(s.chunks)-100:] {
			if len(c) != 1 {
				t.Fatalf("heavy items still travel in chunks of %d", len(c))
			}
		}
	})
}

func TestLargeResultsTravelInSmallChunks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out := service{cost: time.Microsecond, size: 10_000}, sink{}
		if _, err := batch.Run(t.Context(), batch.Config{Pure: true}, numbers(1000), &out, s.send); err != nil {
			t.Fatal(err)
		}
		out.wantEach(t, 1000, 0)
		for _, c := range s.chunks {
			if len(c) > 52 {
				t.Errorf("a chunk of %d items has a reply of %d bytes", len(c), len(c)*10_000)
			}
		}
	})
}

func TestInFlightIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out := service{cost: time.Millisecond}, sink{}
		delivered := 0
		out.before = func(contract.BatchLine) error {
			delivered++
			return nil
		}
		read := 0
		source := batch.List(1000, func(i int) batch.Item {
			if read++; read-delivered > 40 {
				t.Errorf("%d items are read and not delivered, want at most 40", read-delivered)
			}
			return batch.Item{Body: strconv.AppendInt(nil, int64(i), 10)}
		})
		if _, err := batch.Run(t.Context(), batch.Config{Pure: true, InFlight: 40}, source, &out, s.send); err != nil {
			t.Fatal(err)
		}
		out.wantEach(t, 1000, 0)
		if s.top > 40 {
			t.Errorf("%d items in flight, want at most 40", s.top)
		}
	})
}

func TestOrdered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out := service{cost: 10 * time.Millisecond}, sink{}
		s.fail = func(items []string) error { // the even ones take longer
			if n, _ := strconv.Atoi(items[0]); n%2 == 0 {
				<-time.After(15 * time.Millisecond)
			}
			return nil
		}
		if _, err := batch.Run(t.Context(), batch.Config{Pure: true, Ordered: true}, numbers(200), &out, s.send); err != nil {
			t.Fatal(err)
		}
		out.wantEach(t, 200, 0)
		if !slices.IsSortedFunc(out.lines, func(a, b contract.BatchLine) int { return a.Index - b.Index }) {
			t.Error("outcomes are not in order")
		}
	})
}

func TestEqualItemsAreComputedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, cost := range []time.Duration{time.Microsecond, 20 * time.Millisecond} {
			s, out := service{cost: cost}, sink{}
			source := batch.List(5000, func(i int) batch.Item { return batch.Item{Body: strconv.AppendInt(nil, int64(i%37), 10)} })
			if _, err := batch.Run(t.Context(), batch.Config{Pure: true, InFlight: 100}, source, &out, s.send); err != nil {
				t.Fatal(err)
			}
			out.wantEach(t, 5000, 37)
			if n := len(slices.Concat(s.chunks...)); n != 37 {
				t.Errorf("%d items computed, want 37", n)
			}
		}
	})
}

func TestImpureItemsRunOnceEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out := service{cost: time.Microsecond}, sink{}
		refused := contract.Errorf(contract.CodeUnavailable, "gone")
		s.fail = func(items []string) error {
			if items[0] == "7" {
				return refused
			}
			return nil
		}
		source := batch.List(100, func(i int) batch.Item { return batch.Item{Body: strconv.AppendInt(nil, int64(i%50), 10)} })
		summary, err := batch.Run(t.Context(), batch.Config{}, source, &out, s.send)
		if err != nil || summary.OK != 98 || summary.Failed != 2 {
			t.Errorf("got %+v, %v; want 2 failures", summary, err)
		}
		if len(s.chunks) != 100 {
			t.Errorf("%d messages, want one for each item", len(s.chunks))
		}
	})
}

func TestFullServiceIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := contract.Errorf(contract.CodeResourceExhausted, "full")
		full.RetryAfter = time.Second
		for _, pure := range []bool{true, false} {
			s, out := service{cost: 10 * time.Millisecond}, sink{}
			var last time.Time // of a refusal
			s.fail = func([]string) error {
				s.mu.Lock()
				defer s.mu.Unlock()
				if s.flights > 3 {
					last = time.Now()
					return full
				}
				if d := time.Since(last); d < time.Second-10*time.Millisecond && d > 10*time.Millisecond {
					t.Errorf("sent %v after a refusal, want a second", d)
				}
				return nil
			}
			if _, err := batch.Run(t.Context(), batch.Config{Pure: pure}, numbers(200), &out, s.send); err != nil {
				t.Fatal(err)
			}
			out.wantEach(t, 200, 0)
		}
	})
}

func TestPatienceEnds(t *testing.T) {
	// Not more items: the race detector ends the program after some ten thousand timers
	// of one bubble (golang.org/issue/78156).
	synctest.Test(t, func(t *testing.T) {
		for _, code := range []contract.Code{contract.CodeResourceExhausted, contract.CodeUnavailable} {
			s, out := service{}, sink{}
			refusal := contract.Errorf(code, "no")
			refusal.RetryAfter = time.Second
			s.fail = func([]string) error { return refusal }
			started := time.Now()
			summary, err := batch.Run(t.Context(), batch.Config{Pure: true, Patience: 10 * time.Second}, numbers(500), &out, s.send)
			if err != nil || summary.Failed != 500 || !errors.Is(out.lines[0].Error, code) {
				t.Errorf("%s: got %+v, %v", code, summary, err)
			}
			if took := time.Since(started); took > 15*time.Second {
				t.Errorf("%s: gave up after %v", code, took)
			}
		}
	})
}

func TestLostInstanceIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out := service{cost: time.Millisecond}, sink{}
		seen := 0
		s.fail = func([]string) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			if seen++; seen%10 == 0 {
				return contract.Errorf(contract.CodeUnavailable, "shutting down")
			}
			return nil
		}
		if _, err := batch.Run(t.Context(), batch.Config{Pure: true}, numbers(1000), &out, s.send); err != nil {
			t.Fatal(err)
		}
		out.wantEach(t, 1000, 0)
	})
}

func TestChunkThatIsTooLargeIsTakenApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, code := range []contract.Code{contract.CodeResultTooLarge, contract.CodeRequestTooLarge, contract.CodeDeadlineExceeded} {
			s, out := service{cost: time.Microsecond}, sink{}
			s.fail = func(items []string) error {
				if len(items) > 20 {
					return contract.Errorf(code, "send fewer")
				}
				return nil
			}
			if _, err := batch.Run(t.Context(), batch.Config{Pure: true}, numbers(2000), &out, s.send); err != nil {
				t.Fatal(err)
			}
			out.wantEach(t, 2000, 0)
		}
	})
}

func TestBadItemFailsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out := service{cost: time.Microsecond}, sink{}
		s.item = func(item string) *contract.Error {
			if strings.HasSuffix(item, "77") {
				return contract.Invalid("n", "is unlucky")
			}
			return nil
		}
		source := batch.List(1000, func(i int) batch.Item {
			if i == 500 {
				return batch.Item{Fault: contract.Errorf(contract.CodeMalformedRequest, "no request")}
			}
			return batch.Item{Body: strconv.AppendInt(nil, int64(i), 10)}
		})
		summary, err := batch.Run(t.Context(), batch.Config{Pure: true}, source, &out, s.send)
		if err != nil || summary != (batch.Summary{Read: 1000, OK: 989, Failed: 11}) {
			t.Errorf("got %+v, %v; want 11 failures", summary, err)
		}
		for _, l := range out.lines {
			if bad := l.Index%100 == 77 || l.Index == 500; bad != (l.Error != nil) {
				t.Errorf("item %d: got %s, %v", l.Index, l.Result, l.Error)
			}
		}
	})
}

func TestAnswerThatIsNotWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out := service{cost: time.Microsecond}, sink{}
		send := func(ctx context.Context, body []byte, n int) (batch.Reply, error) {
			reply, err := s.send(ctx, body, n)
			if n > 1 {
				reply.Body = append(reply.Body[:len(reply.Body)/2], "…"...)
			}
			return reply, err
		}
		summary, err := batch.Run(t.Context(), batch.Config{Pure: true}, numbers(1000), &out, send)
		if err != nil || summary.OK+summary.Failed != 1000 || summary.Failed < 300 {
			t.Errorf("got %+v, %v; want an error for each item that is missing", summary, err)
		}
	})
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, ordered := range []bool{true, false} {
			ctx, cancel := context.WithCancel(t.Context())
			s, out := service{cost: time.Second}, sink{}
			out.before = func(l contract.BatchLine) error {
				if l.Index == 5 {
					cancel()
				}
				return nil
			}
			summary, err := batch.Run(ctx, batch.Config{Pure: true, Ordered: ordered}, numbers(1000), &out, s.send)
			if !errors.Is(err, context.Canceled) || summary.OK == 0 || summary.Failed == 0 || len(out.lines) != summary.Read {
				t.Errorf("got %+v, %v and %d outcomes", summary, err, len(out.lines))
			}
			for _, l := range out.lines {
				if l.Error != nil && l.Error.Code != contract.CodeCanceled {
					t.Errorf("item %d: got %v, want %s", l.Index, l.Error, contract.CodeCanceled)
				}
			}
		}
	})
}

func TestSinkEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		enough := errors.New("enough")
		s, out := service{cost: time.Second}, sink{}
		out.before = func(contract.BatchLine) error { return enough }
		started := time.Now()
		if _, err := batch.Run(t.Context(), batch.Config{Pure: true}, numbers(1000), &out, s.send); !errors.Is(err, enough) {
			t.Errorf("got %v, want %v", err, enough)
		}
		if took := time.Since(started); took > time.Second || s.flights != 0 {
			t.Errorf("ended after %v with %d messages in flight", took, s.flights)
		}
	})
}

func TestStoppedReaderStopsTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out := service{cost: time.Microsecond}, sink{}
		resume := make(chan struct{})
		out.before = func(l contract.BatchLine) error {
			if len(out.lines) == 3000 {
				<-resume
			}
			return nil
		}
		done := make(chan error)
		go func() {
			_, err := batch.Run(t.Context(), batch.Config{Pure: true, InFlight: 2000}, numbers(100_000), &out, s.send)
			done <- err
		}()
		synctest.Wait()
		<-time.After(time.Hour) // of the test's own clock
		synctest.Wait()
		if n := len(slices.Concat(s.chunks...)); n > 5000 {
			t.Errorf("%d items computed for a reader that stopped at 3000 with 2000 in flight", n)
		}
		close(resume)
		if err := <-done; err != nil {
			t.Error(err)
		}
		out.wantEach(t, 100_000, 0)
	})
}

// TestQueue runs a batch whose items come one after the other: each is answered before
// the next one comes.
func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out := service{cost: time.Microsecond}, sink{}
		var items iter.Seq[batch.Item] = func(yield func(batch.Item) bool) {
			for i := range 3000 {
				if i < 100 {
					<-time.After(time.Second) // of the test's own clock
					synctest.Wait()
					if len(out.lines) != i {
						t.Errorf("%d outcomes after %d items", len(out.lines), i)
					}
				}
				if !yield(batch.Item{Body: strconv.AppendInt(nil, int64(i), 10)}) {
					return
				}
			}
		}
		q := batch.NewQueue(0)
		go q.Fill(t.Context(), items)
		if _, err := batch.Run(t.Context(), batch.Config{Pure: true}, q, &out, s.send); err != nil {
			t.Fatal(err)
		}
		out.wantEach(t, 3000, 0)
	})
}

func TestQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, size := range []int{1, 100_000} {
			ctx, cancel := context.WithCancel(t.Context())
			put := 0
			q := batch.NewQueue(0)
			done := make(chan struct{})
			go func() {
				defer close(done)
				q.Fill(ctx, func(yield func(batch.Item) bool) {
					for yield(batch.Item{Body: make([]byte, size)}) {
						put++
					}
				})
			}()
			synctest.Wait()
			if put > 1500 || put*size > 2<<20 {
				t.Errorf("%d items of %d bytes wait", put, size)
			}
			cancel()
			<-done
		}
	})
}
