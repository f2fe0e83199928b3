package jobs

import (
	"context"
	"maps"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
)

// refuseAgain is how long a message waits that is no job and whose end could not be stored.
const refuseAgain = time.Minute

// refuse ends the job of a message that no release of ours writes, so that whoever did
// learns of it.
func (r *Runner) refuse(ctx context.Context, m *nats.Msg, why error) {
	r.cfg.Log.ErrorContext(ctx, "message of the work stream is no job", "subject", m.Subject, "error", why)
	meta, err := m.Metadata()
	if err != nil {
		return // it comes from no stream
	}
	ref, _, ok := contract.ParseWorkSubject(m.Subject)
	if !ok { // the stream has no such subjects
		r.publish(m.Reply, nakAfter(refuseAgain))
		return
	}
	// As it is when it is read from the stream.
	read := &nats.Msg{Subject: m.Subject, Data: m.Data, Header: make(nats.Header)}
	maps.Copy(read.Header, m.Header)
	read.Header["Nats-Sequence"] = []string{strconv.FormatUint(meta.Sequence.Stream, 10)}
	read.Header["Nats-Time-Stamp"] = []string{meta.Timestamp.Format(time.RFC3339Nano)}
	f := found{ref: ref, message: read}
	ended := false
	if f.record, err = r.store.readRecord(ctx, ref); err == nil {
		if ended = f.record.State.Terminal(); !ended {
			ended, err = r.store.fail(ctx, f, refused(m.Subject))
		}
	}
	if !ended {
		r.cfg.Log.WarnContext(ctx, "end a job that is none", "subject", m.Subject, "error", err)
		r.publish(m.Reply, nakAfter(refuseAgain))
		return
	}
	r.publish(m.Reply, ack)
}
