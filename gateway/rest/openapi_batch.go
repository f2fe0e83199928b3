package rest

import (
	"fmt"
	"net/http"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/seed-649d3d38/heddle/contract"
)

// batchProblems are the statuses of the problems that a batch as a whole may have; those
// of its requests are in their lines.
var batchProblems = []int{
	http.StatusBadRequest, http.StatusForbidden, http.StatusNotAcceptable, http.StatusRequestEntityTooLarge,
	http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusInternalServerError,
}

const batchDescription = `Takes many requests at once, as a JSON array or as lines (%s), of at most %d MiB together.
Answers with lines as soon as there are results: one for each request, with its index from 0, and a last one that counts them;
an answer without a last line is not whole. A request at fault has an error in its line and leaves the others alone.
Small requests travel together, and equal ones are computed once if the operation is pure. Reading slowly slows the work down;
closing the connection ends it. The header %s limits the time of the whole batch.`

// addBatch describes the resource of an operation's batches.
func (d *document) addBatch(e contract.Descriptor, name string, samples []sample) {
	d.Components.Schemas[name+"BatchLine"] = batchLineSchema(name)
	var requests []any
	for _, s := range samples {
		requests = append(requests, s.request)
	}
	body := &requestBody{Required: true, Content: map[string]media{
		contract.MediaJSON: {
			Schema: map[string]any{"type": "array", "items": schemaRef(name + "Request")},
		},
		contract.MediaNDJSON: {Schema: &jsonschema.Schema{Type: "string", Description: "One request on each line."}},
	}}
	if requests != nil {
		array := body.Content[contract.MediaJSON]
		array.Examples = examples{{name: "all", example: example{Summary: "Several requests", Value: requests}}}
		body.Content[contract.MediaJSON] = array
	}
	post := &method{
		OperationID: e.Service + "_" + e.Operation + "_batch",
		Tags:        []string{e.Service},
		Summary:     e.Summary + ", many at once",
		Description: fmt.Sprintf(batchDescription, contract.MediaNDJSON, contract.MaxBatchBody>>20, contract.HeaderTimeout),
		Subject:     e.BatchSubject(),
		Parameters: []any{
			parameter{
				Name: orderParameter, In: "query",
				Description: "The order of the lines: as the results come, or that of the requests.",
				Schema:      &jsonschema.Schema{Type: "string", Enum: []any{orderCompleted, orderInput}, Default: []byte(`"` + orderCompleted + `"`)},
			},
			parameterRef("HeddleTimeout"),
		},
		RequestBody: body,
		Responses: responses{"200": response{
			Description: "Lines, each of which is of this schema.",
			Content:     map[string]media{contract.MediaNDJSON: {Schema: schemaRef(name + "BatchLine")}},
		}},
	}
	post.Responses["202"] = response{
		Description: "The job that the batch has become, because Prefer asked for one; its body may have 32 MiB, and its lines come as they are done.",
		Headers:     headerRefs("Location", "PreferenceApplied"),
		Content:     map[string]media{contract.MediaJSON: {Schema: schemaRef("Job")}},
	}
	for _, parameter := range append(jobParameters, "HeddleThen") {
		post.Parameters = append(post.Parameters, parameterRef(parameter))
	}
	post.Responses.addProblems(append(batchProblems, http.StatusTooManyRequests, http.StatusServiceUnavailable))
	d.Paths[e.BatchRoute()] = &pathItem{Post: post}
}

// batchLineSchema describes a line of the answer to a batch.
func batchLineSchema(name string) map[string]any {
	count := func(description string) map[string]any {
		return map[string]any{"type": "integer", "minimum": 0, "description": description}
	}
	index := count("The place of the request in the batch, from 0.")
	kind := func(description string, properties map[string]any, required ...string) map[string]any {
		return map[string]any{
			"type": "object", "description": description,
			"properties": properties, "required": required, "additionalProperties": false,
		}
	}
	return map[string]any{
		"description": "A line of the answer to a batch.",
		"oneOf": []any{
			kind("The result of a request.", map[string]any{"index": index, "result": schemaRef(name + "Result")}, "index", "result"),
			kind("Why a request has no result.", map[string]any{"index": index, "error": schemaRef("Problem")}, "index", "error"),
			kind("The last line.", map[string]any{
				"done": map[string]any{"const": true}, "ok": count("Requests with a result."), "failed": count("Requests with an error."),
			}, "done", "ok", "failed"),
		},
	}
}
