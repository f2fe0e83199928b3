// Package schema describes the bodies of the contract as JSON Schema 2020-12, for
// the OpenAPI document, for service discovery and for turning query parameters into
// JSON. It does not validate: a request's Validate method is the one judge, and a
// schema may be stricter than it, never more lenient about a member's type.
//
//	s, err := schema.Request(contract.FibonacciTerm.Descriptor().Request)
//
// Names, order and optional members come from the json tags. What the Go type cannot
// say stands in more tags of the field, named after the JSON Schema keyword:
//
//	Digits *int `json:"digits,omitempty" doc:"Digits after the point." minimum:"0" default:"20"`
//
// The tags are doc (the description), default, minimum, maximum, maxLength, maxItems,
// pattern and format.
package schema

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// Dialect is the value of the $schema member of every schema made here.
const Dialect = "https://json-schema.org/draft/2020-12/schema"

// maxDepth bounds the nesting of types, and so catches types that contain themselves.
const maxDepth = 8

// Request returns the schema of a request body: what a service accepts. The type must
// be a struct of the contract; anything that has no schema is an error that names its
// path. The caller owns the schema.
func Request(t reflect.Type) (*jsonschema.Schema, error) { return describe(t, request) }

// Result returns the schema of a result body: what a service sends. It differs from
// [Request] in that every member has one JSON type. The caller owns the schema.
func Result(t reflect.Type) (*jsonschema.Schema, error) { return describe(t, result) }

// direction says who writes the body.
type direction int

const (
	request direction = iota
	result
)

func describe(t reflect.Type, d direction) (*jsonschema.Schema, error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("describe %s: a body must be a struct", t)
	}
	s, err := object(t, d, maxDepth)
	if err != nil {
		return nil, fmt.Errorf("describe %s: %w", t, err)
	}
	s.Schema = Dialect
	return s, nil
}

// object describes a struct. Members that are not omitted when empty are required.
func object(t reflect.Type, d direction, depth int) (*jsonschema.Schema, error) {
	if depth == 0 {
		return nil, fmt.Errorf("%s is nested too deeply", t)
	}
	s := &jsonschema.Schema{
		Type:                 "object",
		Properties:           make(map[string]*jsonschema.Schema),
		AdditionalProperties: never(),
	}
	for field := range t.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case name == "-" && options == "":
			continue
		case name == "" || field.Anonymous || !field.IsExported():
			return nil, fmt.Errorf("field %s: an exported field with a json name is needed", field.Name)
		}
		property, err := member(field, d, depth)
		if err != nil {
			return nil, fmt.Errorf("member %s: %w", name, err)
		}
		s.Properties[name] = property
		s.PropertyOrder = append(s.PropertyOrder, name)
		if !strings.Contains(options, "omit") {
			s.Required = append(s.Required, name)
		}
	}
	return s, nil
}

// member describes a field by its type and then by its tags.
func member(field reflect.StructField, d direction, depth int) (*jsonschema.Schema, error) {
	s, err := value(field.Type, d, depth)
	if err != nil {
		return nil, err
	}
	if err := refine(s, field); err != nil {
		return nil, err
	}
	return s, nil
}

// value describes a type.
func value(t reflect.Type, d direction, depth int) (*jsonschema.Schema, error) {
	if describe, ok := special[t]; ok {
		return describe(d), nil
	}
	if marshals(t) {
		return nil, fmt.Errorf("%s has a JSON form of its own, which is not known here", t)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return value(t.Elem(), d, depth)
	case reflect.Struct:
		return object(t, d, depth-1)
	case reflect.Slice:
		items, err := value(t.Elem(), d, depth)
		if err != nil {
			return nil, err
		}
		return &jsonschema.Schema{Type: "array", Items: items}, nil
	case reflect.String:
		return &jsonschema.Schema{Type: "string"}, nil
	case reflect.Bool:
		return &jsonschema.Schema{Type: "boolean"}, nil
	case reflect.Int, reflect.Int64:
		return &jsonschema.Schema{Type: "integer"}, nil
	case reflect.Float64:
		return &jsonschema.Schema{Type: "number"}, nil
	default:
		return nil, fmt.Errorf("%s has no JSON Schema in the contract", t)
	}
}

// marshals reports whether the type, or a pointer to it, reads or writes itself.
func marshals(t reflect.Type) bool {
	for _, i := range []reflect.Type{
		reflect.TypeFor[json.Marshaler](), reflect.TypeFor[json.Unmarshaler](),
		reflect.TypeFor[encoding.TextMarshaler](), reflect.TypeFor[encoding.TextUnmarshaler](),
	} {
		if t.Implements(i) || reflect.PointerTo(t).Implements(i) {
			return true
		}
	}
	return false
}

// refine adds to a schema what the tags of its field say.
func refine(s *jsonschema.Schema, field reflect.StructField) error {
	tag := field.Tag
	s.Description = tag.Get("doc")
	if f, ok := tag.Lookup("format"); ok {
		s.Format = f
	}
	if p, ok := tag.Lookup("pattern"); ok {
		s.Pattern = p
	}
	if v, ok := tag.Lookup("default"); ok {
		s.Default = literal(s, v)
		if !json.Valid(s.Default) {
			return fmt.Errorf("tag default: %q is not a value of the member", v)
		}
	}
	var err error
	if s.MaxLength, err = count(tag, "maxLength"); err != nil {
		return err
	}
	if s.MaxItems, err = count(tag, "maxItems"); err != nil {
		return err
	}
	minimum, err := bound(tag, "minimum")
	if err != nil {
		return err
	}
	if minimum != nil {
		s.Minimum = minimum
		if err := refineNumberText(s, field.Type, *minimum); err != nil {
			return err
		}
	}
	maximum, err := bound(tag, "maximum")
	if maximum != nil {
		s.Maximum = maximum
	}
	return err
}

// literal returns a tag's value as JSON of the schema's type.
func literal(s *jsonschema.Schema, text string) json.RawMessage {
	if s.Type == "string" || len(s.Types) > 0 {
		return json.RawMessage(strconv.Quote(text))
	}
	return json.RawMessage(text)
}

func count(tag reflect.StructTag, key string) (*int, error) {
	text, ok := tag.Lookup(key)
	if !ok {
		return nil, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("tag %s: %w", key, err)
	}
	return &n, nil
}

func bound(tag reflect.StructTag, key string) (*float64, error) {
	text, ok := tag.Lookup(key)
	if !ok {
		return nil, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, fmt.Errorf("tag %s: %w", key, err)
	}
	return &n, nil
}

// never returns the schema that no value has.
func never() *jsonschema.Schema { return &jsonschema.Schema{Not: &jsonschema.Schema{}} }
