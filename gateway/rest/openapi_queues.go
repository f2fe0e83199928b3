package rest

import (
	"net/http"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/seed-649d3d38/heddle/contract"
)

// addQueues describes the resources of the queues of jobs.
func (d *document) addQueues() {
	d.Components.Schemas["JobQueue"] = queueSchema()
	d.Components.Schemas["JobQueues"] = &jsonschema.Schema{
		Type: "object", Required: []string{"queues"},
		Properties: map[string]*jsonschema.Schema{"queues": {Type: "array", Items: &jsonschema.Schema{Ref: "#/components/schemas/JobQueue"}, Description: "One for each service."}},
	}
	service := parameter{Name: "service", In: "path", Required: true, Description: "Name of the service.", Schema: &jsonschema.Schema{Type: "string"}}
	describe := func(id, summary, schema string, parameters ...any) *method {
		m := &method{OperationID: id, Tags: []string{"suite"}, Summary: summary, Parameters: parameters, Responses: responses{"200": response{
			Description: "What there is now.", Content: map[string]media{contract.MediaJSON: {Schema: schemaRef(schema)}},
		}}}
		m.Responses.addProblems(servicesProblems)
		if len(parameters) > 0 {
			m.Responses.addProblems([]int{http.StatusNotFound})
		}
		return m
	}
	pause := describe("queue_pause", "Pause the jobs of a service", "JobQueue", service)
	pause.Description = "Instances get no more of its jobs until it is resumed, also after restarts. Jobs are taken in, and those that run go on."
	d.Paths[queuesPath] = &pathItem{Get: describe("queues", "The queues of jobs of all services", "JobQueues")}
	d.Paths[queuesPath+"/{service}"] = &pathItem{Get: describe("queue", "The queue of jobs of a service", "JobQueue", service)}
	d.Paths[queuesPath+"/{service}/pause"] = &pathItem{Post: pause}
	d.Paths[queuesPath+"/{service}/resume"] = &pathItem{Post: describe("queue_resume", "Resume the jobs of a service", "JobQueue", service)}
}

// queueSchema describes the queue of a service.
func queueSchema() *jsonschema.Schema {
	text := func(description string) *jsonschema.Schema {
		return &jsonschema.Schema{Type: "string", Description: description}
	}
	at := func(description string) *jsonschema.Schema {
		return &jsonschema.Schema{Type: "string", Format: "date-time", Description: description}
	}
	count := func(description string) *jsonschema.Schema {
		return &jsonschema.Schema{Type: "integer", Minimum: new(0.0), Description: description}
	}
	share := &jsonschema.Schema{
		Type: "object", Required: []string{"tenant", "class", "queued", "taken"},
		Properties: map[string]*jsonschema.Schema{
			"tenant": text("Whose jobs they are."), "class": text("high or normal."), "queued": count("Those of them that wait."),
			"taken": count("Those of them that were given to instances."), "oldest": at("When the oldest that waits was queued."),
		},
		PropertyOrder: []string{"tenant", "class", "queued", "taken", "oldest"},
	}
	return &jsonschema.Schema{
		Type: "object", Description: "The jobs of a service that have not ended.", Required: []string{"service", "queued", "taken", "limit", "shares"},
		Properties: map[string]*jsonschema.Schema{
			"service": text("Name of the service."),
			"queued":  count("Jobs that wait for their first attempt."),
			"taken":   count("Jobs that were given to instances: they run, or wait for another attempt."),
			"limit":   count("Largest number of jobs, queued and taken; more are refused."),
			"oldest":  at("When the oldest job that waits was queued; absent if none waits."), "paused_until": at("Until when it is paused if nobody resumes it; absent if it is not paused."),
			"shares": {Type: "array", Items: share, Description: "The parts of the queue by tenant and class."},
			"healed": {Type: "object", AdditionalProperties: count("So many."), Description: "What was found half-written or given up and was put right, by kind."},
		},
		PropertyOrder: []string{"service", "queued", "taken", "limit", "oldest", "paused_until", "shares", "healed"},
	}
}
