// Package query turns names and values without types, as in the query of a URL or on a
// command line, into the JSON of a request. The schema of the request decides how each
// value is written; whether it is a good one is for the service to say.
//
//	w, err := query.NewWriter(schema)
//	body, err := w.AppendJSON(nil, url.Values{"n": {"100"}}) // {"n":"100"}
package query

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/jsonschema-go/jsonschema"

	"github.com/seed-649d3d38/heddle/contract"
)

// Writer writes requests of one operation. It never changes and is safe for concurrent
// use.
type Writer struct {
	members map[string]member
}

// member is how one member of a request is written.
type member struct {
	form form
	// list says that the member is an array, one parameter for each item.
	list bool
}

// form is how a single value is written.
type form int

const (
	formString  form = iota // as a JSON string, big numbers too
	formInteger             // as it is, a whole JSON number
	formNumber              // as it is, a JSON number
	formBoolean             // as it is, true or false
)

// NewWriter returns the writer for requests of the schema. It returns an error if the
// schema has a member that is no scalar and no list of scalars.
func NewWriter(s *jsonschema.Schema) (*Writer, error) {
	w := &Writer{members: make(map[string]member, len(s.Properties))}
	for name, property := range s.Properties {
		var m member
		if property.Type == "array" && property.Items != nil {
			m.list, property = true, property.Items
		}
		switch {
		case property.Type == "string" || slices.Contains(property.Types, "string"):
			m.form = formString
		case property.Type == "integer":
			m.form = formInteger
		case property.Type == "number":
			m.form = formNumber
		case property.Type == "boolean":
			m.form = formBoolean
		default:
			return nil, fmt.Errorf("member %s must be a scalar or a list of scalars", name)
		}
		w.members[name] = m
	}
	return w, nil
}

// AppendJSON appends the JSON object that the parameters stand for. Members are sorted
// and strings escaped in one way only, so that equal requests have equal bytes. A
// parameter that is no member is written as a string, for the service to refuse. It
// returns an [*contract.Error] with [contract.CodeInvalidArgument] for a value that is
// not of its member's form.
func (w *Writer) AppendJSON(dst []byte, parameters url.Values) ([]byte, error) {
	names := make([]string, 0, len(parameters))
	for name := range parameters {
		names = append(names, name)
	}
	slices.Sort(names)
	dst = append(dst, '{')
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendText(dst, name, "the name of a parameter"); err != nil {
			return dst, err
		}
		dst = append(dst, ':')
		if dst, err = w.members[name].append(dst, name, parameters[name]); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// append appends the values of one parameter.
func (m member) append(dst []byte, name string, values []string) ([]byte, error) {
	if !m.list {
		if len(values) > 1 {
			return dst, contract.Invalid(name, "appears more than once; send it once")
		}
		return m.form.append(dst, name, values[0])
	}
	dst = append(dst, '[')
	for i, value := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = m.form.append(dst, fmt.Sprintf("%s/%d", name, i), value); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

// The values that go into JSON as they are. Without the check they could bring any JSON
// with them.
var (
	integerSyntax = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	numberSyntax  = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
)

// append appends one value.
func (f form) append(dst []byte, name, value string) ([]byte, error) {
	switch {
	case f == formString:
		return appendText(dst, value, name)
	case f == formInteger && !integerSyntax.MatchString(value):
		return dst, contract.Invalid(name, "must be a whole number, such as 20")
	case f == formNumber && !numberSyntax.MatchString(value):
		return dst, contract.Invalid(name, "must be a JSON number, such as 2.5 or -1e3")
	case f == formBoolean && value != "true" && value != "false":
		return dst, contract.Invalid(name, "must be true or false")
	}
	return append(dst, value...), nil
}

// appendText appends text as a JSON string.
func appendText(dst []byte, text, name string) ([]byte, error) {
	quoted, err := jsontext.AppendQuote(dst, strings.Clone(text))
	if err != nil {
		return dst, contract.Invalid(name, "must be UTF-8").WithCause(err)
	}
	return quoted, nil
}
