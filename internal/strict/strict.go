// Package strict reads JSON from outside into Go values and leaves nothing to guess: what
// is unknown, twice there, of another type or another letter case is an error that says what
// to change. It checks no values: requests have Validate for that.
//
//	var r contract.TermRequest
//	if err := strict.Decode(body, &r); err != nil {
//		return err // a *contract.Error
//	}
package strict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/seed-649d3d38/heddle/contract"
)

// strict are the options of every Decode. Without further options the library
// already refuses duplicate names, other letter case, invalid UTF-8 and bytes after
// the end.
var strict = json.JoinOptions(json.RejectUnknownMembers(true))

// Decode reads a request body into the request, a pointer to a struct. It returns an
// [*contract.Error]: [contract.CodeMalformedRequest] when the body is not one JSON
// object, [contract.CodeInvalidArgument] with the field when a member is at fault.
func Decode(body []byte, request any) error {
	if len(body) == 0 {
		return contract.Errorf(contract.CodeMalformedRequest, "the request is empty; send a JSON object such as {}")
	}
	err := json.Unmarshal(body, request, strict)
	if err == nil {
		return refuseNull(body)
	}
	if e, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return syntaxError(e)
	}
	if e, ok := errors.AsType[*json.SemanticError](err); ok {
		return memberError(e, reflect.TypeOf(request).Elem())
	}
	return contract.Errorf(contract.CodeMalformedRequest, "the request cannot be read as JSON").WithCause(err)
}

// refuseNull returns an error if a member is null. The library reads null as the zero
// value, which would make a member that is there look like one that is missing. The body
// has been decoded, so it is valid.
func refuseNull(body []byte) error {
	if !bytes.Contains(body, []byte("null")) {
		return nil
	}
	tokens := jsontext.NewDecoder(bytes.NewReader(body))
	for {
		token, err := tokens.ReadToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return contract.Errorf(contract.CodeMalformedRequest, "the request cannot be read as JSON").WithCause(err)
		}
		if at := field(tokens.StackPointer()); token.Kind() == 'n' && at != "" {
			return contract.Invalid(at, "must not be null; leave it out")
		}
	}
}

// syntaxError describes a body that is not JSON, or not strictly.
func syntaxError(e *jsontext.SyntacticError) *contract.Error {
	if errors.Is(e, jsontext.ErrDuplicateName) {
		return contract.Errorf(contract.CodeMalformedRequest, "appears more than once; send it once").At(field(e.JSONPointer))
	}
	return contract.Errorf(contract.CodeMalformedRequest, "the request is not valid JSON at byte %d: %v", e.ByteOffset, e.Err)
}

// memberError describes a member that is unknown, or whose value does not fit.
func memberError(e *json.SemanticError, request reflect.Type) *contract.Error {
	at := field(e.JSONPointer)
	if at == "" {
		return contract.Errorf(contract.CodeMalformedRequest, "the request must be a JSON object, such as {}")
	}
	if errors.Is(e, json.ErrUnknownName) {
		return unknownMember(at, request)
	}
	if ours, ok := errors.AsType[*contract.Error](e.Err); ok {
		return ours.At(at)
	}
	return contract.Invalid(at, "must be %s", wanted(e.GoType)).WithCause(e)
}

// unknownMember names the members there are, and the one that was probably meant.
func unknownMember(at string, request reflect.Type) *contract.Error {
	known := members(request)
	i := slices.IndexFunc(known, func(name string) bool { return strings.EqualFold(name, at) })
	if i >= 0 {
		return contract.Invalid(at, "is not a member; did you mean %q?", known[i])
	}
	return contract.Invalid(at, "is not a member; the members are %s", strings.Join(known, ", "))
}

// members returns the JSON names of a request's members.
func members(request reflect.Type) []string {
	var names []string
	for f := range request.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// field turns a JSON pointer ("/values/3") into a field path ("values/3").
func field(p jsontext.Pointer) string { return strings.TrimPrefix(string(p), "/") }

// wanted says in words which JSON value a Go type reads.
func wanted(t reflect.Type) string {
	if t == nil {
		return "of another type"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return wanted(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return fmt.Sprintf("a whole JSON number of at most %d bits", t.Bits())
	case reflect.Float32, reflect.Float64:
		return "a JSON number within the range of a double"
	case reflect.String:
		return "a JSON string"
	case reflect.Slice, reflect.Array:
		return "a JSON array"
	default:
		return "a JSON object"
	}
}
