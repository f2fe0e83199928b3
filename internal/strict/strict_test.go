package strict

import (
	"strings"
	"testing"

	"github.com/seed-649d3d38/heddle/contract"
)

// shape has a member of every kind that requests have.
type shape struct {
	N       contract.Integer  `json:"n"`
	X       contract.Rational `json:"x,omitempty"`
	Digits  *int              `json:"digits,omitempty"`
	Values  []float64         `json:"values,omitempty"`
	Name    string            `json:"name,omitempty"`
	Precise bool              `json:"precise,omitempty"`
}

func TestDecode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		code       contract.Code // empty: decodes
		field      string
		detail     string // part of the sentence
	}{
		{"all members", `{"n":"5","x":"1/3","digits":3,"values":[1,2.5],"name":"a","precise":true}`, "", "", ""},
		{"integer as number", `{"n":5}`, "", "", ""},
		{"largest safe number", `{"n":9007199254740991}`, "", "", ""},
		{"space around", " {\"n\":\"5\"}\n", "", "", ""},
		{"empty", ``, contract.CodeMalformedRequest, "", "empty"},
		{"not JSON", `n=5`, contract.CodeMalformedRequest, "", "byte"},
		{"cut off", `{"n":"5"`, contract.CodeMalformedRequest, "", "byte 8"},
		{"trailing data", `{"n":"5"} x`, contract.CodeMalformedRequest, "", "byte"},
		{"NaN", `{"values":[NaN]}`, contract.CodeMalformedRequest, "", "byte"},
		{"array", `[1]`, contract.CodeMalformedRequest, "", "object"},
		{"string", `"n"`, contract.CodeMalformedRequest, "", "object"},
		{"duplicate", `{"n":"5","n":"6"}`, contract.CodeMalformedRequest, "n", "more than once"},
		{"unknown", `{"m":"5"}`, contract.CodeInvalidArgument, "m", "members are n, x, digits"},
		{"wrong case", `{"N":"5"}`, contract.CodeInvalidArgument, "N", `did you mean "n"`},
		{"beyond safe", `{"n":9007199254740992}`, contract.CodeInvalidArgument, "n", "sent as a string"},
		{"exponent", `{"n":1e3}`, contract.CodeInvalidArgument, "n", "sent as a string"},
		{"not an integer", `{"n":"5.5"}`, contract.CodeInvalidArgument, "n", "whole number"},
		{"integer as bool", `{"n":true}`, contract.CodeInvalidArgument, "n", "string of digits"},
		{"integer as null", `{"n":null}`, contract.CodeInvalidArgument, "n", ""},
		{"int as null", `{"n":"1","digits":null}`, contract.CodeInvalidArgument, "digits", "leave it out"},
		{"item as null", `{"n":"1","values":[null]}`, contract.CodeInvalidArgument, "values/0", "leave it out"},
		{"null in a string", `{"n":"1","name":"null"}`, "", "", ""},
		{"fraction as number", `{"x":0.1}`, contract.CodeInvalidArgument, "x", "sent as a string"},
		{"zero denominator", `{"x":"1/0"}`, contract.CodeInvalidArgument, "x", "denominator"},
		{"int as string", `{"digits":"3"}`, contract.CodeInvalidArgument, "digits", "whole JSON number"},
		{"int with fraction", `{"digits":3.5}`, contract.CodeInvalidArgument, "digits", "whole JSON number"},
		{"int overflow", `{"digits":99999999999999999999}`, contract.CodeInvalidArgument, "digits", "64 bits"},
		{"float overflow", `{"values":[1,1e999]}`, contract.CodeInvalidArgument, "values/1", "double"},
		{"float as string", `{"values":["1"]}`, contract.CodeInvalidArgument, "values/0", "JSON number"},
		{"list as number", `{"values":1}`, contract.CodeInvalidArgument, "values", "array"},
		{"string as number", `{"name":1}`, contract.CodeInvalidArgument, "name", "string"},
		{"bool as number", `{"precise":1}`, contract.CodeInvalidArgument, "precise", "true or false"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := Decode([]byte(c.body), new(shape))
			if c.code == "" {
				if err != nil {
					t.Fatalf("got %v, want no error", err)
				}
				return
			}
			if err == nil {
				t.Fatalf("got no error, want %s", c.code)
			}
			e := contract.FromError(err)
			if e.Code != c.code || e.Field != c.field || !strings.Contains(e.Detail, c.detail) {
				t.Errorf("got %s at %q: %s; want %s at %q: …%s…", e.Code, e.Field, e.Detail, c.code, c.field, c.detail)
			}
		})
	}
}

// FuzzDecode checks that no body does anything but decode or fail with a code.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"n":"5"}`, `{"n":9007199254740992}`, `{"values":[1e999]}`, `{"x":"1/0"}`, `[`, `{"n":"\u0035"}`, "{\"\xff\":1}", `{"digits":-0}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		err := Decode(body, new(shape))
		if err == nil {
			return
		}
		if e := contract.FromError(err); e.Code != contract.CodeMalformedRequest && e.Code != contract.CodeInvalidArgument {
			t.Errorf("%q: got %v", body, err)
		}
	})
}
