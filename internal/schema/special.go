package schema

import (
	"fmt"
	"reflect"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/jsonschema-go/jsonschema"

	"github.com/seed-649d3d38/heddle/contract"
)

// special describes the types whose JSON form is not that of their Go kind.
var special = map[reflect.Type]func(direction) *jsonschema.Schema{
	reflect.TypeFor[contract.Integer]():  integer,
	reflect.TypeFor[contract.Rational](): rational,
	reflect.TypeFor[contract.Floats]():   floats,
	reflect.TypeFor[contract.Rounding](): func(direction) *jsonschema.Schema { return enum(contract.Roundings()) },
	reflect.TypeFor[contract.Code]():     func(direction) *jsonschema.Schema { return enum(contract.Codes()) },
	reflect.TypeFor[time.Time]():         func(direction) *jsonschema.Schema { return &jsonschema.Schema{Type: "string", Format: "date-time"} },
	reflect.TypeFor[[]byte](): func(direction) *jsonschema.Schema {
		return &jsonschema.Schema{Type: "string", ContentEncoding: "base64"}
	},
	reflect.TypeFor[*contract.Error](): problem,
	reflect.TypeFor[jsontext.Value]():  func(direction) *jsonschema.Schema { return &jsonschema.Schema{} }, // any JSON
}

// problem describes an error as it travels in documents.
func problem(direction) *jsonschema.Schema {
	return &jsonschema.Schema{
		Type:        "object",
		Description: "A problem as in RFC 9457. Its member code is stable.",
		Properties:  map[string]*jsonschema.Schema{"code": enum(contract.Codes()), "detail": {Type: "string"}},
		Required:    []string{"code"},
	}
}

// maxSafe is 2^53-1, the largest JSON number a request may use for a number that
// otherwise travels as a string.
const maxSafe = 1<<53 - 1

// The texts of numbers that travel as strings. A request may have a sign and leading
// zeros, as in contract.ParseInteger and contract.ParseRational; a result is canonical.
const (
	integerText    = `^[+-]?[0-9]+$`
	naturalText    = `^(\+?[0-9]+|-0+)$`
	positiveText   = `^\+?0*[1-9][0-9]*$`
	canonicalText  = `^(0|-?[1-9][0-9]*)$`
	rationalSuffix = `([0-9]+\.?[0-9]*|\.[0-9]+|[0-9]+/0*[1-9][0-9]*)$`
	rationalText   = `^[+-]?` + rationalSuffix
	naturalRatio   = `^(-(0+\.?0*|\.0+|0+/0*[1-9][0-9]*)$|\+?` + rationalSuffix + `)`
)

func integer(d direction) *jsonschema.Schema {
	if d == result {
		return &jsonschema.Schema{Type: "string", Pattern: canonicalText}
	}
	return numberText(integerText)
}

func rational(d direction) *jsonschema.Schema {
	if d == result {
		return &jsonschema.Schema{Type: "string", Pattern: rationalText}
	}
	return numberText(rationalText)
}

// numberText describes a number that a request carries as a string of the pattern or,
// when it is small enough to be exact everywhere, as a whole JSON number. Pattern binds
// strings only, minimum and maximum bind numbers only.
func numberText(pattern string) *jsonschema.Schema {
	return &jsonschema.Schema{
		Types:   []string{"string", "integer"},
		Pattern: pattern,
		Minimum: new(float64(-maxSafe)),
		Maximum: new(float64(maxSafe)),
	}
}

// refineNumberText narrows the pattern of a number in a string to what a minimum
// allows. A pattern can say "not negative" and "positive", no more.
func refineNumberText(s *jsonschema.Schema, t reflect.Type, minimum float64) error {
	switch {
	case s.Pattern == "":
		return nil
	case t == reflect.TypeFor[contract.Integer]() && minimum == 0:
		s.Pattern = naturalText
	case t == reflect.TypeFor[contract.Integer]() && minimum == 1:
		s.Pattern = positiveText
	case t == reflect.TypeFor[contract.Rational]() && minimum == 0:
		s.Pattern = naturalRatio
	default:
		return fmt.Errorf("tag minimum: %g cannot be said of a %s", minimum, t)
	}
	return nil
}

// floats describes a list of numbers; a result may have null where there is none.
func floats(d direction) *jsonschema.Schema {
	items := &jsonschema.Schema{Type: "number"}
	if d == result {
		items = &jsonschema.Schema{Types: []string{"number", "null"}}
	}
	return &jsonschema.Schema{Type: "array", Items: items}
}

// enum describes a string that is one of the values.
func enum[T ~string](values []T) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, v := range values {
		s.Enum = append(s.Enum, string(v))
	}
	return s
}
