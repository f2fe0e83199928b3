package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/propagation"
	"golang.org/x/sync/semaphore"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/bus"
	"github.com/seed-649d3d38/heddle/jobs"
)

// jobsPath is the path of the jobs; each has its own below it.
const jobsPath = "/" + contract.Version + "/jobs"

// jobRoutes are the resources of jobs.
type jobRoutes struct {
	store     *jobs.Store // nil if there are none
	endpoints []contract.Descriptor
	streams   *streams
	// onLeave calls a function when the gateway is about to leave, until the function it
	// returns is called.
	onLeave   func(func()) (stop func() bool)
	heartbeat time.Duration
	batches   *semaphore.Weighted // bytes of those that are being taken in
}

func (j *jobRoutes) routes() []*route {
	one := jobsPath + "/{id}"
	return append(j.queueRoutes(), []*route{
		{pattern: jobsPath, methods: reading, answer: j.answerList},
		{pattern: one, methods: []string{http.MethodGet, http.MethodHead, http.MethodDelete}, answer: j.byID(j.answerJob)},
		{pattern: one + "/result", methods: reading, answer: j.byID(j.answerResult)},
		{pattern: one + "/items", methods: []string{http.MethodGet}, answer: j.byID(j.answerItems)},
		{pattern: one + "/events", methods: []string{http.MethodGet}, answer: j.byID(j.answerEvents)},
		{pattern: one + "/retry", methods: []string{http.MethodPost}, answer: j.byID(j.answerRetry)},
	}...)
}

// jobAnswer answers a request about one job.
type jobAnswer func(ctx context.Context, w http.ResponseWriter, r *http.Request, ref contract.JobRef) (int, error)

// byID reads which job a request is about.
func (j *jobRoutes) byID(answer jobAnswer) func(context.Context, http.ResponseWriter, *http.Request) (int, error) {
	return func(ctx context.Context, w http.ResponseWriter, r *http.Request) (int, error) {
		if j.store == nil {
			return 0, noJobs()
		}
		ref, err := contract.ParseJobID(r.PathValue("id"))
		if err != nil {
			return 0, err
		}
		return answer(ctx, w, r, ref)
	}
}

func noJobs() error {
	return contract.Errorf(contract.CodeUnavailable, "this gateway keeps no jobs; send the request without the preference respond-async")
}

// answerJob answers with the document of a job, and cancels it before if the method says
// so.
func (j *jobRoutes) answerJob(ctx context.Context, w http.ResponseWriter, r *http.Request, ref contract.JobRef) (int, error) {
	if err := requireJSON(r); err != nil {
		return 0, err
	}
	do := j.store.Get
	if r.Method == http.MethodDelete {
		do = j.store.Cancel
	}
	job, err := do(ctx, ref)
	if err != nil {
		return 0, err
	}
	return writeJob(w, http.StatusOK, job)
}

// answerRetry queues a job again.
func (j *jobRoutes) answerRetry(ctx context.Context, w http.ResponseWriter, _ *http.Request, ref contract.JobRef) (int, error) {
	job, err := j.store.Retry(ctx, ref)
	if err != nil {
		return 0, err
	}
	w.Header()["Location"] = []string{jobPath(job.ID)}
	return writeJob(w, http.StatusAccepted, job)
}

func jobPath(id string) string { return jobsPath + "/" + id }

// writeJob answers with a document, which nobody may keep: it changes.
func writeJob(w http.ResponseWriter, status int, document any) (int, error) {
	body, err := json.Marshal(document)
	if err != nil {
		return 0, fmt.Errorf("encode job: %w", err)
	}
	h := w.Header()
	h["Cache-Control"] = noStore
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	h["Content-Type"] = typeJSON
	w.WriteHeader(status)
	_, _ = w.Write(body) // a caller that left cannot be told
	return status, nil
}

// submit makes a job of a request and answers with its document, or with its outcome if
// that is there in the time that the caller would wait.
func (o *operation) submit(ctx context.Context, w http.ResponseWriter, r *http.Request, p preferences, store storing) (int, error) {
	if o.jobs.store == nil {
		return 0, noJobs()
	}
	job, isNew, err := store(ctx, w, r)
	if err != nil {
		return 0, err
	}
	h := w.Header()
	h["Preference-Applied"] = []string{p.applied()}
	h["Location"] = []string{jobPath(job.ID)}
	if p.wait > 0 {
		if job, err = o.jobs.wait(ctx, job, p.wait); err != nil {
			return 0, err
		}
		if job.State.Terminal() {
			return o.jobs.writeOutcome(ctx, w, r, job)
		}
	}
	if !isNew && job.State.Terminal() {
		return writeJob(w, http.StatusOK, job)
	}
	return writeJob(w, http.StatusAccepted, job)
}

// storing stores the job that a request asks for, and says whether it is new.
type storing func(ctx context.Context, w http.ResponseWriter, r *http.Request) (job contract.Job, isNew bool, err error)

// store stores the job that a request asks for.
func (o *operation) store(ctx context.Context, w http.ResponseWriter, r *http.Request) (job contract.Job, isNew bool, err error) {
	options, err := jobOptions(r)
	if err != nil {
		return job, false, err
	}
	options.Accept = acceptOf(r, o.media[0])
	if _, acceptable := negotiate(options.Accept, o.media); !acceptable {
		return job, false, notAcceptable(o.media)
	}
	buffer := buffers.Get().(*[]byte)
	defer putBuffer(buffer)
	if *buffer, err = o.body((*buffer)[:0], w, r); err != nil {
		return job, false, err
	}
	return o.jobs.store.Submit(ctx, jobs.Submission{
		Endpoint: o.Descriptor, Body: *buffer, Options: options, Trace: o.observer.traceOf(ctx, r),
	})
}

// jobOptions reads how a job is to be done.
func jobOptions(r *http.Request) (contract.JobOptions, error) {
	return contract.ParseJobOptions(func(header string) string { return strings.Join(r.Header[header], ", ") })
}

// notAcceptable says which media types there are.
func notAcceptable(media []string) error {
	return contract.Errorf(contract.CodeNotAcceptable, "the result is available as %s; accept it", strings.Join(media, " or "))
}

// traceOf returns the headers of the trace that a request belongs to, nil if there is none.
func (o *observer) traceOf(ctx context.Context, r *http.Request) nats.Header {
	if o.tracer == nil {
		return requestHeader(r, "")
	}
	h := make(nats.Header, 2)
	propagation.TraceContext{}.Inject(ctx, bus.Carrier(h))
	return h
}

// wait returns what a job is when it has ended, when the time is over, or when the gateway
// leaves.
func (j *jobRoutes) wait(ctx context.Context, job contract.Job, most time.Duration) (contract.Job, error) {
	ref, err := contract.ParseJobID(job.ID)
	if err != nil {
		return job, err
	}
	waiting, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	stop := j.onLeave(cancel)
	defer stop()
	now, err := j.store.Wait(waiting, ref)
	if err == nil {
		return now, nil
	}
	if ctx.Err() == nil && waiting.Err() != nil {
		return job, nil
	}
	return job, err
}

// endpoint returns the operation of a job, if it is known here.
func (j *jobRoutes) endpoint(ref contract.JobRef) (contract.Descriptor, bool) {
	i := slices.IndexFunc(j.endpoints, func(d contract.Descriptor) bool {
		return d.Service == ref.Service && d.Operation == ref.Operation
	})
	if i < 0 {
		return contract.Descriptor{}, false
	}
	return j.endpoints[i], true
}
