package schema_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/jsonschema-go/jsonschema"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/schema"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden pins the schema of every body of the contract: it is part of the wire.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, d := range contract.All() {
		t.Run(d.Name(), func(t *testing.T) {
			t.Parallel()
			golden(t, d.Name()+".request.json", build(t, schema.Request, d.Request))
			golden(t, d.Name()+".result.json", build(t, schema.Result, d.Result))
		})
	}
}

// TestExamples holds the examples of the contract against their schemas.
func TestExamples(t *testing.T) {
	t.Parallel()
	for _, d := range contract.All() {
		request := resolve(t, build(t, schema.Request, d.Request))
		result := resolve(t, build(t, schema.Result, d.Result))
		for _, x := range d.Examples {
			if err := request.Validate(generic(t, x.Request)); err != nil {
				t.Errorf("%s: %s: request: %v", d.Name(), x.Summary, err)
			}
			if err := result.Validate(generic(t, x.Result)); err != nil {
				t.Errorf("%s: %s: result: %v", d.Name(), x.Summary, err)
			}
		}
	}
}

// TestDescriptions sees to it that no member of the contract goes undocumented.
func TestDescriptions(t *testing.T) {
	t.Parallel()
	for _, d := range contract.All() {
		for _, s := range []*jsonschema.Schema{build(t, schema.Request, d.Request), build(t, schema.Result, d.Result)} {
			for name, member := range s.Properties {
				if member.Description == "" {
					t.Errorf("%s: member %s has no doc tag", d.Name(), name)
				}
			}
		}
	}
}

// TestAgreesWithValidate sends the same request through the schema and through the
// contract's own decoding and Validate: at the limits both must say the same.
func TestAgreesWithValidate(t *testing.T) {
	t.Parallel()
	digits := func(n int) string { return strings.Repeat("9", n) }
	floats := func(n int) string { return "[1" + strings.Repeat(",1", n-1) + "]" }
	cases := map[string]struct {
		operation contract.Descriptor
		body      string
		valid     bool
	}{
		"term":                   {contract.FibonacciTerm.Descriptor(), `{"n":"100"}`, true},
		"term as number":         {contract.FibonacciTerm.Descriptor(), `{"n":100}`, true},
		"term, signed":           {contract.FibonacciTerm.Descriptor(), `{"n":"+0100"}`, true},
		"term, largest safe":     {contract.FibonacciTerm.Descriptor(), `{"n":9007199254740991}`, true},
		"term, beyond safe":      {contract.FibonacciTerm.Descriptor(), `{"n":9007199254740992}`, false},
		"term, below safe":       {contract.FibonacciTerm.Descriptor(), `{"n":-9007199254740992}`, false},
		"term, fraction":         {contract.FibonacciTerm.Descriptor(), `{"n":1.5}`, false},
		"term, empty":            {contract.FibonacciTerm.Descriptor(), `{"n":""}`, false},
		"term, two signs":        {contract.FibonacciTerm.Descriptor(), `{"n":"--1"}`, false},
		"term, words":            {contract.FibonacciTerm.Descriptor(), `{"n":"ten"}`, false},
		"term, boolean":          {contract.FibonacciTerm.Descriptor(), `{"n":true}`, false},
		"term, null":             {contract.FibonacciTerm.Descriptor(), `{"n":null}`, false},
		"term, missing":          {contract.FibonacciTerm.Descriptor(), `{}`, false},
		"term, most digits":      {contract.FibonacciTerm.Descriptor(), `{"n":"-` + digits(contract.MaxTermDigits) + `"}`, true},
		"term, too many digits":  {contract.FibonacciTerm.Descriptor(), `{"n":"-` + digits(contract.MaxTermDigits+1) + `"}`, false},
		"modulus 1":              {contract.FibonacciTerm.Descriptor(), `{"n":"1","modulus":1}`, true},
		"modulus 0":              {contract.FibonacciTerm.Descriptor(), `{"n":"1","modulus":0}`, false},
		"modulus 000":            {contract.FibonacciTerm.Descriptor(), `{"n":"1","modulus":"000"}`, false},
		"modulus -1":             {contract.FibonacciTerm.Descriptor(), `{"n":"1","modulus":"-1"}`, false},
		"modulus, most digits":   {contract.FibonacciTerm.Descriptor(), `{"n":"1","modulus":"` + digits(contract.MaxTermDigits) + `"}`, true},
		"modulus, too long":      {contract.FibonacciTerm.Descriptor(), `{"n":"1","modulus":"` + digits(contract.MaxTermDigits+1) + `"}`, false},
		"root":                   {contract.SqrtRoot.Descriptor(), `{"x":"2.25"}`, true},
		"root of .5":             {contract.SqrtRoot.Descriptor(), `{"x":".5"}`, true},
		"root of 5.":             {contract.SqrtRoot.Descriptor(), `{"x":"5."}`, true},
		"root of 9/4":            {contract.SqrtRoot.Descriptor(), `{"x":"9/4"}`, true},
		"root of 9/04":           {contract.SqrtRoot.Descriptor(), `{"x":"9/04"}`, true},
		"root of 1/0":            {contract.SqrtRoot.Descriptor(), `{"x":"1/0"}`, false},
		"root of 1/":             {contract.SqrtRoot.Descriptor(), `{"x":"1/"}`, false},
		"root of a point":        {contract.SqrtRoot.Descriptor(), `{"x":"."}`, false},
		"root of nothing":        {contract.SqrtRoot.Descriptor(), `{"x":""}`, false},
		"root of -4":             {contract.SqrtRoot.Descriptor(), `{"x":"-4"}`, false},
		"root of number -4":      {contract.SqrtRoot.Descriptor(), `{"x":-4}`, false},
		"root of 1e3":            {contract.SqrtRoot.Descriptor(), `{"x":"1e3"}`, false},
		"digits 0":               {contract.SqrtRoot.Descriptor(), `{"x":"2","digits":0}`, true},
		"digits -1":              {contract.SqrtRoot.Descriptor(), `{"x":"2","digits":-1}`, false},
		"digits as text":         {contract.SqrtRoot.Descriptor(), `{"x":"2","digits":"5"}`, false},
		"rounding":               {contract.SqrtRoot.Descriptor(), `{"x":"2","rounding":"floor"}`, true},
		"rounding, unknown":      {contract.SqrtRoot.Descriptor(), `{"x":"2","rounding":"sideways"}`, false},
		"integer root":           {contract.SqrtInteger.Descriptor(), `{"x":"16"}`, true},
		"integer root of -1":     {contract.SqrtInteger.Descriptor(), `{"x":"-1"}`, false},
		"integer root of 2.5":    {contract.SqrtInteger.Descriptor(), `{"x":"2.5"}`, false},
		"floats":                 {contract.SqrtFloats.Descriptor(), `{"values":[4,-1,1e300]}`, true},
		"floats, none":           {contract.SqrtFloats.Descriptor(), `{"values":[]}`, true},
		"floats, null":           {contract.SqrtFloats.Descriptor(), `{"values":null}`, false},
		"floats, text":           {contract.SqrtFloats.Descriptor(), `{"values":["4"]}`, false},
		"floats, most":           {contract.SqrtFloats.Descriptor(), `{"values":` + floats(contract.MaxFloats) + `}`, true},
		"floats, too many":       {contract.SqrtFloats.Descriptor(), `{"values":` + floats(contract.MaxFloats+1) + `}`, false},
		"links":                  {contract.CrawlerLinks.Descriptor(), `{"url":"https://example.com/"}`, true},
		"links, longest address": {contract.CrawlerLinks.Descriptor(), `{"url":"https://e.com/` + strings.Repeat("a", contract.MaxURLLength-14) + `"}`, true},
		"links, address too long": {contract.CrawlerLinks.Descriptor(),
			`{"url":"https://e.com/` + strings.Repeat("a", contract.MaxURLLength-13) + `"}`, false},
		"links, limit -1": {contract.CrawlerLinks.Descriptor(), `{"url":"https://example.com/","limit":-1}`, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var body any
			if err := json.Unmarshal([]byte(c.body), &body); err != nil {
				t.Fatal(err)
			}
			schemaErr := resolve(t, build(t, schema.Request, c.operation.Request)).Validate(body)
			if (schemaErr == nil) != c.valid {
				t.Errorf("schema: %v, want valid %t", schemaErr, c.valid)
			}
			requestErr := check(c.operation.Request, c.body)
			if (requestErr == nil) != c.valid {
				t.Errorf("contract: %v, want valid %t", requestErr, c.valid)
			}
		})
	}
}

// check decodes and validates a body as the contract does.
func check(t reflect.Type, body string) error {
	request := reflect.New(t)
	if err := json.Unmarshal([]byte(body), request.Interface()); err != nil {
		return err
	}
	return request.Elem().Interface().(contract.Request).Validate()
}

func TestRefusedTypes(t *testing.T) {
	t.Parallel()
	type loop struct {
		Next []loop `json:"next"`
	}
	cases := map[string]reflect.Type{
		"not a struct":    reflect.TypeFor[string](),
		"contains itself": reflect.TypeFor[loop](),
		"no json name":    reflect.TypeFor[struct{ N int }](),
		"a map": reflect.TypeFor[struct {
			M map[string]int `json:"m"`
		}](),
		"its own JSON": reflect.TypeFor[struct {
			M netip.Addr `json:"m"`
		}](),
		"default of no type": reflect.TypeFor[struct {
			N int `json:"n" default:"x"`
		}](),
		"minimum no number": reflect.TypeFor[struct {
			N int `json:"n" minimum:"x"`
		}](),
		"maximum no number": reflect.TypeFor[struct {
			N int `json:"n" maximum:"x"`
		}](),
		"length no number": reflect.TypeFor[struct {
			N string `json:"n" maxLength:"x"`
		}](),
		"items no number": reflect.TypeFor[struct {
			N []int `json:"n" maxItems:"x"`
		}](),
		"minimum beyond text": reflect.TypeFor[struct {
			N contract.Integer `json:"n" minimum:"7"`
		}](),
	}
	for name, typ := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if s, err := schema.Request(typ); err == nil {
				t.Errorf("Request(%v) = %v, want an error", typ, s)
			}
		})
	}
}

// TestFurtherTypes pins the types that the gateway's own bodies and problems of other
// modules have.
func TestFurtherTypes(t *testing.T) {
	t.Parallel()
	s := build(t, schema.Result, reflect.TypeFor[struct {
		At   time.Time      `json:"at"`
		Data jsontext.Value `json:"data,omitempty" doc:"Anything."`
		Raw  []byte         `json:"raw,omitempty"`
		Skip func()         `json:"-"`
	}]())
	r := resolve(t, s)
	for body, valid := range map[string]bool{
		`{"at":"2026-01-02T03:04:05Z"}`:                  true,
		`{"at":"2026-01-02T03:04:05Z","data":{"a":[1]}}`: true,
		`{"at":"2026-01-02T03:04:05Z","data":null}`:      true,
		`{"at":"2026-01-02T03:04:05Z","raw":"AAEC"}`:     true,
		`{"at":"2026-01-02T03:04:05Z","raw":[0,1,2]}`:    false,
		`{"at":1}`:   false,
		`{"data":1}`: false,
		`{"at":"2026-01-02T03:04:05Z","Skip":{}}`: false,
	} {
		var v any
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			t.Fatal(err)
		}
		if err := r.Validate(v); (err == nil) != valid {
			t.Errorf("%s: %v, want valid %t", body, err, valid)
		}
	}
	if at := s.Properties["at"]; at.Format != "date-time" {
		t.Errorf("format of a time is %q", at.Format)
	}
	if raw := s.Properties["raw"]; raw.ContentEncoding != "base64" {
		t.Errorf("encoding of bytes is %q", raw.ContentEncoding)
	}
}

func build(t *testing.T, describe func(reflect.Type) (*jsonschema.Schema, error), typ reflect.Type) *jsonschema.Schema {
	t.Helper()
	s, err := describe(typ)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func resolve(t *testing.T, s *jsonschema.Schema) *jsonschema.Resolved {
	t.Helper()
	r, err := s.Resolve(&jsonschema.ResolveOptions{ValidateDefaults: true})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// generic returns a value as the JSON package reads it without knowing its type.
func generic(t *testing.T, v any) any {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func golden(t *testing.T, name string, v any) {
	t.Helper()
	got, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; run the test with -update and read the change\n got %s\nwant %s", name, got, want)
	}
}
