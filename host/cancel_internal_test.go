package host

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
)

const inbox = "_INBOX.Xqf7pVvWf0qzYxU1n4Nd2B"

func TestCancelsWhatIsHere(t *testing.T) {
	t.Parallel()
	for cancel, want := range map[string][]bool{
		inbox + ".1": {true, false, true}, // a caller may use a subject twice
		inbox + ".>": {true, true, true},
		inbox + ".9": {false, false, false},
	} {
		var k cancels
		var all []context.Context
		for _, reply := range []string{".1", ".2", ".1"} {
			ctx, leave := k.join(t.Context(), inbox+reply)
			defer leave()
			all = append(all, ctx)
		}
		k.hear(contract.Cancel{Reply: cancel}, time.Now())
		for i, ctx := range all {
			if got := errors.Is(context.Cause(ctx), errCanceled); got != want[i] {
				t.Errorf("%s: request %d cancelled: %t, want %t", cancel, i, got, want[i])
			}
		}
	}
}

func TestCancelsWhatComesLater(t *testing.T) {
	t.Parallel()
	var k cancels
	now := time.Now()
	k.hear(contract.Cancel{Reply: inbox + ".1"}, now)
	for _, c := range []struct {
		reply string
		after time.Duration
		want  bool
	}{{inbox + ".1", 0, true}, {inbox + ".2", 0, false}, {inbox + ".1", remembered, true}, {inbox + ".1", remembered + 1, false}} {
		if got := k.late(c.reply, now.Add(c.after)); got != c.want {
			t.Errorf("%s after %v is cancelled: %t, want %t", c.reply, c.after, got, c.want)
		}
	}
}

func TestCancelsAreBounded(t *testing.T) {
	t.Parallel()
	var k cancels
	now := time.Now()
	for i := range 2 * maxRemembered {
		k.hear(contract.Cancel{Reply: fmt.Sprintf("%s.%d", inbox, i)}, now)
	}
	if n := len(k.unheard); n != maxRemembered {
		t.Errorf("%d cancellations kept, want %d", n, maxRemembered)
	}
	if k.late(inbox+".0", now) || !k.late(fmt.Sprintf("%s.%d", inbox, 2*maxRemembered-1), now) {
		t.Error("the oldest ones are to be forgotten first")
	}
	_, leave := k.join(t.Context(), inbox+".x")
	leave()
	if len(k.joined) != 0 {
		t.Error("a request that has left is still known")
	}
}
