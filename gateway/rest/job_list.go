package rest

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/seed-649d3d38/heddle/contract"
)

// answerList answers with a page of a list of jobs.
func (j *jobRoutes) answerList(ctx context.Context, w http.ResponseWriter, r *http.Request) (int, error) {
	if j.store == nil {
		return 0, noJobs()
	}
	if err := requireJSON(r); err != nil {
		return 0, err
	}
	parameters, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return 0, err
	}
	query, err := listQuery(parameters)
	if err != nil {
		return 0, err
	}
	list, err := j.store.List(ctx, query, j.services()...)
	if err != nil {
		return 0, err
	}
	linkNext(w, jobsPath, parameters, list.Next)
	return writeJob(w, http.StatusOK, list)
}

// listQuery reads which jobs are wanted.
func listQuery(parameters url.Values) (q contract.JobQuery, err error) {
	for name, values := range parameters {
		if len(values) != 1 {
			return q, contract.Invalid(printable(name), "is there more than once")
		}
		switch value := values[0]; name {
		case "service":
			q.Service = value
		case "operation":
			q.Operation = value
		case "state":
			q.State = contract.JobState(value)
		case "page":
			q.Page = value
		case "limit":
			if q.Limit, err = strconv.Atoi(value); err != nil || q.Limit < 1 {
				return q, contract.Invalid("limit", "must be from 1 to %d", contract.MaxJobPage)
			}
		default:
			return q, contract.Invalid(printable(name), "is not a parameter; there are service, operation, state, limit and page")
		}
	}
	return q, q.Validate()
}

// services returns the services whose operations there are.
func (j *jobRoutes) services() []string {
	var names []string
	for _, e := range j.endpoints {
		if !slices.Contains(names, e.Service) {
			names = append(names, e.Service)
		}
	}
	return names
}
