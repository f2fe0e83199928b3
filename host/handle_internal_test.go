package host

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
)

// holdText holds a text in a bubble of time.
func holdText(t *testing.T, hs *handles) *held {
	t.Helper()
	var reserved int64
	h, err := hs.hold(strings.NewReader("a large result"), contract.MediaText, "", 1, &reserved)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// pass lets time pass, and what is due at its end happen.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestIdleHandlesExpire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(1 << 20)
		hs := newHandles(m)
		read, unread := holdText(t, hs), holdText(t, hs)
		pass(handleIdle - 1)
		if _, err := hs.find(read.id); err != nil {
			t.Errorf("just before its time: %v", err)
		}
		pass(1)
		if n, _ := hs.count(); n != 1 {
			t.Errorf("%d handles; want the one that was read from", n)
		}
		if _, err := hs.find(unread.id); err == nil {
			t.Error("a handle outlives its time")
		}
		pass(handleIdle)
		if n, bytes := hs.count(); n != 0 || bytes != 0 || m.reserved.Load() != 0 {
			t.Errorf("%d handles with %d bytes, %d reserved; want nothing", n, bytes, m.reserved.Load())
		}
	})
}

func TestLeavingWaitsForReadersOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hs := newHandles(newMemory(1 << 20))
		read := holdText(t, hs)
		holdText(t, hs)
		empty := hs.leave()
		for range 5 {
			pass(leavingIdle - 1)
			if _, err := hs.find(read.id); err != nil {
				t.Errorf("while it is read: %v", err)
			}
		}
		if n, _ := hs.count(); n != 1 {
			t.Errorf("%d handles; want the one that is read", n)
		}
		select {
		case <-empty:
			t.Error("nothing is held, it says, while somebody reads")
		default:
		}
		hs.drop(read.id)
		<-empty
		<-hs.leave() // again, with nothing held
		hs.close()
	})
}

// TestReservation follows the memory of a request into a handle.
func TestReservation(t *testing.T) {
	t.Parallel()
	const budget = 1 << 20
	for name, c := range map[string]struct {
		reserved, needs int64
		left, held      int64 // of the request, of the handle
		code            contract.Code
	}{
		"more than the handle needs": {reserved: 500_000, needs: 200_000, left: 300_000, held: 200_000},
		"just as much":               {reserved: 200_000, needs: 200_000, held: 200_000},
		"less":                       {reserved: 100_000, needs: 200_000, held: 200_000},
		"nothing":                    {needs: 200_000, held: 200_000},
		"next to nothing needed":     {needs: 1, held: leastHeld},
		"all there is":               {needs: budget, held: budget},
		"more than there is":         {needs: budget + 1, code: contract.CodeResultTooLarge},
		"more than is free":          {reserved: budget - 100_000, needs: budget, left: 0, held: budget},
	} {
		m := newMemory(budget)
		if !m.tryReserve(c.reserved) {
			t.Fatal("no memory")
		}
		hs := newHandles(m)
		reserved := c.reserved
		h, err := hs.hold(strings.NewReader("text"), contract.MediaText, "", c.needs, &reserved)
		if c.code != "" {
			if err == nil || contract.FromError(err).Code != c.code {
				t.Errorf("%s: %v, want %s", name, err, c.code)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if total := m.reserved.Load(); reserved != c.left || h.memory != c.held || total != c.left+c.held {
			t.Errorf("%s: %d left, %d held, %d in all; want %d and %d", name, reserved, h.memory, total, c.left, c.held)
		}
		m.release(reserved)
		hs.close()
		if m.reserved.Load() != 0 || !m.tryReserve(budget) {
			t.Errorf("%s: memory is lost", name)
		}
	}
	full := newMemory(budget)
	full.tryReserve(budget - leastHeld)
	var reserved int64
	if _, err := newHandles(full).hold(strings.NewReader("text"), contract.MediaText, "", 2*leastHeld, &reserved); err == nil || contract.FromError(err).Code != contract.CodeResourceExhausted {
		t.Errorf("without room: %v", err)
	}
	if full.reserved.Load() != budget-leastHeld {
		t.Error("a refused result has taken memory")
	}
}

// FuzzPartRequest holds the decoder of part requests to its limits, whatever comes.
func FuzzPartRequest(f *testing.F) {
	for _, seed := range []string{
		`{"offset":0,"length":524288}`, `{"release":true}`, `{"offset":-1,"length":1}`, `{"offset":9223372036854775807,"length":1}`,
		`{"length":1e3}`, `{"length":"1"}`, `{"offset":null,"length":1}`, `{"Offset":0}`, `{"offset":0,"offset":1}`, `[]`, ``, `{`,
	} {
		f.Add([]byte(seed))
	}
	const largest = 100_000
	f.Fuzz(func(t *testing.T, body []byte) {
		var r contract.PartRequest
		err := decodePart(body, largest, &r)
		if err != nil {
			if code := contract.FromError(err).Code; code != contract.CodeMalformedRequest && code != contract.CodeInvalidArgument {
				t.Errorf("%q: %v", body, err)
			}
			return
		}
		if !r.Release && (r.Offset < 0 || r.Length < 1 || r.Length > largest) {
			t.Errorf("%q: %+v", body, r)
		}
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var copied contract.PartRequest
		if err := decodePart(again, largest, &copied); err != nil || copied != r {
			t.Errorf("%q: %+v became %+v, %v", body, r, copied, err)
		}
	})
}
