package rest

import (
	"net/http"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/seed-649d3d38/heddle/contract"
)

// The statuses of the problems that the methods of jobs may have.
var (
	jobProblems      = []int{http.StatusForbidden, http.StatusNotFound, http.StatusNotAcceptable, http.StatusInternalServerError, http.StatusServiceUnavailable}
	jobStateProblems = append([]int{http.StatusConflict}, jobProblems...)
	// The outcome of a job that failed is the problem of its work.
	jobResultProblems = []int{http.StatusNotFound, http.StatusConflict, http.StatusGone, http.StatusRequestedRangeNotSatisfiable, http.StatusBadRequest, http.StatusRequestEntityTooLarge,
		http.StatusForbidden, http.StatusNotAcceptable, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}
)

// jobParameters are the headers that say how a job is to be done.
var jobParameters = []string{"Prefer", "IdempotencyKey", "HeddleClass", "HeddleRunLimit", "HeddleQueueLimit", "HeddleAttempts", "HeddleRetention"}

// makeAsync adds to the POST of an operation that it can make a job.
func (m *method) makeAsync() {
	for _, name := range jobParameters {
		m.Parameters = append(m.Parameters, parameterRef(name))
	}
	m.Responses["202"] = response{
		Description: "The job that was stored, because Prefer asked for one. Of a job with the same key that has ended, the answer is the same document with 200.",
		Headers:     headerRefs("Location", "PreferenceApplied"),
		Content:     map[string]media{contract.MediaJSON: {Schema: schemaRef("Job")}},
	}
	ok := m.Responses["200"].(response)
	ok.Headers["Preference-Applied"] = headerRefs("PreferenceApplied")["Preference-Applied"]
	ok.Headers["Location"] = headerRefs("Location")["Location"]
	whole := ok.Content[contract.MediaJSON]
	whole.Schema = map[string]any{"anyOf": []any{whole.Schema, schemaRef("Job")}}
	ok.Content[contract.MediaJSON] = whole
}

// addJobs describes the resources of jobs.
func (d *document) addJobs() {
	d.Components.Schemas["Job"] = jobSchema()
	d.Tags = append(d.Tags, tag{Name: "jobs", Description: "Durable jobs: POST to an operation with Prefer: respond-async makes one."})
	id := parameter{Name: "id", In: "path", Required: true, Description: "Id of the job.", Schema: &jsonschema.Schema{Type: "string"}}
	document := func(description string) response {
		return response{Description: description, Content: map[string]media{contract.MediaJSON: {Schema: schemaRef("Job")}}}
	}
	describe := func(name, summary string, problems []int, r responses, parameters ...any) *method {
		r.addProblems(problems)
		return &method{OperationID: name, Tags: []string{"jobs"}, Summary: summary, Parameters: append([]any{id}, parameters...), Responses: r}
	}
	one := jobsPath + "/{id}"
	d.Paths[one] = &pathItem{
		Get:    describe("job_get", "What a job is now", jobProblems, responses{"200": document("The job.")}),
		Delete: describe("job_cancel", "Cancel a job that is queued or running", jobStateProblems, responses{"200": document("The job, which is canceled.")}),
	}
	retried := document("The job, which is queued again.")
	retried.Headers = headerRefs("Location")
	d.Paths[one+"/retry"] = &pathItem{Post: describe("job_retry", "Queue a job again that failed or was canceled", append([]int{http.StatusTooManyRequests}, jobStateProblems...), responses{"202": retried})}
	d.Paths[one+"/events"] = &pathItem{Get: describe("job_events", "The changes of a job until it has ended, beginning with what it is now", jobProblems, responses{
		"200": response{
			Description: "Server-sent events of the type job, whose data is the document and whose id is the revision. Results above 4 KiB are described, not included. A comment every 15 s shows that the stream lives.",
			Content:     map[string]media{mediaEvents: {Schema: &jsonschema.Schema{Type: "string"}}},
		},
		"204": response{Description: "The job has ended, and the reader has its last event."},
	}, parameterRef("LastEventID"))}
	whole := response{
		Description: "The result, in the form that was asked for when the job was submitted; a small one that is stored as JSON in the other forms of the operation too.",
		Headers:     headerRefs("ETag", "Vary", "AcceptRanges", "ReprDigest"),
		Content: map[string]media{
			contract.MediaJSON: {Schema: map[string]any{}}, contract.MediaNDJSON: {Schema: map[string]any{}}, contract.MediaText: {Schema: &jsonschema.Schema{Type: "string"}},
		},
	}
	result := describe("job_result", "The result of a job that succeeded", jobResultProblems, responses{
		"200": whole, "304": response{Description: "The caller has the result already.", Headers: headerRefs("ETag", "Vary")},
	}, parameterRef("Range"), parameterRef("IfRange"), parameterRef("IfNoneMatch"))
	result.Description = "The problem of a job that failed is that of its work. 409 names the state of a job that has not succeeded; 410 says that the result has expired."
	result.Responses.makeRanged(whole)
	d.Paths[one+"/result"] = &pathItem{Get: result, Head: bodiless(result)}
	d.Paths[one].Head = bodiless(d.Paths[one].Get)
	items := describe("job_items", "The lines of a batch that is a job: those there are, and the others as they come", append([]int{http.StatusConflict, http.StatusGone, http.StatusTooManyRequests}, jobProblems...), responses{"200": response{
		Description: "Lines as of a batch, in the order in which they came. A batch that does not succeed has no last line that counts them.",
		Content:     map[string]media{contract.MediaNDJSON: {Schema: map[string]any{}}},
	}})
	items.Description = "409 says that the job is no batch."
	d.Paths[one+"/items"] = &pathItem{Get: items}
	d.addJobList()
}

// addJobList describes the list of jobs.
func (d *document) addJobList() {
	d.Components.Schemas["JobList"] = &jsonschema.Schema{
		Type: "object", Required: []string{"jobs"}, PropertyOrder: []string{"jobs", "next"},
		Properties: map[string]*jsonschema.Schema{
			"jobs": {Type: "array", Items: &jsonschema.Schema{Ref: "#/components/schemas/Job"}, Description: "The jobs, those that changed last first, without their results."},
			"next": {Type: "string", Description: "The parameter page of the same query for what comes behind; absent if that is nothing."},
		},
	}
	choose := func(name, description string, s *jsonschema.Schema) parameter {
		return parameter{Name: name, In: "query", Description: description, Schema: s}
	}
	text := func() *jsonschema.Schema { return &jsonschema.Schema{Type: "string"} }
	states := text()
	for _, s := range contract.JobStates() {
		states.Enum = append(states.Enum, string(s))
	}
	get := &method{
		OperationID: "job_list", Tags: []string{"jobs"}, Summary: "The jobs, those that changed last first",
		Description: "Jobs of one of the states queued and running come in the order in which they were queued.",
		Parameters: []any{
			choose("service", "Only jobs of this service.", text()),
			choose("operation", "Only jobs of this operation; it needs a service.", text()),
			choose("state", "Only jobs in this state.", states),
			choose("limit", "Largest number of jobs on a page; 100 if absent.", &jsonschema.Schema{Type: "integer", Minimum: new(1.0), Maximum: new(float64(contract.MaxJobPage))}),
			choose("page", "The next of the page before.", text()),
		},
		Responses: responses{"200": response{
			Description: "One page.", Headers: headerRefs("Link"),
			Content: map[string]media{contract.MediaJSON: {Schema: schemaRef("JobList")}},
		}},
	}
	get.Responses.addProblems(append([]int{http.StatusBadRequest, http.StatusUnprocessableEntity}, servicesProblems...))
	d.Paths[jobsPath] = &pathItem{Get: get, Head: bodiless(get)}
}

// bodiless describes the HEAD that answers as a GET does, ranges and all.
func bodiless(get *method) *method {
	head := *get
	head.OperationID += "_head"
	head.Responses = make(responses)
	for status, r := range get.Responses {
		if whole, ok := r.(response); ok {
			whole.Content = nil
			r = whole
		}
		head.Responses[status] = r
	}
	return &head
}

// jobSchema describes the document of a job.
func jobSchema() *jsonschema.Schema {
	text := func(description string) *jsonschema.Schema {
		return &jsonschema.Schema{Type: "string", Description: description}
	}
	at := func(description string) *jsonschema.Schema {
		return &jsonschema.Schema{Type: "string", Format: "date-time", Description: description}
	}
	count := func(description string) *jsonschema.Schema {
		return &jsonschema.Schema{Type: "integer", Minimum: new(0.0), Description: description}
	}
	var states, classes []any
	for _, s := range contract.JobStates() {
		states = append(states, string(s))
	}
	for _, c := range contract.JobClasses() {
		classes = append(classes, string(c))
	}
	progress := &jsonschema.Schema{Type: "object", Description: "What the solver last said of its work.", Properties: map[string]*jsonschema.Schema{
		"done": count("Units that are done."), "total": count("Units in all, if that is known."), "unit": text("What is counted."), "note": text("A remark for people."),
	}, Required: []string{"done"}}
	result := &jsonschema.Schema{Type: "object", Description: "Of a job that succeeded.", Properties: map[string]*jsonschema.Schema{
		"content_type": text("Media type."), "size": count("Bytes."), "digest": text("SHA-256, as in Repr-Digest."), "expires": at("When the result is given up."),
		"value": {Description: "The result itself, if it is JSON and small."}, "text": text("The same of another type."), "parts": count("In how many parts a larger one is stored."),
	}, Required: []string{"content_type", "size", "digest", "expires"}}
	s := &jsonschema.Schema{
		Type: "object", Description: "A durable job.",
		Properties: map[string]*jsonschema.Schema{
			"id": text("Id of the job."), "service": text("Service."), "operation": text("Operation."),
			"state":   {Type: "string", Enum: states, Description: "Where the job is on its way."},
			"class":   {Type: "string", Enum: classes, Description: "High ones go first."},
			"attempt": count("Executions so far."), "progress": progress, "instance": text("Instance of the last attempt."),
			"created": at("When it was submitted."), "started": at("When the last attempt began."), "finished": at("When the job ended."),
			"not_before": at("When the next attempt may begin."),
			"queue_ms":   {Type: "number", Description: "Time in milliseconds that the job waited for its last attempt."},
			"result":     result, "error": {Ref: "#/components/schemas/Problem"}, "trace_id": text("Trace that the job belongs to."),
			"schedule": text("Id of the schedule that made the job, if one did."),
			"items": {Type: "object", Description: "Of a batch: its requests, and those that have an outcome.", Properties: map[string]*jsonschema.Schema{
				"total": count("Requests."), "ok": count("Requests with a result."), "failed": count("Requests with an error."),
			}, Required: []string{"total", "ok", "failed"}},
			"then": text("Of a batch: id of the job that gets its results."),
		},
		PropertyOrder: []string{"id", "service", "operation", "state", "class", "attempt", "progress", "instance", "created", "started", "finished", "not_before", "queue_ms", "result", "error", "items", "then", "trace_id", "schedule"},
	}
	s.Required = []string{"id", "service", "operation", "state", "class", "attempt", "created"}
	return s
}

// jobParameterComponents are the headers of jobs.
func jobParameterComponents() map[string]parameter {
	option := func(name, description string) parameter {
		return parameter{Name: name, In: "header", Description: "Of a job: " + description, Schema: &jsonschema.Schema{Type: "string"}}
	}
	class := option(contract.HeaderClass, "high or normal.")
	class.Schema.Enum = []any{string(contract.ClassHigh), string(contract.ClassNormal)}
	attempts := option(contract.HeaderAttempts, "the largest number of attempts; 5 if absent.")
	attempts.Schema = &jsonschema.Schema{Type: "integer", Minimum: new(1.0), Maximum: new(float64(contract.MaxAttempts))}
	return map[string]parameter{
		"Prefer":           {Name: "Prefer", In: "header", Description: "respond-async makes a job of the request; with wait=N its outcome is the answer if it is there in N seconds. wait=N alone is the time that the request may take. (RFC 7240)", Schema: &jsonschema.Schema{Type: "string"}},
		"IdempotencyKey":   option(contract.HeaderKey, "the same key with the same request is the same job."),
		"HeddleClass":      class,
		"HeddleRunLimit":   option(contract.HeaderRunLimit, "the longest time of an attempt, such as 90s; 24h if absent."),
		"HeddleQueueLimit": option(contract.HeaderQueueLimit, "the longest time before the first attempt; no limit if absent."),
		"HeddleAttempts":   attempts,
		"HeddleRetention":  option(contract.HeaderRetention, "how long the result is kept, from 1s to 168h; 6h if absent."),
		"HeddleThen":       option(contract.HeaderThen, "of a batch, the operation that gets its results, such as sqrt.root, in a job of its own."),
		"LastEventID":      {Name: "Last-Event-ID", In: "header", Description: "Id of the event that the reader saw last.", Schema: &jsonschema.Schema{Type: "string"}},
	}
}
