package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/ndjson"
	"github.com/seed-649d3d38/heddle/internal/strict"
)

const (
	// atOnce is the number of requests that a [Service] works on at once; the next ones
	// wait in its subscriptions.
	atOnce = 256

	// serveTimeout bounds the work on one request.
	serveTimeout = 10 * time.Second
)

// Service is the jobs service on NATS: what direct publishers submit, look at, cancel and
// retry jobs with, and what makes jobs when schedules are due. It has nothing but a [Store],
// so any number may serve at once, whether or not an instance is there that does the jobs.
type Service struct {
	store     *Store
	endpoints []contract.Descriptor
	log       *slog.Logger
	subs      []*nats.Subscription
	ended     sync.WaitGroup // the subscriptions
	slots     chan struct{}
	serving   sync.WaitGroup
	stop      context.CancelFunc // ends the asking for what is due, and the upkeep
	asking    sync.WaitGroup
}

// Serve answers the subjects of the jobs service for the endpoints until
// [Service.Close], and returns once the broker knows that it does. Meanwhile it looks after
// the queues of their services, as [Store.Heal] does, once a minute and together with all
// others who serve. The context is the one that requests are worked on under.
func Serve(ctx context.Context, store *Store, endpoints []contract.Descriptor) (*Service, error) {
	s := &Service{store: store, endpoints: endpoints, log: store.cfg.Log, slots: make(chan struct{}, atOnce)}
	verbs := map[string]answer{
		contract.SubmitSubject("*", "*"):      s.submit,
		contract.SubmitBatchSubject("*", "*"): s.submitBatch,
		contract.JobsSubject("items"):         s.items,
		contract.JobsSubject("get"):           s.get,
		contract.JobsSubject("list"):          s.list,
		contract.JobsSubject("cancel"):        s.byID(store.Cancel),
		contract.JobsSubject("retry"):         s.byID(store.Retry),
		contract.JobsSubject("result"):        s.result,
		contract.JobsSubject("queues"):        s.queues,
		contract.JobsSubject("pause"):         s.byService(store.Pause),
		contract.JobsSubject("resume"):        s.byService(store.Resume),
	}
	maps.Copy(verbs, s.scheduleVerbs())
	for subject, answer := range verbs {
		sub, err := store.nc.QueueSubscribe(subject, contract.JobsGroup, func(m *nats.Msg) { s.serve(ctx, m, answer) })
		if err != nil {
			s.unsubscribe()
			return nil, fmt.Errorf("serve jobs: subscribe to %s: %w", subject, err)
		}
		s.ended.Add(1)
		sub.SetClosedHandler(func(string) { s.ended.Done() })
		s.subs = append(s.subs, sub)
	}
	flush, cancel := context.WithTimeout(ctx, serveTimeout)
	defer cancel()
	if err := store.nc.FlushWithContext(flush); err != nil {
		s.unsubscribe()
		return nil, fmt.Errorf("serve jobs: announce them: %w", err)
	}
	asking, stop := context.WithCancel(ctx)
	s.stop = stop
	s.asking.Go(func() { s.serveDue(asking, ctx) })
	s.asking.Go(func() { store.keep(asking, s.services()) })
	return s, nil
}

// Close takes no more requests and waits for those under way.
func (s *Service) Close() {
	s.unsubscribe()
	s.stop()
	s.ended.Wait()
	s.asking.Wait()
	s.serving.Wait()
}

func (s *Service) unsubscribe() {
	end := (*nats.Subscription).Drain
	if !s.store.nc.IsConnected() {
		end = (*nats.Subscription).Unsubscribe // nobody would say when all has come
	}
	for _, sub := range s.subs {
		_ = end(sub) // fails only on a closed connection, which has ended it
	}
}

// answer returns the reply to a request: its body is made of document, unless there is a
// message.
type answer func(ctx context.Context, m *nats.Msg) (document any, reply *nats.Msg, err error)

// serve answers one request, in a goroutine of its own: most of the time it waits for the
// broker.
func (s *Service) serve(ctx context.Context, m *nats.Msg, answer answer) {
	s.slots <- struct{}{}
	s.serving.Go(func() {
		defer func() { <-s.slots }()
		ctx, cancel := context.WithTimeout(ctx, serveTimeout)
		defer cancel()
		document, reply, err := answer(ctx, m)
		if err == nil && reply == nil {
			reply, err = encode(document)
		}
		if err != nil {
			reply = s.problem(ctx, m, contract.FromError(err))
		}
		if m.Reply == "" {
			return
		}
		reply.Subject = m.Reply
		if err := s.store.nc.PublishMsg(reply); err != nil {
			s.log.WarnContext(ctx, "answer request about jobs", "subject", m.Subject, "error", err)
		}
	})
}

func encode(document any) (*nats.Msg, error) {
	body, err := json.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("encode reply: %w", err)
	}
	return &nats.Msg{Data: body}, nil
}

// problem returns the reply that says what went wrong.
func (s *Service) problem(ctx context.Context, m *nats.Msg, f *contract.Error) *nats.Msg {
	if f.Code == contract.CodeInternal {
		s.log.ErrorContext(ctx, "request about jobs failed", "subject", m.Subject, "error", f)
	}
	body, err := f.MarshalJSON()
	if err != nil { // a struct of strings and integers always marshals
		s.log.ErrorContext(ctx, "encode error reply", "error", err)
	}
	return &nats.Msg{Data: body, Header: nats.Header{
		contract.HeaderError:       {f.Detail},
		contract.HeaderErrorCode:   {strconv.Itoa(f.Code.Status())},
		contract.HeaderContentType: {contract.MediaProblem},
	}}
}

// submit stores a job. Its operation is in the subject, its options in the headers.
func (s *Service) submit(ctx context.Context, m *nats.Msg) (any, *nats.Msg, error) {
	endpoint, options, err := s.submission(m, m.Subject)
	if err != nil {
		return nil, nil, err
	}
	job, _, err := s.store.Submit(ctx, Submission{
		Endpoint: endpoint, Body: m.Data, Options: options, Trace: traceOf(m.Header),
	})
	return job, nil, err
}

// submission reads what a submission says beside its body. The subject ends with the
// operation.
func (s *Service) submission(m *nats.Msg, subject string) (endpoint contract.Descriptor, o contract.JobOptions, err error) {
	tokens := strings.Split(subject, ".")
	service, operation := tokens[len(tokens)-2], tokens[len(tokens)-1]
	i := slices.IndexFunc(s.endpoints, func(d contract.Descriptor) bool {
		return d.Service == service && d.Operation == operation
	})
	if i < 0 {
		return endpoint, o, contract.Errorf(contract.CodeNotFound, "there is no operation %s.%s", service, operation)
	}
	o, err = contract.ParseJobOptions(m.Header.Get)
	return s.endpoints[i], o, err
}

// submitBatch stores a batch as one job: a JSON array of requests, or one on each line.
func (s *Service) submitBatch(ctx context.Context, m *nats.Msg) (any, *nats.Msg, error) {
	endpoint, options, err := s.submission(m, strings.TrimSuffix(m.Subject, ".batch"))
	if err != nil {
		return nil, nil, err
	}
	if err := CheckThen(s.endpoints, options.Then); err != nil {
		return nil, nil, err
	}
	items, err := ndjson.Split(m.Data, ndjson.Sniff, contract.MaxBatchJobItems)
	switch {
	case errors.Is(err, ndjson.ErrTooMany):
		return nil, nil, TooManyItems()
	case err != nil:
		return nil, nil, contract.Errorf(contract.CodeMalformedRequest, "%v; send a JSON array of requests, or one request on each line", err)
	}
	job, _, err := s.store.SubmitBatch(ctx, BatchSubmission{
		Endpoint: endpoint, Items: items, Options: options, Trace: traceOf(m.Header),
	})
	return job, nil, err
}

// traceOf returns the headers of a trace among others, nil if there are none.
func traceOf(h nats.Header) nats.Header {
	if h.Get("traceparent") == "" {
		return nil
	}
	trace := nats.Header{"traceparent": h["traceparent"]}
	if state := h["tracestate"]; state != nil {
		trace["tracestate"] = state
	}
	return trace
}

// get returns the document of a job, and the revision of its record for readers that
// follow the job's events.
func (s *Service) get(ctx context.Context, m *nats.Msg) (any, *nats.Msg, error) {
	ref, err := jobNamed(m)
	if err != nil {
		return nil, nil, err
	}
	event, err := s.store.look(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	reply, err := encode(event.Job)
	if err == nil {
		reply.Header = nats.Header{contract.HeaderRevision: {strconv.FormatUint(event.Revision, 10)}}
	}
	return nil, reply, err
}

// jobNamed returns the job that a request names.
func jobNamed(m *nats.Msg) (contract.JobRef, error) {
	var r contract.JobRequest
	if err := strict.Decode(m.Data, &r); err != nil {
		return contract.JobRef{}, err
	}
	return contract.ParseJobID(r.ID)
}

// list returns a page of jobs.
func (s *Service) list(ctx context.Context, m *nats.Msg) (any, *nats.Msg, error) {
	var q contract.JobQuery
	if len(m.Data) > 0 { // an empty request asks for all
		if err := strict.Decode(m.Data, &q); err != nil {
			return nil, nil, err
		}
	}
	list, err := s.store.List(ctx, q, s.services()...)
	return list, nil, err
}

// services returns the names of the services that there may be jobs of.
func (s *Service) services() []string {
	var names []string
	for _, d := range s.endpoints {
		if !slices.Contains(names, d.Service) {
			names = append(names, d.Service)
		}
	}
	return names
}

// byID returns the answer to requests that name a job and nothing else.
func (s *Service) byID(do func(context.Context, contract.JobRef) (contract.Job, error)) answer {
	return func(ctx context.Context, m *nats.Msg) (any, *nats.Msg, error) {
		ref, err := jobNamed(m)
		if err != nil {
			return nil, nil, err
		}
		job, err := do(ctx, ref)
		return job, nil, err
	}
}
