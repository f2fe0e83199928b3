package jobs

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
)

const (
	// writePause and maxWritePause are the shortest and the longest wait before a record
	// is read again that could not be; the wait doubles in between.
	writePause    = 50 * time.Millisecond
	maxWritePause = 2 * time.Second

	// firstBackoff and maxBackoff are the mean waits before the second attempt and
	// before the last ones; the wait doubles in between.
	firstBackoff = time.Second
	maxBackoff   = 10 * time.Minute
)

// commit writes the record of the attempt. It returns [ErrLost] if the job is another
// instance's and [ErrCanceled] if it has ended, and otherwise does not give up before the
// runner ends: that a write failed says nothing of the job, since its confirmation may be
// what was lost, or the broker for a moment. The lock of the attempt is held.
func (a *Attempt) commit(ctx context.Context, ttl time.Duration) error {
	pause := writePause
	for {
		err := a.runner.store.write(ctx, a.ref, a.record, ttl)
		if err == nil {
			return nil
		}
		now, err := a.runner.store.readRecord(ctx, a.ref)
		if err == nil {
			if v := a.compare(now); v != ours {
				return v.err()
			}
			if now.revision == a.record.revision {
				// The write did not land, for a reason that may last.
				err = fmt.Errorf("record of job %s was not written", a.ref.ID())
			}
			a.record.revision = now.revision
		}
		if err != nil {
			select {
			case <-a.runner.closed:
				return fmt.Errorf("%w: %w", ErrLost, err)
			case <-time.After(pause/2 + rand.N(pause/2)):
				pause = min(2*pause, maxWritePause)
			}
		}
	}
}

// verdict says whose a job is, by its record.
type verdict int

const (
	ours    verdict = iota // this attempt may write the record
	theirs                 // another attempt is going on
	over                   // it has ended
	waiting                // it is queued for later
)

func (v verdict) err() error {
	switch v {
	case theirs:
		return ErrLost
	case over:
		return ErrCanceled
	default:
		return nil
	}
}

// compare decides by the record that is stored now. The order of deliveries is that of
// the sequences of their messages, and then of their numbers: what is later is right. An
// attempt that is before what the record says has ended in other eyes, be it that the job
// was canceled and then retried while its work was still coming to its end.
func (a *Attempt) compare(now *record) verdict {
	switch {
	case now.State == "":
		return ours
	case now.State.Terminal():
		return over
	case a.message.Header.Get(contract.HeaderRevision) == strconv.FormatUint(now.revision, 10):
		return ours // it was queued for this record
	case now.Work > a.sequence, now.Work == a.sequence && now.Delivery > a.delivery:
		return theirs
	default: // ours, or of one that was before and does not know it
		return ours
	}
}

// CanPass reports whether what failed with the error may succeed another time.
func CanPass(err error) bool { return canPass(contract.FromError(err).Code) }

// canPass reports whether an attempt that failed with the code may succeed another time.
func canPass(code contract.Code) bool {
	switch code {
	case contract.CodeUnavailable, contract.CodeUpstream, contract.CodeResourceExhausted, contract.CodeInternal:
		return true
	default:
		return false
	}
}

// Backoff returns how long to wait after so many attempts: longer every time, and never
// the same for all that failed at once.
func Backoff(attempts int) time.Duration {
	mean := maxBackoff
	if shift := attempts - 1; shift < 10 {
		mean = min(firstBackoff<<shift, maxBackoff)
	}
	return mean/2 + rand.N(mean)
}

// Acknowledgements of JetStream.
const (
	ack        = "+ACK"
	nak        = "-NAK"
	inProgress = "+WPI"
)

// nakAfter returns the acknowledgement that has a message delivered again after a while.
func nakAfter(delay time.Duration) string {
	if delay <= 0 {
		return nak
	}
	return nak + ` {"delay":` + strconv.FormatInt(int64(delay), 10) + `}`
}
