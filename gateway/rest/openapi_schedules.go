package rest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/seed-649d3d38/heddle/contract"
)

// The statuses of the problems that the methods of schedules may have.
var (
	scheduleProblems     = []int{http.StatusForbidden, http.StatusNotFound, http.StatusNotAcceptable, http.StatusInternalServerError, http.StatusServiceUnavailable}
	scheduleListProblems = append([]int{http.StatusBadRequest, http.StatusUnprocessableEntity}, scheduleProblems...)
	scheduleMadeProblems = append([]int{http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusTooManyRequests}, scheduleListProblems...)
)

// addSchedules describes the resources of schedules.
func (d *document) addSchedules() {
	request := scheduleRequestSchema()
	d.Components.Schemas["ScheduleRequest"] = request
	d.Components.Schemas["Schedule"] = scheduleSchema(request)
	d.Tags = append(d.Tags, tag{Name: "schedules", Description: "Requests that become jobs at a time, or again and again."})
	document := func(description string) response {
		return response{Description: description, Content: map[string]media{contract.MediaJSON: {Schema: schemaRef("Schedule")}}}
	}
	describe := func(name, summary string, problems []int, r responses, parameters ...any) *method {
		r.addProblems(problems)
		return &method{OperationID: name, Tags: []string{"schedules"}, Summary: summary, Parameters: parameters, Responses: r}
	}
	made, again := document("The schedule, which is stored."), document("The schedule that was made with the same key before.")
	made.Headers = map[string]any{"Location": header{Description: "Path of the schedule.", Schema: &jsonschema.Schema{Type: "string"}}}
	again.Headers = made.Headers
	create := describe("schedule_create", "Have a request done as a job at a time, or again and again", scheduleMadeProblems, responses{"201": made, "200": again}, parameterRef("IdempotencyKey"))
	create.RequestBody = &requestBody{Required: true, Content: map[string]media{contract.MediaJSON: {Schema: schemaRef("ScheduleRequest"), Examples: scheduleExamples()}}}
	create.Subject = contract.SchedulesSubject("create")
	list := describe("schedule_list", "The schedules, in the order in which they were made, without their requests", scheduleListProblems, responses{
		"200": response{Description: "A page of the list; next in the body and in the header Link lead to the following one.", Content: map[string]media{contract.MediaJSON: {Schema: scheduleListSchema()}}},
	}, scheduleListParameters()...)
	d.Paths[schedulesPath] = &pathItem{Get: list, Post: create}
	id := parameter{Name: "id", In: "path", Required: true, Description: "Id of the schedule.", Schema: &jsonschema.Schema{Type: "string"}}
	d.Paths[schedulesPath+"/{id}"] = &pathItem{
		Get:    describe("schedule_get", "What a schedule is, when it is due next and what its last job was", scheduleProblems, responses{"200": document("The schedule.")}, id),
		Delete: describe("schedule_delete", "End a schedule; a job that was due a moment ago may still be made", scheduleProblems, responses{"204": response{Description: "The schedule is deleted."}}, id),
	}
}

// scheduleExamples are one request of each kind.
func scheduleExamples() examples {
	daily := contract.ScheduleRequest{Service: "fibonacci", Operation: "term", Request: json.RawMessage(`{"n":"1000"}`), Cron: "30 6 * * 1-5", TimeZone: "Europe/Berlin"}
	once := contract.ScheduleRequest{Service: "sqrt", Operation: "root", Request: json.RawMessage(`{"x":"2","digits":50}`), RunAt: "2030-01-01T00:00:00Z", Class: contract.ClassHigh}
	return examples{
		{"cron", example{Summary: "On working days at half past six", Value: daily}},
		{"run_at", example{Summary: "Once", Value: once}},
	}
}

// scheduleRequestSchema describes a request for a schedule.
func scheduleRequestSchema() *jsonschema.Schema {
	text := func(description string) *jsonschema.Schema {
		return &jsonschema.Schema{Type: "string", Description: description}
	}
	var classes []any
	for _, c := range contract.JobClasses() {
		classes = append(classes, string(c))
	}
	return &jsonschema.Schema{
		Type:        "object",
		Description: "A request that is to become a job: once, at run_at, or whenever cron says.",
		Properties: map[string]*jsonschema.Schema{
			"service": text("Service."), "operation": text("Operation."),
			"request":     {Type: "object", Description: "The request to the operation."},
			"run_at":      {Type: "string", Format: "date-time", Description: "Time of a job that is made once; rounded up to a whole second. Either this or cron is there."},
			"cron":        text("Minute, hour, day of the month, month and day of the week; or six fields, with the second first; or @hourly, @daily, @weekly, @monthly or @yearly."),
			"time_zone":   text("IANA name of the time zone of cron; UTC if absent."),
			"class":       {Type: "string", Enum: classes, Description: "High ones go first; normal if absent."},
			"accept":      text("Media types wanted of the result, as in Accept."),
			"run_limit":   text("Longest time of an attempt, such as 90s; 24h if absent."),
			"queue_limit": text("Longest time before the first attempt; no limit if absent."),
			"attempts":    {Type: "integer", Minimum: new(1.0), Maximum: new(float64(contract.MaxAttempts)), Description: "Largest number of attempts; 5 if absent."},
			"retention":   text("How long the result is kept, from 1s to 168h; 6h if absent."),
		},
		PropertyOrder: []string{"service", "operation", "request", "run_at", "cron", "time_zone", "class", "accept", "run_limit", "queue_limit", "attempts", "retention"},
		Required:      []string{"service", "operation", "request"},
	}
}

// scheduleSchema describes the document of a schedule, whose members are those of its
// request and some more.
func scheduleSchema(request *jsonschema.Schema) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "object", Description: "A schedule.", Properties: maps.Clone(request.Properties)}
	s.Properties["id"] = &jsonschema.Schema{Type: "string", Description: "Id of the schedule. The one job of a schedule with run_at has the same."}
	s.Properties["created"] = &jsonschema.Schema{Type: "string", Format: "date-time", Description: "When it was made."}
	s.Properties["next"] = &jsonschema.Schema{Type: "string", Format: "date-time", Description: "When it is due next."}
	s.Properties["last_job"] = &jsonschema.Schema{Type: "string", Description: "Id of the last job of a schedule with cron, as long as that is known."}
	s.PropertyOrder = slices.Concat([]string{"id"}, request.PropertyOrder, []string{"created", "next", "last_job"})
	s.Required = []string{"id", "service", "operation", "created"}
	return s
}

// scheduleListSchema describes a page of a list.
func scheduleListSchema() map[string]any {
	return map[string]any{
		"type": "object", "required": []string{"schedules"},
		"properties": map[string]any{
			"schedules": map[string]any{"type": "array", "items": schemaRef("Schedule")},
			"next":      &jsonschema.Schema{Type: "string", Description: "The page parameter of what follows; absent at the end."},
		},
	}
}

// scheduleListParameters are the query parameters of a list.
func scheduleListParameters() []any {
	of := func(name, description string) parameter {
		return parameter{Name: name, In: "query", Description: description, Schema: &jsonschema.Schema{Type: "string"}}
	}
	limit := of("limit", "Largest number of schedules; 100 if absent. There may be fewer and still more to come.")
	limit.Schema = &jsonschema.Schema{Type: "integer", Minimum: new(1.0), Maximum: new(float64(contract.MaxJobPage))}
	return []any{of("service", "Only those of this service."), of("operation", "Only those of this operation; needs a service."), limit, of("page", "Next of the list before.")}
}
