package jobs

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/ndjson"
)

// BatchSubmission is a batch of requests of one operation that is to be done as one job.
type BatchSubmission struct {
	// Tenant is whose job it is; empty means [contract.DefaultTenant].
	Tenant string
	// Endpoint is the operation.
	Endpoint contract.Descriptor
	// Items are the requests, at least one. What is wrong with one of them becomes its
	// outcome, when its turn comes.
	Items   ndjson.Items
	Options contract.JobOptions
	// Trace are the headers of the trace that the job belongs to, if there is one.
	Trace nats.Header
}

// SubmitBatch stores a batch as one job and returns its document. All of it is stored, or
// nothing. With a key, a batch that was submitted before is the job of then, as for
// [Store.Submit], whose errors it returns too.
func (s *Store) SubmitBatch(ctx context.Context, b BatchSubmission) (doc contract.Job, isNew bool, err error) {
	switch n := b.Items.Len(); {
	case n == 0:
		return doc, false, contract.Errorf(contract.CodeMalformedRequest, "the batch is empty; send one request on each line")
	case n > contract.MaxBatchJobItems:
		return doc, false, TooManyItems()
	}
	if err := checkOptions(b.Options); err != nil {
		return doc, false, err
	}
	text := arrayOf(b.Items)
	if len(text) > contract.MaxBatchJobBody {
		return doc, false, contract.Errorf(contract.CodeRequestTooLarge, "the batch has %d bytes; at most %d are taken", len(text), contract.MaxBatchJobBody)
	}
	b.Options.Items = b.Items.Len()
	job := Submission{Tenant: b.Tenant, Endpoint: b.Endpoint, Body: text, Options: b.Options, Trace: b.Trace}
	return s.submit(ctx, job, func(ref contract.JobRef) ([]byte, error) { return s.placeBatch(ctx, ref, text) })
}

// TooManyItems is the one answer to a batch of too many requests.
func TooManyItems() error {
	return contract.Errorf(contract.CodeRequestTooLarge, "the batch has more than %d requests; send it in several parts", contract.MaxBatchJobItems)
}

// checkOptions refuses what only the maker of a message may say.
func checkOptions(o contract.JobOptions) error {
	switch {
	case o.Items != 0:
		return contract.Invalid(contract.HeaderItems, "cannot be set; a batch is counted when it is stored")
	case o.Gathered != "":
		return contract.Invalid(contract.HeaderGathered, "cannot be set; name the operation in %s when you submit the batch", contract.HeaderThen)
	default:
		return nil
	}
}

// arrayOf returns requests as a JSON array. One that is no JSON becomes a string of its
// text, which is no request either.
func arrayOf(items ndjson.Items) []byte {
	size := 2
	for i := range items.Len() {
		size += len(items.At(i)) + 1
	}
	text := bytes.NewBuffer(make([]byte, 0, size)) // at once, since it may be large
	for i := range items.Len() {
		text.WriteByte("[,"[min(i, 1)])
		item := items.At(i)
		if !json.Valid(item) {
			item, _ = json.Marshal(string(item)) // a string always marshals
		}
		text.Write(item)
	}
	text.WriteByte(']')
	return text.Bytes()
}

// upload tells where the requests of a batch lie that is too large for a message. It is
// the body of the message, an object in place of the array.
type upload struct {
	// Token names the parts: they have the subjects of a job with this token, of the
	// attempt 0. It is not that of the job, since two submissions with one key might
	// otherwise mix their parts.
	Token string `json:"upload"`
	Parts int    `json:"parts"`
	Size  int64  `json:"size"`
	// Digest is that of all bytes.
	Digest string `json:"digest"`
	// Payload tells batches apart, as for other requests.
	Payload string `json:"payload"`
}

// uploadOf returns where the requests of a batch lie, nil if they are in the message.
func uploadOf(header func(string) string, body []byte) *upload {
	if header(contract.HeaderItems) == "" || len(body) == 0 || body[0] != '{' {
		return nil
	}
	u := new(upload)
	if err := json.Unmarshal(body, u); err != nil {
		return nil // the array is looked for then, and missed
	}
	return u
}

// payloadOf returns the digest that tells the request of a message apart.
func payloadOf(m *nats.Msg) string {
	if u := uploadOf(m.Header.Get, m.Data); u != nil {
		return u.Payload
	}
	return payloadDigest(m.Data)
}

// ref names the parts of the upload.
func (u *upload) ref(job contract.JobRef) contract.JobRef {
	job.Token = u.Token
	return job
}

// placeBatch returns the body of the message for a batch. What is too large for one is
// stored in parts before.
func (s *Store) placeBatch(ctx context.Context, ref contract.JobRef, text []byte) ([]byte, error) {
	room := s.nc.MaxPayload() - contract.HeaderRoom
	if int64(len(text)) <= min(maxInline, room/4) {
		return text, nil
	}
	u := &upload{
		Token: strings.ToLower(rand.Text()[:tokenLength]), Size: int64(len(text)),
		Digest: contract.FormatDigest(sha256.Sum256(text)), Payload: payloadDigest(text),
	}
	storing, storeCtx := errgroup.WithContext(ctx)
	storing.SetLimit(partsInFlight)
	size := int(min(partSize, room))
	for from := 0; from < len(text); from += size {
		m := &nats.Msg{Subject: u.ref(ref).PartSubject(0, u.Parts), Data: text[from:min(from+size, len(text))]}
		u.Parts++
		storing.Go(func() error {
			_, _, err := s.store(storeCtx, m)
			if isNoResponders(err) {
				if err = s.Prepare(storeCtx); err == nil {
					_, _, err = s.store(storeCtx, m)
				}
			}
			return err
		})
	}
	if err := storing.Wait(); err != nil {
		s.dropUpload(context.WithoutCancel(ctx), ref, u)
		return nil, unavailable(fmt.Errorf("store batch: %w", err))
	}
	return json.Marshal(u)
}

// readUpload reads the requests of a batch.
func (s *Store) readUpload(ctx context.Context, ref contract.JobRef, u *upload) ([]byte, error) {
	text := make([]byte, 0, min(max(u.Size, 0), contract.MaxBatchJobBody))
	for n := range u.Parts {
		m, err := s.direct(ctx, "KV_"+contract.ResultBucket, u.ref(ref).PartSubject(0, n))
		switch {
		case err != nil:
			return nil, unavailable(err)
		case m == nil || len(text)+len(m.Data) > contract.MaxBatchJobBody:
			return nil, contract.Errorf(contract.CodeGone, "the requests of the batch %s are not there any more; submit it again", ref.ID())
		}
		text = append(text, m.Data...)
	}
	if contract.FormatDigest(sha256.Sum256(text)) != u.Digest {
		return nil, contract.Errorf(contract.CodeGone, "the requests of the batch %s are not those that were submitted; submit it again", ref.ID())
	}
	return text, nil
}

// keepUpload gives the requests of a batch the time to live, 0 for no limit.
func (s *Store) keepUpload(ctx context.Context, ref contract.JobRef, u *upload, ttl time.Duration) error {
	for n := range u.Parts {
		subject := u.ref(ref).PartSubject(0, n)
		m, err := s.direct(ctx, "KV_"+contract.ResultBucket, subject)
		if err != nil {
			return unavailable(err)
		}
		if m == nil {
			return contract.Errorf(contract.CodeConflict, "the requests of the batch %s are not there any more; submit it again", ref.ID())
		}
		again := &nats.Msg{Subject: subject, Data: m.Data}
		if ttl > 0 {
			again.Header = nats.Header{jetstream.MsgTTLHeader: {ttl.Round(time.Second).String()}}
		}
		if _, _, err := s.store(ctx, again); err != nil {
			return unavailable(err)
		}
	}
	return nil
}

// dropUpload gives up the requests of a batch, as key-value buckets do it. What cannot be
// given up now is in nobody's way.
func (s *Store) dropUpload(ctx context.Context, ref contract.JobRef, u *upload) {
	for n := range u.Parts {
		_, _, err := s.store(ctx, &nats.Msg{Subject: u.ref(ref).PartSubject(0, n), Header: nats.Header{
			"KV-Operation": {"PURGE"}, jetstream.MsgRollup: {jetstream.MsgRollupSubject}, jetstream.MsgTTLHeader: {"1s"},
		}})
		if err != nil {
			s.cfg.Log.WarnContext(ctx, "give up the requests of a batch", "job", ref.ID(), "error", err)
			return
		}
	}
}

// settle does what remains to be done when a job has ended, and what whoever comes across
// the ended job does again, in case it was not: it hands the results of a batch on, and
// sees that the requests of one are kept no longer than its record.
func (s *Store) settle(ctx context.Context, ref contract.JobRef, r *record) error {
	if r.Items == nil || !r.State.Terminal() {
		return nil
	}
	if r.State == contract.JobSucceeded && r.Then != "" {
		if err := s.follow(ctx, ref, r); err != nil {
			return err
		}
	}
	switch {
	case r.Upload == nil:
	case r.State == contract.JobSucceeded:
		s.dropUpload(ctx, ref, r.Upload)
	default:
		if err := s.keepUpload(ctx, ref, r.Upload, r.retention()+recordKept); err != nil && !errors.Is(err, contract.CodeConflict) {
			return err
		}
	}
	return nil
}

// Requests returns the requests of the batch that the job is, as a JSON array.
func (a *Attempt) Requests(ctx context.Context) ([]byte, error) {
	if u := uploadOf(a.message.Header.Get, a.message.Data); u != nil {
		return a.runner.store.readUpload(ctx, a.ref, u)
	}
	return bytes.Clone(a.message.Data), nil
}

// RequestSize returns the number of bytes of [Attempt.Requests].
func (a *Attempt) RequestSize() int64 {
	if u := uploadOf(a.message.Header.Get, a.message.Data); u != nil {
		return u.Size
	}
	return int64(len(a.message.Data))
}
