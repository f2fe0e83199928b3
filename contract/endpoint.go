package contract

import (
	"fmt"
	"reflect"
	"regexp"
	"time"
)

// Version is the contract's version in subjects and routes. It changes only when
// the wire breaks; it is also part of every entity tag the gateway hands out.
const Version = "v1"

const (
	// DefaultTimeout is the time a request may take when neither the caller nor
	// the endpoint's [Spec] names one.
	DefaultTimeout = 30 * time.Second

	// DefaultMaxRequest is the largest request body in bytes when the endpoint's
	// [Spec] names none. It leaves room for headers below the NATS default
	// max_payload of 1 MiB.
	DefaultMaxRequest = 960 << 10
)

// Spec describes an operation to everybody who did not write it: callers, the
// gateway, the documentation.
type Spec struct {
	// Service is the name of the service that solves the operation, in lower case.
	Service string
	// Operation is the operation's name within the service, in lower case.
	Operation string
	// Summary is one line for listings, without a final stop.
	Summary string
	// Description is a paragraph for the documentation.
	Description string
	// Pure says that equal requests have equal results for ever. Pure operations
	// also answer GET, and their results may be cached without limit.
	Pure bool
	// Timeout is the time a request may take when its caller names none; zero
	// means [DefaultTimeout].
	Timeout time.Duration
	// MaxRequest is the largest request body in bytes; zero means
	// [DefaultMaxRequest].
	MaxRequest int
}

// Subject returns the NATS subject of the operation's requests.
//
//	heddle.v1.fibonacci.term
func (s Spec) Subject() string { return Subject(s.Service, s.Operation) }

// BatchSubject returns the NATS subject of the operation's chunks.
//
//	heddle.v1.fibonacci.term.batch
func (s Spec) BatchSubject() string { return BatchSubject(s.Service, s.Operation) }

// BatchRoute returns the path of the operation's REST resource for batches.
//
//	/v1/fibonacci/term/batch
func (s Spec) BatchRoute() string { return s.Route() + "/batch" }

// Route returns the path of the operation's REST resource.
//
//	/v1/fibonacci/term
func (s Spec) Route() string { return "/" + Version + "/" + s.Service + "/" + s.Operation }

// Name returns the operation's full name as the command line writes it.
//
//	fibonacci.term
func (s Spec) Name() string { return s.Service + "." + s.Operation }

// Request is what an endpoint accepts. Validate reports the first fault of the
// request as an [*Error] with [CodeInvalidArgument] and the field at fault; it
// must not change the request and must be cheap, since it runs in the dispatcher.
type Request interface {
	Validate() error
}

// Plain is implemented by results that have a plain-text form, which a caller gets
// by accepting text/plain: bare digits, for example.
type Plain interface {
	// AppendPlain appends the plain-text form, without a final newline, to dst.
	AppendPlain(dst []byte) []byte
}

// Lines is implemented by results that are lists: structs whose one member is a slice. Its
// elements are the lines of their first form, [MediaNDJSON], which a reader can take one
// by one as they come. A caller gets the struct by accepting application/json.
type Lines interface {
	// AppendLines appends the elements to dst, each as JSON with a newline after it.
	AppendLines(dst []byte) []byte
}

// Example is a request and the result it must have. Examples appear in the
// documentation, and every service is tested against its own.
type Example[Req Request, Res any] struct {
	// Summary is a short title.
	Summary string
	Request Req
	Result  Res
}

// Endpoint is the declaration of one operation with its Go types. Endpoints are
// made by [Define]; they are values that never change and are safe to share.
type Endpoint[Req Request, Res any] struct {
	Spec
	examples []Example[Req, Res]
}

// name is the form of service and operation names: they are subject tokens, path
// segments and ADR-32 service names at once.
var name = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// Define declares an operation. It panics if the service or operation name is not
// a lower-case word of at most 32 letters, digits and underscores, or if the service
// has a name that subjects reserve (lane, handle, cancel, jobs, items, schedules, t), since a
// declaration is part of the program, not input.
func Define[Req Request, Res any](spec Spec, examples ...Example[Req, Res]) Endpoint[Req, Res] {
	if !name.MatchString(spec.Service) || isReserved(spec.Service) || !name.MatchString(spec.Operation) {
		panic(fmt.Sprintf("contract: bad endpoint name %q.%q", spec.Service, spec.Operation))
	}
	if spec.Timeout <= 0 {
		spec.Timeout = DefaultTimeout
	}
	if spec.MaxRequest <= 0 {
		spec.MaxRequest = DefaultMaxRequest
	}
	return Endpoint[Req, Res]{Spec: spec, examples: examples}
}

// Descriptor returns the endpoint without its type parameters, for code that
// treats all endpoints alike.
func (e Endpoint[Req, Res]) Descriptor() Descriptor {
	d := Descriptor{
		Spec:    e.Spec,
		Request: reflect.TypeFor[Req](),
		Result:  reflect.TypeFor[Res](),
	}
	for _, x := range e.examples {
		d.Examples = append(d.Examples, Sample{Summary: x.Summary, Request: x.Request, Result: x.Result})
	}
	return d
}

// Sample is an [Example] without its type parameters; both values marshal to JSON.
type Sample struct {
	Summary string
	Request any
	Result  any
}

// Descriptor is an [Endpoint] without its type parameters.
type Descriptor struct {
	Spec
	// Request and Result are the Go types of the bodies.
	Request, Result reflect.Type
	Examples        []Sample
}

// HasPlain reports whether results have a plain-text form.
func (d Descriptor) HasPlain() bool { return d.Result.Implements(reflect.TypeFor[Plain]()) }

// HasLines reports whether results have a form in lines.
func (d Descriptor) HasLines() bool { return d.Result.Implements(reflect.TypeFor[Lines]()) }

// Media returns the media types of results, the one first that a caller gets who accepts
// everything.
func (d Descriptor) Media() []string {
	var media []string
	if d.HasLines() {
		media = append(media, MediaNDJSON)
	}
	media = append(media, MediaJSON)
	if d.HasPlain() {
		media = append(media, MediaText)
	}
	return media
}

// All returns every operation of the suite in the order of the documentation. A
// new operation is added to this list and nowhere else in the contract.
func All() []Descriptor {
	return []Descriptor{
		FibonacciTerm.Descriptor(),
		FibonacciSequence.Descriptor(),
		SqrtRoot.Descriptor(),
		SqrtInteger.Descriptor(),
		SqrtFloats.Descriptor(),
		CrawlerLinks.Descriptor(),
	}
}
