package rest

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/seed-649d3d38/heddle/contract"
)

// queuesPath is the path of the queues of jobs; each service's is below it.
const queuesPath = "/" + contract.Version + "/queues"

// queueRoutes are the resources of the queues.
func (j *jobRoutes) queueRoutes() []*route {
	one := queuesPath + "/{service}"
	return []*route{
		{pattern: queuesPath, methods: reading, answer: j.answerQueues},
		{pattern: one, methods: reading, answer: j.byService(nil)},
		{pattern: one + "/pause", methods: []string{http.MethodPost}, answer: j.byService(func(ctx context.Context, service string) error { return j.store.Pause(ctx, service) })},
		{pattern: one + "/resume", methods: []string{http.MethodPost}, answer: j.byService(func(ctx context.Context, service string) error { return j.store.Resume(ctx, service) })},
	}
}

// answerQueues answers with the queues of all services.
func (j *jobRoutes) answerQueues(ctx context.Context, w http.ResponseWriter, r *http.Request) (int, error) {
	if j.store == nil {
		return 0, noJobs()
	}
	if err := requireJSON(r); err != nil {
		return 0, err
	}
	queues, err := j.store.Queues(ctx, j.services()...)
	if err != nil {
		return 0, err
	}
	return writeJob(w, http.StatusOK, queues)
}

// byService answers with the queue of the service in the path, after do has done something
// to it; nil does nothing.
func (j *jobRoutes) byService(do func(ctx context.Context, service string) error) func(context.Context, http.ResponseWriter, *http.Request) (int, error) {
	return func(ctx context.Context, w http.ResponseWriter, r *http.Request) (int, error) {
		if j.store == nil {
			return 0, noJobs()
		}
		if err := requireJSON(r); err != nil {
			return 0, err
		}
		service := r.PathValue("service")
		if services := j.services(); !slices.Contains(services, service) {
			return 0, contract.Errorf(contract.CodeNotFound, "there is no service %q; the services are %s", printable(service), strings.Join(services, ", "))
		}
		if do != nil {
			if err := do(ctx, service); err != nil {
				return 0, err
			}
		}
		queue, err := j.store.Queue(ctx, service)
		if err != nil {
			return 0, err
		}
		return writeJob(w, http.StatusOK, queue)
	}
}
