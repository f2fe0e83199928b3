package jobs

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/seed-649d3d38/heddle/contract"
)

const (
	// maxInline is the size in bytes of the largest result that is kept in the record.
	maxInline = 256 << 10

	// partSize is the size in bytes of all parts of a result but the last.
	partSize = 512 << 10

	// partsInFlight is the number of parts that are being stored at once.
	partsInFlight = 8
)

// Result is the outcome of an attempt that succeeded: a text that is written out as it is
// read.
type Result interface {
	io.ReaderAt
	Size() int64
}

// Succeed ends the job with its result in the media type. A result that cannot be stored
// fails the attempt.
func (a *Attempt) Succeed(ctx context.Context, media string, result Result) {
	doc, err := a.keepResult(ctx, media, result)
	if err != nil {
		a.Fail(ctx, err)
		return
	}
	a.succeed(ctx, doc)
}

// succeed ends the job with the result that is described.
func (a *Attempt) succeed(ctx context.Context, doc *contract.JobResult) {
	a.end(ctx, func() outcome {
		now := time.Now().UTC().Truncate(time.Microsecond)
		a.record.State, a.record.Finished = contract.JobSucceeded, now
		doc.Expires = now.Add(a.options.Retention)
		a.record.Result, a.record.Lines = doc, nil
		if p := a.record.Progress; p != nil && p.Total > 0 {
			whole := *p
			whole.Done = whole.Total
			a.record.Progress = &whole
		}
		return outcome{ttl: a.options.Retention + recordKept}
	})
}

// keepResult makes the description of the result, which holds it if it is small. A larger
// one is stored in parts before the job has ended.
func (a *Attempt) keepResult(ctx context.Context, media string, result Result) (*contract.JobResult, error) {
	doc := &contract.JobResult{ContentType: media, Size: result.Size()}
	if doc.Size > a.runner.inline {
		return doc, a.storeParts(ctx, doc, result)
	}
	text := make([]byte, doc.Size)
	if _, err := result.ReadAt(text, 0); err != nil && err != io.EOF { //nolint:errorlint // an io.ReaderAt returns it bare
		return nil, fmt.Errorf("write out result: %w", err)
	}
	doc.Digest = contract.FormatDigest(sha256.Sum256(text))
	if media == contract.MediaJSON {
		doc.Value = text
	} else {
		doc.Text = string(text)
	}
	return doc, nil
}

// storeParts stores a result in parts, several at once, and completes its description.
// The parts belong to the attempt, so first the record says which one it is.
func (a *Attempt) storeParts(ctx context.Context, doc *contract.JobResult, result Result) error {
	a.announce(context.WithoutCancel(ctx))
	sum := sha256.New()
	storing, storeCtx := errgroup.WithContext(ctx)
	storing.SetLimit(partsInFlight)
	ttl := (a.options.Retention + recordKept).Round(time.Second).String()
	size := int64(a.runner.part)
	for offset := int64(0); offset < doc.Size && storeCtx.Err() == nil; offset += size {
		text := make([]byte, min(size, doc.Size-offset))
		if err := readPart(result, text, offset, sum); err != nil {
			return err
		}
		m := &nats.Msg{Subject: a.ref.PartSubject(a.record.Attempt, doc.Parts), Data: text, Header: nats.Header{
			jetstream.MsgTTLHeader: {ttl},
		}}
		doc.Parts++
		storing.Go(func() error {
			_, _, err := a.runner.store.store(storeCtx, m)
			return err
		})
	}
	if err := storing.Wait(); err != nil {
		return unavailable(fmt.Errorf("store result: %w", err))
	}
	doc.Digest = contract.FormatDigest([sha256.Size]byte(sum.Sum(nil)))
	return nil
}

// readPart fills text from the offset on and adds it to the digest.
func readPart(result Result, text []byte, offset int64, sum hash.Hash) error {
	if n, err := result.ReadAt(text, offset); n < len(text) {
		return fmt.Errorf("write out result: %w", err)
	}
	_, err := sum.Write(text) // a hash never fails
	return err
}
