package rest

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/jobs"
)

// schedulesPath is the path of the schedules; each has its own below it.
const schedulesPath = "/" + contract.Version + "/schedules"

// scheduleRoom is what a request for a schedule may have in bytes besides the request to the
// operation.
const scheduleRoom = 8 << 10

// scheduleRoutes are the resources of schedules.
func (j *jobRoutes) scheduleRoutes() []*route {
	return []*route{
		{pattern: schedulesPath, methods: []string{http.MethodGet, http.MethodHead, http.MethodPost}, answer: j.answerSchedules},
		{pattern: schedulesPath + "/{id}", methods: []string{http.MethodGet, http.MethodHead, http.MethodDelete}, answer: j.answerSchedule},
	}
}

// answerSchedules lists the schedules, or makes one.
func (j *jobRoutes) answerSchedules(ctx context.Context, w http.ResponseWriter, r *http.Request) (int, error) {
	if j.store == nil {
		return 0, noJobs()
	}
	if err := requireJSON(r); err != nil {
		return 0, err
	}
	if r.Method == http.MethodPost {
		return j.createSchedule(ctx, w, r)
	}
	return j.listSchedules(ctx, w, r)
}

// createSchedule makes the schedule that a request asks for.
func (j *jobRoutes) createSchedule(ctx context.Context, w http.ResponseWriter, r *http.Request) (int, error) {
	if err := checkContent(r.Header); err != nil {
		return 0, err
	}
	most := scheduleRoom
	for _, e := range j.endpoints {
		most = max(most, e.MaxRequest+scheduleRoom)
	}
	body, err := readBody(nil, w, r, most)
	if err != nil {
		return 0, err
	}
	if len(body) > most {
		w.Header()["Connection"] = closing
		return 0, contract.Errorf(contract.CodeRequestTooLarge, "the request must have at most %d bytes", most)
	}
	job, when, err := jobs.ReadSchedule(body, strings.Join(r.Header[contract.HeaderKey], ", "), j.endpoints)
	if err != nil {
		return 0, err
	}
	schedule, isNew, err := j.store.CreateSchedule(ctx, job, when)
	if err != nil {
		return 0, err
	}
	w.Header()["Location"] = []string{schedulesPath + "/" + schedule.ID}
	if !isNew {
		return writeJob(w, http.StatusOK, schedule)
	}
	return writeJob(w, http.StatusCreated, schedule)
}

// listSchedules answers with a page of a list of schedules.
func (j *jobRoutes) listSchedules(ctx context.Context, w http.ResponseWriter, r *http.Request) (int, error) {
	parameters, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return 0, err
	}
	query, err := scheduleQuery(parameters)
	if err != nil {
		return 0, err
	}
	list, err := j.store.ListSchedules(ctx, query)
	if err != nil {
		return 0, err
	}
	linkNext(w, schedulesPath, parameters, list.Next)
	return writeJob(w, http.StatusOK, list)
}

// scheduleQuery reads which schedules are wanted.
func scheduleQuery(parameters url.Values) (q contract.ScheduleQuery, err error) {
	for name, values := range parameters {
		if len(values) != 1 {
			return q, contract.Invalid(printable(name), "is there more than once")
		}
		switch value := values[0]; name {
		case "service":
			q.Service = value
		case "operation":
			q.Operation = value
		case "page":
			q.Page = value
		case "limit":
			if q.Limit, err = strconv.Atoi(value); err != nil || q.Limit < 1 {
				return q, contract.Invalid("limit", "must be from 1 to %d", contract.MaxJobPage)
			}
		default:
			return q, contract.Invalid(printable(name), "is not a parameter; there are service, operation, limit and page")
		}
	}
	return q, nil
}

// answerSchedule answers with the document of a schedule, or deletes it.
func (j *jobRoutes) answerSchedule(ctx context.Context, w http.ResponseWriter, r *http.Request) (int, error) {
	if j.store == nil {
		return 0, noJobs()
	}
	ref, err := contract.ParseScheduleID(r.PathValue("id"))
	if err != nil {
		return 0, err
	}
	if r.Method == http.MethodDelete {
		if err := j.store.DeleteSchedule(ctx, ref); err != nil {
			return 0, err
		}
		w.WriteHeader(http.StatusNoContent)
		return http.StatusNoContent, nil
	}
	if err := requireJSON(r); err != nil {
		return 0, err
	}
	schedule, err := j.store.GetSchedule(ctx, ref)
	if err != nil {
		return 0, err
	}
	return writeJob(w, http.StatusOK, schedule)
}
