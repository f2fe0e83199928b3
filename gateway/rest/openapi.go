package rest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/schema"
)

// openAPI returns the OpenAPI 3.1 document of the gateway, ready to send. It is made
// from the contract alone, so it cannot fall behind it.
func openAPI(endpoints []contract.Descriptor, version string) (*asset, error) {
	d := newDocument(version)
	for _, e := range endpoints {
		if err := d.addOperation(e); err != nil {
			return nil, fmt.Errorf("describe operation %s: %w", e.Name(), err)
		}
	}
	d.addJobs()
	d.addSchedules()
	if err := d.addServices(); err != nil {
		return nil, err
	}
	d.addQueues()
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(d); err != nil {
		return nil, fmt.Errorf("encode OpenAPI document: %w", err)
	}
	sum := sha256.Sum256(body.Bytes())
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	return &asset{contentType: contract.MediaJSON, tag: tag, plain: body.Bytes()}, nil
}

const overview = `Problems solved in parallel by services on NATS.

Every operation is one resource: POST takes a JSON body, and pure operations take GET too, with the members of the
request as query parameters. Results of GET never change: they carry an entity tag and may be cached for ever. HEAD
answers like GET, without the body.

Results may be large; their length is always known. A response that ends before it was cut off, and a GET can be taken
up again where it ended, with the header Range (one range of bytes).

Whole numbers that may be large travel as strings; requests may also carry JSON integers up to 2^53-1.

Every error is a problem document (RFC 9457) whose member "code" is stable. Unknown paths are answered with 404
not_found, other methods with 405 method_not_allowed and the header Allow. The gateway refuses requests from pages of
other sites with 403 forbidden.

A request that must not get lost, or that takes long, is made a durable job with Prefer: respond-async; see /v1/jobs/{id}.
One that is to be done at a time, or again and again, is given a schedule; see /v1/schedules.

Many requests of an operation can be sent at once: see the paths that end in /batch.

The same requests can be published on NATS without the gateway: see x-nats-subject.`

func newDocument(version string) *document {
	d := &document{
		OpenAPI: "3.1.0",
		Info: info{
			Title: "Heddle", Version: version, Description: overview,
			License: license{Name: "Apache 2.0", Identifier: "Apache-2.0"},
		},
		Servers: []server{{URL: "/"}},
		Paths:   make(map[string]*pathItem),
		Components: components{
			Schemas:    map[string]any{"Problem": problemSchema()},
			Responses:  make(map[string]response),
			Parameters: parameters(),
			Headers:    headers(),
		},
	}
	maps.Copy(d.Components.Parameters, jobParameterComponents())
	for _, p := range problems {
		d.Components.Responses[problemName(p.status)] = p.response()
	}
	return d
}

// addOperation describes the resource of an operation.
func (d *document) addOperation(e contract.Descriptor) error {
	request, err := schema.Request(e.Request)
	if err != nil {
		return err
	}
	result, err := schema.Result(e.Result)
	if err != nil {
		return err
	}
	name := camel(e.Service) + camel(e.Operation)
	d.addSchema(name+"Request", request)
	d.addSchema(name+"Result", result)
	d.addTag(e.Service)
	samples, err := encodeSamples(e)
	if err != nil {
		return err
	}

	post := d.newMethod(e, name, samples)
	post.OperationID = e.Service + "_" + e.Operation
	post.Parameters = []any{parameterRef("HeddleTimeout")}
	post.RequestBody = &requestBody{
		Required: true,
		Content:  map[string]media{contract.MediaJSON: {Schema: schemaRef(name + "Request"), Examples: requestExamples(samples)}},
	}
	post.makeAsync()
	post.Responses.addProblems(postProblems)
	path := &pathItem{Post: post}
	if e.Pure {
		path.Get = d.newMethod(e, name, samples)
		path.Get.OperationID = post.OperationID + "_get"
		if path.Get.Parameters, err = queryParameters(request, samples); err != nil {
			return err
		}
		path.Get.Parameters = append(path.Get.Parameters, parameterRef("HeddleTimeout"), parameterRef("IfNoneMatch"))
		path.Get.Responses.makeCacheable()
		path.Head = headOf(path.Get, post.OperationID)
		path.Get.Parameters = append(path.Get.Parameters, parameterRef("Range"), parameterRef("IfRange"))
		path.Get.Responses.makeRanged(path.Get.Responses["200"].(response))
		path.Get.Responses.addProblems(getProblems)
	}
	d.Paths[e.Route()] = path
	d.addBatch(e, name, samples)
	return nil
}

// headOf describes the HEAD that belongs to a GET.
func headOf(get *method, id string) *method {
	head := *get
	head.OperationID = id + "_head"
	head.Parameters = slices.Clone(get.Parameters)
	head.Responses = make(responses)
	for status, r := range get.Responses {
		bare := r.(response)
		bare.Content = nil
		head.Responses[status] = bare
	}
	head.Responses.addProblems(headProblems)
	return &head
}

// newMethod describes what GET and POST have in common.
func (d *document) newMethod(e contract.Descriptor, name string, samples []sample) *method {
	ok := response{
		Description: "The result.",
		Headers:     headerRefs("ServerTiming", "HeddleInstance", "ReprDigest"),
		Content:     map[string]media{contract.MediaJSON: {Schema: schemaRef(name + "Result"), Examples: resultExamples(samples)}},
	}
	if e.HasLines() {
		ok.Content[contract.MediaNDJSON] = media{Schema: d.lineRef(name + "Result"), Examples: lineExamples(samples)}
	}
	if e.HasPlain() {
		ok.Content[contract.MediaText] = media{Schema: &jsonschema.Schema{Type: "string"}, Examples: plainExamples(samples)}
	}
	return &method{
		Tags:        []string{e.Service},
		Summary:     e.Summary,
		Description: e.Description,
		Subject:     e.Subject(),
		Responses:   responses{"200": ok},
	}
}

// lineRef refers to the schema of one line of a result: the items of its one member.
// OpenAPI 3.1 has no other way to describe a stream than by what it is a stream of.
func (d *document) lineRef(result string) ref {
	list := d.Components.Schemas[result].(*jsonschema.Schema).PropertyOrder[0]
	return schemaRef(result + "/properties/" + list + "/items")
}

// addServices describes the live view of the services.
func (d *document) addServices() error {
	s, err := schema.Result(reflect.TypeFor[servicesResult]())
	if err != nil {
		return err
	}
	d.addSchema("ServicesResult", s)
	d.Tags = append(d.Tags, tag{Name: "suite", Description: "Looking after what runs."})
	get := &method{
		OperationID: "services",
		Tags:        []string{"suite"},
		Summary:     "The services and their running instances",
		Description: "Asks every instance for its statistics. The view is made anew at most once a second.",
		Responses: responses{"200": response{
			Description: "The services of the contract, those without instances too.",
			Content:     map[string]media{contract.MediaJSON: {Schema: schemaRef("ServicesResult")}},
		}},
	}
	get.Responses.addProblems(servicesProblems)
	d.Paths[servicesPath] = &pathItem{Get: get}
	return nil
}

// addSchema adds a schema, in the dialect of OpenAPI 3.1, which is JSON Schema 2020-12
// and more.
func (d *document) addSchema(name string, s *jsonschema.Schema) {
	s.Schema = ""
	d.Components.Schemas[name] = s
}

func (d *document) addTag(name string) {
	for _, t := range d.Tags {
		if t.Name == name {
			return
		}
	}
	d.Tags = append(d.Tags, tag{Name: name})
}

// queryParameters turns the members of a request into the parameters of its GET, with
// the values of the first example.
func queryParameters(request *jsonschema.Schema, samples []sample) ([]any, error) {
	var values map[string]any
	if len(samples) > 0 {
		if err := json.Unmarshal(samples[0].request, &values); err != nil {
			return nil, fmt.Errorf("example %q: %w", samples[0].summary, err)
		}
	}
	var list []any
	for _, name := range request.PropertyOrder {
		property := *request.Properties[name]
		p := parameter{Name: name, In: "query", Description: property.Description, Example: values[name]}
		property.Description = ""
		if slices.Contains(property.Types, "string") { // a query has no numbers, only text
			property.Type, property.Types = "string", nil
			property.Minimum, property.Maximum = nil, nil
		}
		p.Schema = &property
		for _, required := range request.Required {
			p.Required = p.Required || required == name
		}
		list = append(list, p)
	}
	return list, nil
}

// sample is an example as JSON.
type sample struct {
	name, summary   string
	request, result json.RawMessage
	lines, plain    string
}

func encodeSamples(e contract.Descriptor) ([]sample, error) {
	var samples []sample
	for _, x := range e.Examples {
		s := sample{summary: x.Summary, name: slug(x.Summary)}
		var err error
		if s.request, err = json.Marshal(x.Request); err != nil {
			return nil, fmt.Errorf("example %q: %w", x.Summary, err)
		}
		if s.result, err = json.Marshal(x.Result); err != nil {
			return nil, fmt.Errorf("example %q: %w", x.Summary, err)
		}
		if lines, ok := x.Result.(contract.Lines); ok {
			s.lines = string(lines.AppendLines(nil))
		}
		if plain, ok := x.Result.(contract.Plain); ok {
			s.plain = string(plain.AppendPlain(nil))
		}
		samples = append(samples, s)
	}
	return samples, nil
}

func requestExamples(samples []sample) examples {
	return examplesOf(samples, func(s sample) any { return s.request })
}

func resultExamples(samples []sample) examples {
	return examplesOf(samples, func(s sample) any { return s.result })
}

func lineExamples(samples []sample) examples {
	return examplesOf(samples, func(s sample) any { return s.lines })
}

func plainExamples(samples []sample) examples {
	return examplesOf(samples, func(s sample) any { return s.plain })
}

func examplesOf(samples []sample, value func(sample) any) examples {
	list := make(examples, 0, len(samples))
	for _, s := range samples {
		list = append(list, namedExample{name: s.name, example: example{Summary: s.summary, Value: value(s)}})
	}
	return list
}

// camel turns a name of the contract into a part of a schema's name.
func camel(name string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(name, "_") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

// slug turns a summary into the name of an example.
func slug(summary string) string {
	words := strings.FieldsFunc(strings.ToLower(summary), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return strings.Join(words, "-")
}
