package jobs

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"

	"github.com/seed-649d3d38/heddle/contract"
)

// List returns a page of the jobs of the services, or of the query's one, newest first,
// without their results. It asks the broker alone, so no instance need be there. A job
// that changes while somebody goes from page to page may be missing in later ones: it is
// on the first page of a new list.
//
// Its time does not depend on how many jobs there are, but for two queries that have to
// look at records which do not match: succeeded jobs where most fail, and running ones
// where many wait for another attempt.
//
// It returns a [*contract.Error] with [contract.CodeInvalidArgument] for a query that is
// not valid and with [contract.CodeUnavailable] if the broker does not answer.
func (s *Store) List(ctx context.Context, q contract.JobQuery, services ...string) (contract.JobList, error) {
	list := contract.JobList{Jobs: []contract.Job{}}
	if err := q.Validate(); err != nil {
		return list, err
	}
	if q.Limit == 0 {
		q.Limit = contract.DefaultJobPage
	}
	l := &listing{store: s, query: q}
	if err := l.begin(ctx, services); err != nil {
		return list, unavailable(err)
	}
	if q.Page != "" {
		if err := l.goOn(q.Page); err != nil {
			return list, err
		}
	}
	for len(list.Jobs) < q.Limit {
		job, err := l.next(ctx)
		if err != nil {
			return list, unavailable(err)
		}
		if job == nil {
			return list, nil
		}
		if job.Result != nil {
			job.Result.Value, job.Result.Text = nil, ""
		}
		list.Jobs = append(list.Jobs, *job)
	}
	if !l.isDone() {
		list.Next = l.page()
	}
	return list, nil
}

// next takes the newest job of all sources, nil if there is none.
func (l *listing) next(ctx context.Context) (*contract.Job, error) {
	var newest *source
	for _, o := range l.sources {
		if err := o.fill(ctx, l.store); err != nil {
			return nil, err
		}
		if len(o.ready) > 0 && (newest == nil || o.ready[0].at.After(newest.ready[0].at)) {
			newest = o
		}
	}
	if newest == nil {
		return nil, nil
	}
	job := &newest.ready[0].job
	newest.ready = newest.ready[1:]
	return job, nil
}

// isDone reports whether no source has anything left to look at.
func (l *listing) isDone() bool {
	for _, o := range l.sources {
		if o.position() > 1 {
			return false
		}
	}
	return true
}

// page returns where the list goes on: a digest of the query, what the list knew of the
// records, and the position of every source.
func (l *listing) page() string {
	b := binary.BigEndian.AppendUint32(nil, l.digest())
	b = binary.AppendUvarint(b, l.known)
	for _, o := range l.sources {
		b = binary.AppendUvarint(b, o.position())
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// goOn sets the sources to where another list ended.
func (l *listing) goOn(page string) error {
	invalid := contract.Invalid("page", "must be the next of a list with the same query; leave it out for the first page")
	b, err := base64.RawURLEncoding.DecodeString(page)
	if err != nil || len(b) < 4 || binary.BigEndian.Uint32(b) != l.digest() {
		return invalid
	}
	b = b[4:]
	positions := make([]uint64, 1+len(l.sources))
	for i := range positions {
		position, n := binary.Uvarint(b)
		if n <= 0 {
			return invalid
		}
		positions[i], b = position, b[n:]
	}
	if len(b) > 0 {
		return invalid
	}
	l.known = positions[0]
	for i, o := range l.sources {
		if positions[1+i] < 1 {
			return invalid
		}
		o.below = min(o.below, positions[1+i]) // what is above is not there, or was listed
	}
	return nil
}

// digest tells the pages of different queries apart.
func (l *listing) digest() uint32 {
	h := fnv.New32a()
	for _, part := range []string{l.query.Service, l.query.Operation, string(l.query.State)} {
		_, _ = h.Write([]byte(part + "\x00")) // a hash never fails
	}
	for _, o := range l.sources {
		_, _ = h.Write([]byte(o.stream + "\x00" + o.filter + "\x00"))
	}
	return h.Sum32()
}
