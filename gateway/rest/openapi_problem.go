package rest

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/seed-649d3d38/heddle/contract"
)

// problems are the error responses that the document's methods have, with when they
// occur. Their codes come from the contract.
var problems = []problem{
	{http.StatusBadRequest, "The body is not one JSON object without duplicate members, or the query cannot be read."},
	{http.StatusForbidden, "The request comes from a page of another site, asks for the gateway under a strange name, or is refused by policy of the service."},
	{http.StatusNotFound, "There is no such job, schedule or operation: it never was, or has expired or ended."},
	{http.StatusConflict, "The job is in a state in which this cannot be done; the detail names it."},
	{http.StatusGone, "The result of the job has expired."},
	{http.StatusNotAcceptable, "The result has none of the accepted media types."},
	{http.StatusRequestEntityTooLarge, "The request is over the operation's limit."},
	{http.StatusUnsupportedMediaType, "The body is not declared as application/json."},
	{http.StatusRequestedRangeNotSatisfiable, "The range begins at the end of the result or beyond; Content-Range says how large the result is."},
	{http.StatusUnprocessableEntity, "A member of the request is unknown, missing, of the wrong type or out of range, and the problem names it; or the service could not hold the result in its memory."},
	{http.StatusTooManyRequests, "Slots, queue or memory of the service are full; try again after the time in Retry-After."},
	{http.StatusInternalServerError, "A fault of the service or the gateway; its log has the cause under the reference."},
	{http.StatusBadGateway, "A third party, such as the site of a page, failed."},
	{http.StatusServiceUnavailable, "No instance of the service is there to answer, or no broker that keeps jobs; try again after the time in Retry-After."},
	{http.StatusGatewayTimeout, "The time allowed for the request ran out."},
}

type problem struct {
	status int
	when   string
}

// The statuses of the problems that each kind of method may have.
var (
	serviceProblems  = []int{http.StatusForbidden, http.StatusNotAcceptable, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}
	headProblems     = append([]int{http.StatusBadRequest, http.StatusRequestEntityTooLarge}, serviceProblems...)
	getProblems      = append([]int{http.StatusRequestedRangeNotSatisfiable}, headProblems...)
	postProblems     = append([]int{http.StatusUnsupportedMediaType}, headProblems...)
	servicesProblems = []int{http.StatusForbidden, http.StatusNotAcceptable, http.StatusInternalServerError, http.StatusServiceUnavailable}
)

func (r responses) addProblems(statuses []int) {
	for _, status := range statuses {
		r[strconv.Itoa(status)] = ref{"#/components/responses/" + problemName(status)}
	}
}

// makeCacheable adds to the result of a GET what caches need.
func (r responses) makeCacheable() {
	ok := r["200"].(response)
	ok.Headers = maps.Clone(ok.Headers)
	maps.Copy(ok.Headers, headerRefs("ETag", "CacheControl", "Vary", "AcceptRanges"))
	r["200"] = ok
	r["304"] = response{
		Description: "The caller has the result already, as If-None-Match says.",
		Headers:     headerRefs("ETag", "CacheControl", "Vary"),
	}
}

// makeRanged adds to the responses of a GET that for a range of bytes.
func (r responses) makeRanged(whole response) {
	part := response{
		Description: "The bytes of the result that Range asks for.",
		Headers:     maps.Clone(whole.Headers),
		Content:     make(map[string]media),
	}
	maps.Copy(part.Headers, headerRefs("ContentRange"))
	for name := range whole.Content {
		part.Content[name] = media{Schema: &jsonschema.Schema{Type: "string"}}
	}
	r["206"] = part
}

// problemName returns the name of a problem's component: "Problem404".
func problemName(status int) string { return "Problem" + strconv.Itoa(status) }

func (p problem) response() response {
	var codes []any
	for _, c := range contract.Codes() {
		if c.Status() == p.status {
			codes = append(codes, string(c))
		}
	}
	r := response{
		Description: p.when,
		Content: map[string]media{contract.MediaProblem: {Schema: map[string]any{"allOf": []any{
			schemaRef("Problem"),
			&jsonschema.Schema{Properties: map[string]*jsonschema.Schema{
				"status": {Const: new(any(p.status))},
				"code":   {Enum: codes},
			}},
		}}}},
	}
	if p.status == http.StatusTooManyRequests || p.status == http.StatusServiceUnavailable {
		r.Headers = headerRefs("RetryAfter")
	}
	if p.status == http.StatusRequestedRangeNotSatisfiable {
		r.Headers = headerRefs("ContentRange")
	}
	return r
}

// problemSchema describes the JSON form of a contract.Error.
func problemSchema() *jsonschema.Schema {
	var codes []any
	for _, c := range contract.Codes() {
		codes = append(codes, string(c))
	}
	text := func(description string) *jsonschema.Schema {
		return &jsonschema.Schema{Type: "string", Description: description}
	}
	s := &jsonschema.Schema{
		Type:        "object",
		Description: "What went wrong, as RFC 9457 has it.",
		Properties: map[string]*jsonschema.Schema{
			"type":        {Type: "string", Format: "uri", Description: "Name of the kind of problem.", Pattern: "^urn:heddle:error:[a-z_]+$"},
			"title":       text("The code in words."),
			"status":      {Type: "integer", Description: "The HTTP status.", Minimum: new(400.0), Maximum: new(599.0)},
			"detail":      text("A sentence for people that says what to change."),
			"code":        {Type: "string", Description: "The stable code, for programs.", Enum: codes},
			"field":       text("The member or header at fault, as a path."),
			"retry_after": {Type: "integer", Description: "Seconds to wait before trying again.", Minimum: new(1.0)},
			"reference":   text("Where an internal error is found in the log."),
		},
		PropertyOrder: []string{"type", "title", "status", "detail", "code", "field", "retry_after", "reference"},
	}
	s.Required = s.PropertyOrder[:5]
	return s
}

// parameters are the headers that requests may carry.
func parameters() map[string]parameter {
	return map[string]parameter{
		"HeddleTimeout": {
			Name: contract.HeaderTimeout, In: "header",
			Description: fmt.Sprintf("Time the request may take, such as 2.5s, at most %g hour. When it runs out the work is ended and answered with deadline_exceeded.", contract.MaxTimeout.Hours()),
			Schema:      &jsonschema.Schema{Type: "string", Pattern: `^\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)([0-9.]+(ns|us|µs|μs|ms|s|m|h))*$`},
		},
		"Range": {
			Name: "Range", In: "header",
			Description: "One range of bytes of the result, such as bytes=1000- for what is missing after an interruption. Several ranges and other units are ignored.",
			Schema:      &jsonschema.Schema{Type: "string"},
		},
		"IfRange": {
			Name: "If-Range", In: "header",
			Description: "Entity tag of the result whose range is wanted; the whole result is sent if it has another.",
			Schema:      &jsonschema.Schema{Type: "string"},
		},
		"IfNoneMatch": {
			Name: "If-None-Match", In: "header",
			Description: "Entity tags of results that the caller has.",
			Schema:      &jsonschema.Schema{Type: "string"},
		},
	}
}

// headers are those that responses may carry.
func headers() map[string]header {
	text := func(description, value string) header {
		return header{Description: description, Schema: &jsonschema.Schema{Type: "string"}, Example: value}
	}
	return map[string]header{
		"ServerTiming":      text("Time spent waiting for a slot and working, in milliseconds.", "queue;dur=0.012, work;dur=3.400"),
		"HeddleInstance":    text("Id of the instance that did the work.", "Xqf7pVvWf0qzYxU1n4Nd2B"),
		"ETag":              text("Strong entity tag of the result in this media type.", `"4Zr7WQm1mV0cJwq6mF8rGg"`),
		"CacheControl":      text("A result never changes.", strings.Join(keepForEver, ", ")),
		"Vary":              text("The form of the result depends on Accept.", strings.Join(varyAccept, ", ")),
		"AcceptRanges":      text("Ranges of bytes can be asked for.", acceptRanges[0]),
		"ContentRange":      text("Which bytes of how many these are.", contract.FormatContentRange(0, 1000, 20898810)),
		"ReprDigest":        text("SHA-256 of the whole result (RFC 9530), for large results if it is known before they are sent.", contract.FormatDigest([32]byte{})),
		"Location":          text("Path of the job.", jobPath("fibonacci-term-k3x9p2")),
		"Link":              text("The next page of a list, if there is one (RFC 8288).", `<`+jobsPath+`?page=k3x9p2>; rel="next"`),
		"PreferenceApplied": text("Which preferences were followed.", "respond-async"),
		"RetryAfter": {
			Description: "Seconds to wait before trying again.",
			Schema:      &jsonschema.Schema{Type: "integer", Minimum: new(1.0)},
			Example:     1,
		},
	}
}

// headerRefs points to header components under the names that the headers have.
func headerRefs(names ...string) map[string]any {
	spelled := map[string]string{
		"ServerTiming": contract.HeaderServerTiming, "HeddleInstance": contract.HeaderInstance,
		"Location": "Location", "Link": "Link", "PreferenceApplied": "Preference-Applied",
		"ETag": "ETag", "CacheControl": "Cache-Control", "Vary": "Vary", "RetryAfter": "Retry-After",
		"AcceptRanges": "Accept-Ranges", "ContentRange": contract.HeaderContentRange, "ReprDigest": contract.HeaderDigest,
	}
	refs := make(map[string]any, len(names))
	for _, name := range names {
		refs[spelled[name]] = ref{"#/components/headers/" + name}
	}
	return refs
}
