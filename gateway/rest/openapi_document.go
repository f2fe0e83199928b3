package rest

import (
	"encoding/json"

	"github.com/google/jsonschema-go/jsonschema"
)

// The types below are the parts of OpenAPI 3.1 that the gateway's document has.

type document struct {
	OpenAPI    string               `json:"openapi"`
	Info       info                 `json:"info"`
	Servers    []server             `json:"servers"`
	Tags       []tag                `json:"tags"`
	Paths      map[string]*pathItem `json:"paths"`
	Components components           `json:"components"`
}

type info struct {
	Title       string  `json:"title"`
	Version     string  `json:"version"`
	Description string  `json:"description"`
	License     license `json:"license"`
}

type license struct {
	Name       string `json:"name"`
	Identifier string `json:"identifier"`
}

type server struct {
	URL string `json:"url"`
}

type tag struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

type components struct {
	Schemas    map[string]any       `json:"schemas"`
	Responses  map[string]response  `json:"responses"`
	Parameters map[string]parameter `json:"parameters"`
	Headers    map[string]header    `json:"headers"`
}

type pathItem struct {
	Get  *method `json:"get,omitempty"`
	Head *method `json:"head,omitempty"`
	Post *method `json:"post,omitempty"`
	// Delete is there for jobs only.
	Delete *method `json:"delete,omitempty"`
}

// method is an operation object of OpenAPI; operation means something else here.
type method struct {
	OperationID string       `json:"operationId"`
	Tags        []string     `json:"tags"`
	Summary     string       `json:"summary"`
	Description string       `json:"description,omitempty"`
	Subject     string       `json:"x-nats-subject,omitempty"`
	Parameters  []any        `json:"parameters,omitempty"`
	RequestBody *requestBody `json:"requestBody,omitempty"`
	Responses   responses    `json:"responses"`
}

type parameter struct {
	Name        string             `json:"name"`
	In          string             `json:"in"`
	Description string             `json:"description,omitempty"`
	Required    bool               `json:"required,omitempty"`
	Schema      *jsonschema.Schema `json:"schema"`
	Example     any                `json:"example,omitempty"`
}

type requestBody struct {
	Required bool             `json:"required"`
	Content  map[string]media `json:"content"`
}

type response struct {
	Description string           `json:"description"`
	Headers     map[string]any   `json:"headers,omitempty"`
	Content     map[string]media `json:"content,omitempty"`
}

type media struct {
	Schema   any      `json:"schema"`
	Examples examples `json:"examples,omitempty"`
}

type example struct {
	Summary string `json:"summary,omitempty"`
	Value   any    `json:"value"`
}

// examples are an object in the document, in the order of the contract: what shows the
// document shows the first one first.
type examples []namedExample

type namedExample struct {
	name string
	example
}

// MarshalJSON writes the examples as the members of an object.
func (list examples) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, e := range list {
		name, err := json.Marshal(e.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(e.example)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, name...), ':'), value...)
	}
	return append(out, '}'), nil
}

type header struct {
	Description string             `json:"description"`
	Schema      *jsonschema.Schema `json:"schema"`
	Example     any                `json:"example,omitempty"`
}

// ref points to a component.
type ref struct {
	Ref string `json:"$ref"`
}

func schemaRef(name string) ref    { return ref{"#/components/schemas/" + name} }
func parameterRef(name string) ref { return ref{"#/components/parameters/" + name} }

// responses are the responses of a method by status: a response or a ref to one.
type responses map[string]any
