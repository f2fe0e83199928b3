package jobs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
)

// Lines are the outcomes of a batch that is being done as a job. They are stored as they
// come: whole parts at once, and what there is of the last part a few times a second. What
// is stored is not done again if the instance stops, and can be read while the job runs.
// It is used by one goroutine at a time.
type Lines struct {
	attempt *Attempt
	ttl     string // of parts

	// Guarded by the attempt's lock, like what it has of the record.
	tail   []byte // of the text, behind the parts that are whole
	parts  int    // whole ones, which are stored
	size   int64  // of the text
	sum    hash.Hash
	items  contract.JobItems
	inPart bool // something was stored in parts
	dirty  bool // there is more than the record says
}

// storedLines tell where the lines of a batch are that has not ended.
type storedLines struct {
	Attempt int   `json:"attempt"` // that stored them
	Parts   int   `json:"parts"`
	Size    int64 `json:"size"`
	Part    int64 `json:"part"` // size of all parts but the last, which may have grown since
}

// OpenLines begins the lines of a batch of so many requests with those that attempts before
// this one have stored, and calls known for each of them.
func (a *Attempt) OpenLines(ctx context.Context, total int, known func(contract.BatchLine)) (*Lines, error) {
	l := &Lines{
		attempt: a, sum: sha256.New(), items: contract.JobItems{Total: total},
		ttl: (a.options.RunLimit + a.options.Retention + recordKept).Round(time.Second).String(),
	}
	a.writing.Lock()
	before := a.record.Lines
	a.writing.Unlock()
	if before != nil {
		text, err := a.runner.store.readLines(ctx, a.ref, before)
		if err != nil && !errors.Is(err, contract.CodeGone) { // gone, they are done again
			return nil, err
		}
		for line := range bytes.Lines(text) {
			outcome, err := contract.ParseBatchLine(bytes.TrimSuffix(line, []byte("\n")))
			if err != nil {
				return nil, fmt.Errorf("read lines of batch %s: %w", a.ref.ID(), err)
			}
			known(outcome)
			if err := l.Append(ctx, outcome); err != nil {
				return nil, err
			}
		}
	}
	a.writing.Lock()
	defer a.writing.Unlock()
	a.lines = l
	return l, nil
}

// readLines reads the lines that were stored so far.
func (s *Store) readLines(ctx context.Context, ref contract.JobRef, l *storedLines) ([]byte, error) {
	var text bytes.Buffer
	r := &Stored{JobResult: contract.JobResult{Size: l.Size, Parts: l.Parts}, store: s, ref: ref, attempt: l.Attempt, part: l.Part, grows: true}
	err := r.WriteRange(ctx, &text, 0, l.Size)
	return text.Bytes(), err
}

// Append adds an outcome. It blocks while a part is being stored, and as long as that fails
// for the broker's sake; it returns an error when ctx ends.
func (l *Lines) Append(ctx context.Context, outcome contract.BatchLine) error {
	l.attempt.writing.Lock()
	defer l.attempt.writing.Unlock()
	if outcome.Error != nil {
		l.items.Failed++
	} else {
		l.items.OK++
	}
	return l.write(ctx, outcome)
}

// write adds a line. The lock is held.
func (l *Lines) write(ctx context.Context, line contract.BatchLine) error {
	before := len(l.tail)
	l.tail = line.Append(l.tail)
	_, _ = l.sum.Write(l.tail[before:]) // a hash never fails
	l.size += int64(len(l.tail) - before)
	l.dirty = true
	for size := l.attempt.runner.part; len(l.tail) >= size; {
		if err := l.put(ctx, l.tail[:size]); err != nil {
			return err
		}
		l.parts++
		l.tail = append(l.tail[:0:0], l.tail[size:]...)
	}
	return nil
}

// put stores the part behind the whole ones. The lock is held.
func (l *Lines) put(ctx context.Context, data []byte) error {
	a := l.attempt
	if a.record.revision == 0 {
		// Parts belong to an attempt, so first the record says which one it is.
		if err := a.commit(ctx, 0); err != nil {
			return err
		}
	}
	l.inPart = true
	m := &nats.Msg{Subject: a.ref.PartSubject(a.record.Attempt, l.parts), Data: data, Header: nats.Header{jetstream.MsgTTLHeader: {l.ttl}}}
	for pause := writePause; ; pause = min(2*pause, maxWritePause) {
		_, _, err := a.runner.store.store(ctx, m)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-a.runner.closed:
			return unavailable(fmt.Errorf("store lines of batch %s: %w", a.ref.ID(), err))
		case <-time.After(pause/2 + rand.N(pause/2)):
		}
	}
}

// keep stores what there is and notes it in the record, which is written after that. The
// lock is held.
func (l *Lines) keep(ctx context.Context) error {
	if !l.dirty {
		return nil
	}
	parts := l.parts
	if len(l.tail) > 0 {
		if err := l.put(ctx, l.tail); err != nil {
			return err
		}
		parts++
	}
	l.dirty = false
	l.attempt.record.Lines = &storedLines{Attempt: l.attempt.record.Attempt, Parts: parts, Size: l.size, Part: int64(l.attempt.runner.part)}
	l.count()
	return nil
}

// count notes in the record how far the batch has come.
func (l *Lines) count() {
	items := l.items
	l.attempt.record.Items = &items
	l.attempt.record.Progress = &contract.Progress{Done: int64(items.OK + items.Failed), Total: int64(items.Total), Unit: "requests"}
}

// SucceedLines ends the job with the lines and a last one that counts them.
func (a *Attempt) SucceedLines(ctx context.Context, l *Lines) {
	doc, err := l.finish(ctx)
	if err != nil {
		a.Fail(ctx, err)
		return
	}
	a.succeed(ctx, doc)
}

// finish adds the last line and returns the description of the result.
func (l *Lines) finish(ctx context.Context) (*contract.JobResult, error) {
	a := l.attempt
	a.writing.Lock()
	defer a.writing.Unlock()
	if err := l.write(ctx, contract.BatchLine{Done: true, OK: l.items.OK, Failed: l.items.Failed}); err != nil {
		return nil, err
	}
	doc := &contract.JobResult{ContentType: contract.MediaNDJSON, Size: l.size, Digest: contract.FormatDigest([sha256.Size]byte(l.sum.Sum(nil)))}
	if !l.inPart && l.size <= a.runner.inline {
		doc.Text = string(l.tail)
	} else {
		doc.Parts = l.parts
		if len(l.tail) > 0 {
			if err := l.put(ctx, l.tail); err != nil {
				return nil, err
			}
			doc.Parts++
		}
	}
	l.dirty = false
	l.count()
	return doc, nil
}

// Lines returns the outcomes of a batch that there are so far, and whether there may be
// more. Those that were returned once stay where they are.
//
// It returns a [*contract.Error]: [contract.CodeNotFound]; [contract.CodeConflict] if the
// job is no batch; [contract.CodeGone] if the lines have expired.
func (s *Store) Lines(ctx context.Context, ref contract.JobRef) (lines *Stored, more bool, err error) {
	f, err := s.find(ctx, ref)
	if err != nil {
		return nil, false, err
	}
	job := f.job()
	switch {
	case job.Items == nil:
		return nil, false, contract.Errorf(contract.CodeConflict, "the job %s is no batch; its result comes as a whole", job.ID)
	case job.State == contract.JobSucceeded:
		lines, err = s.Result(ctx, ref)
		return lines, false, err
	}
	lines = &Stored{JobResult: contract.JobResult{ContentType: contract.MediaNDJSON}, store: s, ref: ref, grows: true}
	if l := f.record.Lines; l != nil {
		lines.Size, lines.Parts = l.Size, l.Parts
		lines.attempt, lines.part = l.Attempt, l.Part
	}
	return lines, !job.State.Terminal(), nil
}
