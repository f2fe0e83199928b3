package contract_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
)

// The golden files hold everything that other programs rely on. A difference is a change
// of the wire: it needs a reason in the commit, and after v1.0.0 it must be an addition.
var update = flag.Bool("update", false, "write the golden files anew")

// golden compares the JSON of v with a file of testdata.
func golden(t *testing.T, name string, v any) {
	t.Helper()
	var got bytes.Buffer
	encoder := json.NewEncoder(&got)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("the wire has changed; if that is meant, run go test ./contract -update and say why in the commit\n%s", difference(want, got.Bytes()))
	}
}

// difference returns the first lines that differ.
func difference(want, got []byte) string {
	w, g := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d\n- %s\n+ %s", i+1, w[i], g[i])
		}
	}
	return fmt.Sprintf("%d lines, were %d", len(g), len(w))
}

func TestEndpointsOnTheWire(t *testing.T) {
	t.Parallel()
	type example struct {
		Summary string `json:"summary"`
		Request any    `json:"request"`
		Result  any    `json:"result"`
	}
	type endpoint struct {
		Name       string    `json:"name"`
		Subject    string    `json:"subject"`
		Batch      string    `json:"batch_subject"`
		QueueGroup string    `json:"queue_group"`
		Route      string    `json:"route"`
		BatchRoute string    `json:"batch_route"`
		Pure       bool      `json:"pure"`
		Plain      bool      `json:"plain"`
		Timeout    string    `json:"timeout"`
		MaxRequest int       `json:"max_request"`
		Request    []string  `json:"request"`
		Result     []string  `json:"result"`
		Examples   []example `json:"examples"`
	}
	var all []endpoint
	for _, d := range contract.All() {
		e := endpoint{
			Name: d.Name(), Subject: d.Subject(), QueueGroup: contract.QueueGroup(d.Service), Route: d.Route(),
			Batch: d.BatchSubject(), BatchRoute: d.BatchRoute(),
			Pure: d.Pure, Plain: d.HasPlain(), Timeout: d.Timeout.String(), MaxRequest: d.MaxRequest,
			Request: members("", d.Request), Result: members("", d.Result),
			Examples: []example{},
		}
		for _, x := range d.Examples {
			e.Examples = append(e.Examples, example(x))
		}
		all = append(all, e)
	}
	golden(t, "endpoints.json", all)
}

// members lists the members of a body: path, Go type and what the json tag says besides.
func members(path string, t reflect.Type) []string {
	var list []string
	for field := range t.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		list = append(list, strings.TrimSpace(fmt.Sprintf("%s%s %s %s", path, name, field.Type, options)))
		if element := field.Type; element.Kind() == reflect.Slice && element.Elem().Kind() == reflect.Struct {
			list = append(list, members(path+name+"[].", element.Elem())...)
		}
	}
	return list
}

func TestCodesOnTheWire(t *testing.T) {
	t.Parallel()
	type code struct {
		Code    contract.Code   `json:"code"`
		Status  int             `json:"status"`
		Title   string          `json:"title"`
		Problem *contract.Error `json:"problem"`
	}
	var all []code
	for _, c := range contract.Codes() {
		all = append(all, code{c, c.Status(), c.Title(), contract.Errorf(c, "say what to change")})
	}
	full := contract.Invalid("n", "must be above %d", 0).WithCause(fs.ErrPermission)
	full.RetryAfter, full.Reference = 1500*time.Millisecond, "4f1c"
	all = append(all, code{"", 0, "with every member", full})
	golden(t, "codes.json", all)
}

// TestStringsOnTheWire pins all constants that are texts: header names, media types,
// codes, roundings. They are read from the source, so that none can be forgotten here.
func TestStringsOnTheWire(t *testing.T) {
	t.Parallel()
	texts := make(map[string]string)
	for _, c := range stringConstants(t) {
		texts[c.name] = c.value
	}
	golden(t, "strings.json", texts)
}

func TestHandlesOnTheWire(t *testing.T) {
	t.Parallel()
	golden(t, "handles.json", map[string]any{
		"subject": contract.HandleSubject("<service>", "<instance>", "<id>"),
		"reply":   json.RawMessage(handleBody(t, exampleHandle())),
		"digest":  json.RawMessage(handleBody(t, withDigest(exampleHandle()))),
		"part":    contract.PartRequest{Offset: contract.MaxPart, Length: contract.MaxPart},
		"first":   contract.PartRequest{Length: contract.MaxPart},
		"release": contract.PartRequest{Release: true},
		"range":   contract.FormatContentRange(0, contract.MaxPart, 20898810),
	})
}

// TestLaneOnTheWire pins what instances of different releases share.
func TestLaneOnTheWire(t *testing.T) {
	t.Parallel()
	golden(t, "lane.json", map[string]string{
		"subject": contract.LaneSubject("fibonacci", "term"),
		"stream":  contract.LaneStream("fibonacci"),
		"reply":   contract.HeaderReply,
		"taken":   contract.HeaderTaken,
	})
}

func TestLimitsOnTheWire(t *testing.T) {
	t.Parallel()
	golden(t, "limits.json", map[string]any{
		"DefaultTimeout":    contract.DefaultTimeout.String(),
		"DefaultMaxRequest": contract.DefaultMaxRequest,
		"DefaultRootDigits": contract.DefaultRootDigits,
		"HeaderRoom":        contract.HeaderRoom,
		"MaxBatchBody":      contract.MaxBatchBody,
		"MaxBatchJobBody":   contract.MaxBatchJobBody,
		"MaxBatchJobItems":  contract.MaxBatchJobItems,
		"MaxGathered":       contract.MaxGathered,
		"MaxChunkItems":     contract.MaxChunkItems,
		"MaxFloats":         contract.MaxFloats,
		"MaxPart":           contract.MaxPart,
		"MaxTermDigits":     contract.MaxTermDigits,
		"MaxTimeout":        contract.MaxTimeout.String(),
		"MaxURLLength":      contract.MaxURLLength,
	})
}

// TestListsAreComplete compares the lists that the package returns with the constants in
// its source.
func TestListsAreComplete(t *testing.T) {
	t.Parallel()
	var codes []contract.Code
	var roundings []contract.Rounding
	for _, c := range stringConstants(t) {
		switch c.typ {
		case "Code":
			codes = append(codes, contract.Code(c.value))
		case "Rounding":
			roundings = append(roundings, contract.Rounding(c.value))
		}
	}
	if listed := slices.Sorted(slices.Values(contract.Codes())); !slices.Equal(listed, slices.Sorted(slices.Values(codes))) {
		t.Errorf("Codes() has %v, the source %v", listed, codes)
	}
	if listed := slices.Sorted(slices.Values(contract.Roundings())); !slices.Equal(listed, slices.Sorted(slices.Values(roundings))) {
		t.Errorf("Roundings() has %v, the source %v", listed, roundings)
	}
	if !slices.IsSortedFunc(contract.Codes(), func(a, b contract.Code) int { return a.Status() - b.Status() }) {
		t.Error("Codes() is not in the order of the numbers")
	}
}

type stringConstant struct{ name, typ, value string }

// stringConstants returns the exported constants of the package whose value is a string
// literal.
func stringConstants(t *testing.T) []stringConstant {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var constants []stringConstant
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			group, ok := declaration.(*ast.GenDecl)
			if !ok || group.Tok != token.CONST {
				continue
			}
			for _, spec := range group.Specs {
				constants = append(constants, stringsOf(t, spec.(*ast.ValueSpec))...)
			}
		}
	}
	return constants
}

// stringsOf returns the exported string constants of one line.
func stringsOf(t *testing.T, spec *ast.ValueSpec) []stringConstant {
	t.Helper()
	var constants []stringConstant
	for i, value := range spec.Values {
		literal, ok := value.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING || !spec.Names[i].IsExported() {
			continue
		}
		text, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		c := stringConstant{name: spec.Names[i].Name, value: text}
		if typ, ok := spec.Type.(*ast.Ident); ok {
			c.typ = typ.Name
		}
		constants = append(constants, c)
	}
	return constants
}
