package jobs

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
)

const (
	// firstWindow is the number of sequences that a source looks at first.
	firstWindow = 128

	// growth is by how much its next windows are larger, as long as the last one had
	// fewer than enoughMessages and enoughBytes.
	growth         = 4
	enoughMessages = 2048
	enoughBytes    = 1 << 20
)

// entry is a job as a source found it.
type entry struct {
	sequence uint64
	at       time.Time
	job      contract.Job
}

// source yields jobs of one stream, the last ones first. It reads windows of sequences,
// which begin small and grow while they have little in them.
type source struct {
	stream, filter string
	// resolve returns the jobs of messages, in their order, without those that the list
	// has from another source or that it does not want.
	resolve func(context.Context, []*nats.Msg) ([]entry, error)

	below  uint64 // what was not read yet has sequences below this; 1 is the end
	window uint64
	ready  []entry // read and not taken, last first
}

// position is where another source goes on that is to yield what this one has left.
func (o *source) position() uint64 {
	if len(o.ready) > 0 {
		return o.ready[0].sequence + 1
	}
	return o.below
}

// fill reads windows until there is a job to take, or until the end.
func (o *source) fill(ctx context.Context, s *Store) error {
	for len(o.ready) == 0 && o.below > 1 {
		o.window = max(o.window, firstWindow)
		from := max(o.below, o.window+1) - o.window
		messages, err := s.scan(ctx, o.stream, o.filter, from, o.below)
		if err != nil {
			return err
		}
		if o.ready, err = o.resolve(ctx, messages); err != nil {
			return err
		}
		slices.Reverse(o.ready)
		o.below = from
		size := 0
		for _, m := range messages {
			size += len(m.Data)
		}
		if len(messages) < enoughMessages && size < enoughBytes {
			o.window *= growth
		}
	}
	return nil
}

// listing is what one list is made of.
type listing struct {
	store *Store
	query contract.JobQuery
	// known is the last revision of the records when the list began: those up to it are
	// found as records, and later ones by their messages. 0 where no record is found as
	// such.
	known   uint64
	sources []*source
}

// begin chooses the sources of a list for a query and sets them to their beginnings.
func (l *listing) begin(ctx context.Context, services []string) (err error) {
	if l.query.Service != "" {
		services = []string{l.query.Service}
	}
	switch l.query.State {
	case contract.JobQueued:
		err = l.addWork(ctx, services)
	case contract.JobRunning:
		err = l.addDelivered(ctx, services)
	case contract.JobFailed, contract.JobCanceled:
		err = l.add(ctx, "KV_"+contract.EndedBucket, l.ref().EndedSubject(l.query.State), l.byHint)
	case contract.JobSucceeded:
		err = l.add(ctx, recordStream, l.ref().RecordSubject(), l.byRecord)
	default:
		// The messages come first: a job that leaves them from now on has a record that
		// is read.
		if err = l.addWork(ctx, services); err != nil {
			return err
		}
		err = l.add(ctx, recordStream, l.ref().RecordSubject(), l.byRecord)
		l.known = l.sources[len(l.sources)-1].below - 1
	}
	return err
}

// ref names the jobs of the query, with wildcards.
func (l *listing) ref() contract.JobRef {
	r := contract.JobRef{Tenant: contract.DefaultTenant, Service: "*", Operation: "*", Token: "*"}
	if l.query.Service != "" {
		r.Service = l.query.Service
	}
	if l.query.Operation != "" {
		r.Operation = l.query.Operation
	}
	return r
}

// add adds the source that begins with the last message of its stream.
func (l *listing) add(ctx context.Context, stream, filter string, resolve func(context.Context, []*nats.Msg) ([]entry, error)) error {
	last, err := l.store.lastSequence(ctx, stream)
	l.sources = append(l.sources, &source{stream: stream, filter: filter, resolve: resolve, below: last + 1})
	return err
}

// addWork adds the jobs that are in the work streams.
func (l *listing) addWork(ctx context.Context, services []string) error {
	ref := l.ref()
	for _, service := range services {
		ref.Service = service
		if err := l.add(ctx, contract.WorkStream(service), ref.WorkSubject("*"), l.byMessage); err != nil {
			return err
		}
	}
	return nil
}

// addDelivered adds the jobs in the work streams that were given to instances at least
// once: these are the first ones, up to where the consumers are.
func (l *listing) addDelivered(ctx context.Context, services []string) error {
	ref := l.ref()
	for _, service := range services {
		ref.Service = service
		for _, class := range contract.JobClasses() {
			last, err := l.store.delivered(ctx, service, class, ref.Tenant)
			if err != nil {
				return err
			}
			l.sources = append(l.sources, &source{
				stream: contract.WorkStream(service), filter: ref.WorkSubject(class), resolve: l.byMessage, below: last + 1,
			})
		}
	}
	return nil
}

// delivered returns the sequence of the last message that was given to an instance, 0 if
// there is none.
func (s *Store) delivered(ctx context.Context, service string, class contract.JobClass, tenant string) (uint64, error) {
	c, err := s.js.Consumer(ctx, contract.WorkStream(service), contract.WorkConsumer(class, tenant))
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound), errors.Is(err, jetstream.ErrConsumerNotFound),
		errors.Is(err, jetstream.ErrJetStreamNotEnabled), isNoResponders(err):
		return 0, nil
	case err != nil:
		return 0, err
	}
	return c.CachedInfo().Delivered.Stream, nil
}

// wants reports whether the query asks for jobs in the state.
func (l *listing) wants(state contract.JobState) bool {
	return l.query.State == "" || l.query.State == state
}

// byRecord finds jobs by their records.
func (l *listing) byRecord(ctx context.Context, messages []*nats.Msg) (found []entry, err error) {
	for _, m := range messages {
		state := contract.JobState(m.Header.Get(contract.HeaderState))
		if !l.wants(state) {
			continue
		}
		if _, r := l.store.readScanned(ctx, m); r != nil && r.State != "" {
			found = append(found, entry{r.revision, r.written, r.Job})
		}
	}
	return found, nil
}

// byHint finds jobs by the hints to them.
func (l *listing) byHint(ctx context.Context, messages []*nats.Msg) ([]entry, error) {
	refs := make([]contract.JobRef, len(messages))
	for i, m := range messages {
		refs[i], _ = contract.ParseEndedSubject(m.Subject)
	}
	records, err := l.store.recordsOf(ctx, refs)
	if err != nil {
		return nil, err
	}
	var found []entry
	for i, m := range messages {
		r := records[refs[i]]
		if r == nil || r.State == "" || !l.wants(r.State) {
			continue
		}
		sequence, _, err := stored(m)
		if err != nil {
			return nil, err
		}
		found = append(found, entry{sequence, r.written, r.Job})
	}
	return found, nil
}

// byMessage finds jobs by their messages in a work stream: those that have no record, and
// those whose record is not found as such.
func (l *listing) byMessage(ctx context.Context, messages []*nats.Msg) ([]entry, error) {
	refs := make([]contract.JobRef, len(messages))
	for i, m := range messages {
		refs[i], _, _ = contract.ParseWorkSubject(m.Subject)
	}
	records, err := l.store.recordsOf(ctx, refs)
	if err != nil {
		return nil, err
	}
	var found []entry
	for i, m := range messages {
		sequence, at, err := stored(m)
		if err != nil {
			return nil, err
		}
		job := queuedJob(refs[i], m, at)
		if r := records[refs[i]]; r != nil && r.State != "" {
			if r.revision <= l.known {
				continue
			}
			job = r.Job
		}
		if l.wants(job.State) {
			found = append(found, entry{sequence, at, job})
		}
	}
	return found, nil
}
