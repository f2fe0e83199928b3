package jobs

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"maps"
	"reflect"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/strict"
)

// Submission is a job to be done.
type Submission struct {
	// Tenant is whose job it is, a name that [contract.CheckTenant] accepts; empty means
	// [contract.DefaultTenant]. The tenants of a service take turns with its slots.
	Tenant string
	// Endpoint is the operation.
	Endpoint contract.Descriptor
	// Body is the request.
	Body    []byte
	Options contract.JobOptions
	// Trace are the headers of the trace that the job belongs to, if there is one.
	Trace nats.Header

	schedule string // the id of the schedule that made it, if one did
}

// Submit stores a job and returns its document. With a key, a submission that was made
// before returns the job of then, whatever has become of it, and says that it is not new.
//
// It returns a [*contract.Error]: what is wrong with the request, if it is not valid;
// [contract.CodeInvalidArgument] if the key was used for another request, [contract.CodeResourceExhausted] if too many jobs are queued,
// [contract.CodeRequestTooLarge], [contract.CodeUnavailable] if the broker could not store
// the job or did not say so in time. A submission with a key may then be sent again.
func (s *Store) Submit(ctx context.Context, job Submission) (doc contract.Job, isNew bool, err error) {
	if err := checkOptions(job.Options); err != nil {
		return doc, false, err
	}
	if job.Options.Then != "" {
		return doc, false, contract.Invalid(contract.HeaderThen, "is for batches; the results of a single job go to nobody")
	}
	if err := validate(job.Endpoint, job.Body); err != nil {
		return doc, false, err
	}
	return s.submit(ctx, job, func(contract.JobRef) ([]byte, error) { return job.Body, nil })
}

// submit stores a job whose request is the body, as the message that place makes of it.
func (s *Store) submit(ctx context.Context, job Submission, place func(contract.JobRef) ([]byte, error)) (doc contract.Job, isNew bool, err error) {
	ref := contract.JobRef{Tenant: job.Tenant, Service: job.Endpoint.Service, Operation: job.Endpoint.Operation}
	if ref.Tenant == "" {
		ref.Tenant = contract.DefaultTenant
	}
	if err := contract.CheckTenant(ref.Tenant); err != nil {
		return doc, false, err
	}
	payload := payloadDigest(job.Body)
	ref.Token = strings.ToLower(rand.Text()[:tokenLength])
	if job.Options.Key != "" {
		ref.Token = keyToken(ref, job.Options.Key)
		if doc, err = s.repeated(ctx, ref, payload); !errors.Is(err, contract.CodeNotFound) {
			return doc, false, err
		}
	}
	if job.Body, err = place(ref); err != nil {
		return doc, false, err
	}
	doc, again, err := s.queue(ctx, ref, job)
	if again && job.Options.Key != "" { // somebody else was faster by a moment
		doc, err = s.repeated(ctx, ref, payload)
	}
	return doc, err == nil && !again, err
}

// validate checks the request of a job as the service will, so that most of what is wrong
// with it is said at once.
func validate(d contract.Descriptor, body []byte) error {
	if len(body) > d.MaxRequest {
		return contract.Errorf(contract.CodeRequestTooLarge, "the request has %d bytes; at most %d are taken", len(body), d.MaxRequest)
	}
	request := reflect.New(d.Request)
	if err := strict.Decode(body, request.Interface()); err != nil {
		return err
	}
	return request.Elem().Interface().(contract.Request).Validate()
}

// tokenLength is the number of characters of a token, five bits each: enough that nobody
// guesses one.
const tokenLength = 20

// keyToken returns the token of the job with an idempotency key: the same for the same key
// of the same tenant and operation.
func keyToken(ref contract.JobRef, key string) string { return macToken(ref, "\x00"+key) }

// macToken returns a token for what a text says about the tenant and the operation. The
// first byte of the text says what kind of thing it is about.
func macToken(ref contract.JobRef, text string) string {
	mac := hmac.New(sha256.New, []byte(ref.Tenant))
	_, _ = mac.Write([]byte(ref.Service + "." + ref.Operation + text)) // a hash never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(mac.Sum(nil))[:tokenLength])
}

// repeated returns the job that was submitted with a key before, if its request was the
// same.
func (s *Store) repeated(ctx context.Context, ref contract.JobRef, payload string) (contract.Job, error) {
	f, err := s.find(ctx, ref)
	if err != nil {
		return contract.Job{}, err
	}
	if f.payload() != payload {
		return contract.Job{}, contract.Invalid(contract.HeaderKey, "was used for another request to %s.%s; use a new key", ref.Service, ref.Operation)
	}
	return f.job(), nil
}

// queue puts the job into the work stream, which it makes if it is not there. It reports
// whether the job was there already.
func (s *Store) queue(ctx context.Context, ref contract.JobRef, job Submission) (doc contract.Job, again bool, err error) {
	class := job.Options.WithDefaults().Class
	m := &nats.Msg{Subject: ref.WorkSubject(class), Data: job.Body, Header: make(nats.Header, 4)}
	maps.Copy(m.Header, job.Trace)
	job.Options.Headers(func(header, value string) { m.Header[header] = []string{value} })
	m.Header[nats.MsgIdHdr] = []string{ref.Token}
	if job.schedule != "" {
		m.Header[contract.HeaderSchedule] = []string{job.schedule}
	}
	_, again, err = s.store(ctx, m)
	if isNoResponders(err) {
		if err := s.Prepare(ctx, ref.Service); err != nil {
			return doc, false, err
		}
		_, again, err = s.store(ctx, m)
	}
	switch {
	case isQueued(err):
		again = true
	case isFull(err):
		full := contract.Errorf(contract.CodeResourceExhausted, "too many jobs of %s are queued; try again later", ref.Service)
		full.RetryAfter = time.Second
		return doc, false, full.WithCause(err)
	case err != nil:
		return doc, false, unavailable(err)
	}
	s.tell(ctx, ref, class)
	return queuedJob(ref, m, time.Now().UTC()), again, nil
}

// queuedJob returns the document of a job that is queued and has no record.
func queuedJob(ref contract.JobRef, m *nats.Msg, created time.Time) contract.Job {
	_, class, _ := contract.ParseWorkSubject(m.Subject)
	job := contract.Job{
		ID: ref.ID(), Service: ref.Service, Operation: ref.Operation, Class: class,
		State: contract.JobQueued, Created: created.Truncate(time.Microsecond), TraceID: traceID(m.Header),
		Schedule: m.Header.Get(contract.HeaderSchedule),
	}
	if options, err := contract.ParseJobOptions(m.Header.Get); err == nil {
		describeBatch(&job, ref, options)
	}
	return job
}

// describeBatch adds to the document of a job what is to be said of a batch.
func describeBatch(job *contract.Job, ref contract.JobRef, o contract.JobOptions) {
	if o.Items == 0 {
		return
	}
	job.Items = &contract.JobItems{Total: o.Items}
	if o.Then != "" {
		job.Then = followRef(ref, o.Then).ID()
	}
}

// traceID returns the trace that a header "traceparent" names (W3C Trace Context), empty
// if there is none.
func traceID(h nats.Header) string {
	parts := strings.Split(h.Get("traceparent"), "-")
	if len(parts) != 4 {
		return ""
	}
	return parts[1]
}
