package rest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/seed-649d3d38/heddle/contract"
)

// TestWalkOpenAPI walks the OpenAPI document and sends to every method valid and
// invalid values for every member of its request, in every way a client could get them
// wrong. Whatever comes, the answer is never a 5xx, its status is documented, its body
// is valid against its schema, and what the schema forbids is refused.
func TestWalkOpenAPI(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.real()
	d := describe(s)
	var document struct {
		Paths map[string]struct {
			Get *struct {
				Parameters []struct {
					Ref    string `json:"$ref"`
					Name   string
					Schema *jsonschema.Schema
				}
			}
			Post *struct {
				RequestBody struct {
					Content map[string]struct {
						Schema struct {
							Ref string `json:"$ref"`
						}
						Examples map[string]struct{ Value json.RawMessage }
					}
				}
			}
		}
		Components struct{ Schemas map[string]*jsonschema.Schema }
	}
	if err := json.Unmarshal(d.raw, &document); err != nil {
		t.Fatal(err)
	}
	for path, item := range document.Paths {
		if item.Post == nil || strings.HasSuffix(path, "/batch") || strings.HasPrefix(path, "/v1/jobs/") || strings.HasPrefix(path, "/v1/queues/") || path == "/v1/schedules" {
			continue
		}
		content := item.Post.RequestBody.Content[contract.MediaJSON]
		w := &walker{suite: s, description: d, path: path, schema: document.Components.Schemas[content.Schema.Ref[len("#/components/schemas/"):]]}
		for _, name := range slices.Sorted(maps.Keys(content.Examples)) {
			base := make(map[string]json.RawMessage)
			if err := json.Unmarshal(content.Examples[name].Value, &base); err != nil {
				t.Fatal(err)
			}
			w.bases = append(w.bases, base)
		}
		if len(w.bases) == 0 { // the crawler's results are not for ever, so it has no example
			w.bases = []map[string]json.RawMessage{{"url": json.RawMessage(`"https://example.com/"`)}}
		}
		t.Run("POST "+path, func(t *testing.T) {
			t.Parallel()
			w.walkPost(t)
		})
		t.Run("POST "+path+"/batch", func(t *testing.T) {
			t.Parallel()
			w.walkBatch(t)
		})
		if item.Get == nil {
			continue
		}
		members := 0
		for _, p := range item.Get.Parameters {
			if p.Ref == "" {
				members++
			}
		}
		if members != len(w.schema.Properties) {
			t.Errorf("GET %s has %d parameters, want %d", path, members, len(w.schema.Properties))
		}
		t.Run("GET "+path, func(t *testing.T) {
			t.Parallel()
			w.walkGet(t)
		})
	}
}

// walker sends requests to one path.
type walker struct {
	*suite
	description
	path   string
	schema *jsonschema.Schema
	bases  []map[string]json.RawMessage
}

func (w *walker) walkPost(t *testing.T) {
	resolved, err := w.schema.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	answered := 0
	for _, body := range w.bodies() {
		send := func() *http.Request {
			return request(t, http.MethodPost, w.path, strings.NewReader(body), "Content-Type", contract.MediaJSON)
		}
		response := w.do(send())
		w.judge(t, send(), response)
		if response.StatusCode == http.StatusOK {
			answered++
			if err := valid(resolved, body); err != nil {
				t.Errorf("POST %s %s: answered, but the schema says %v", w.path, brief(body), err)
			}
		}
	}
	if answered == 0 {
		t.Error("nothing was answered")
	}
}

// valid says what a schema has against a body.
func valid(s *jsonschema.Resolved, body string) error {
	var v any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		return err
	}
	return s.Validate(v)
}

// judge checks a response.
func (w *walker) judge(t *testing.T, r *http.Request, response *http.Response) {
	t.Helper()
	if response.StatusCode >= http.StatusInternalServerError {
		t.Errorf("%s %s: status %d: %s", r.Method, brief(r.URL.String()), response.StatusCode, text(t, response))
		return
	}
	w.check(t, r, response)
}

// bodies returns every body for the path: each base with each member replaced by each
// candidate or left out, and what is wrong as a whole.
func (w *walker) bodies() []string {
	bodies := []string{
		"", " ", "null", "true", "0", `""`, "[]", "[{}]", "{", "}", "{}", "{}{}", "{} {}", `{"":1}`, "{,}", "NaN", "\ufeff{}", "\x00",
		"{\"\xff\":1}", "{\"n\":\"\xff\"}", `{"n":"\ud800"}`, "{'n':1}", "// {}", `{"n":NaN}`, `{"x":Infinity}`, `{"n":0x10}`, `{"n":01}`,
		strings.Repeat("[", 20_000), strings.Repeat(`{"n":`, 20_000), `{"n":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + "}",
	}
	for _, base := range w.bases {
		bodies = append(bodies, object(base))
		for name, property := range w.schema.Properties {
			for _, candidate := range candidates(property) {
				changed := maps.Clone(base)
				changed[name] = json.RawMessage(candidate)
				bodies = append(bodies, object(changed))
			}
			without := maps.Clone(base)
			delete(without, name)
			renamed := maps.Clone(without)
			renamed[strings.ToUpper(name)] = base[name]
			bodies = append(bodies, object(without), object(renamed))
			if base[name] != nil {
				bodies = append(bodies, strings.TrimSuffix(object(base), "}")+fmt.Sprintf(`,%q:%s}`, name, base[name]))
			}
		}
		for _, stranger := range []string{"extra", "__proto__", "ñ", " n", strings.Repeat("k", 10_000)} {
			more := maps.Clone(base)
			more[stranger] = json.RawMessage("1")
			bodies = append(bodies, object(more))
		}
	}
	return bodies
}

// object writes members as JSON, those that are no JSON too.
func object(members map[string]json.RawMessage) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if members[name] != nil {
			parts = append(parts, fmt.Sprintf("%q:%s", name, members[name]))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// texts are strings that something may stumble over.
func texts() []string {
	return []string{
		"", " ", "0", "1", "-1", "+1", "-0", "+", "-", "007", " 1", "1 ", "1.5", ".5", "5.", ".", "1e3", "1/3", "-1/3", "1/-3", "1/0", "0/1", "/", "1//2",
		"0x10", "1_000", "NaN", "Infinity", "-inf", "null", "true", "٣", "１", "½", "∞", "é", "e\u0301", "😀", "\u202e1", "\x00", "1\x00", "\n", `\`, `"`, "'", "<b>",
		"9007199254740991", "9007199254740993", "9223372036854775808", strings.Repeat("9", 400), strings.Repeat("0", 400) + "7",
		strings.Repeat("9", 10_000), strings.Repeat("9", 10_001), strings.Repeat("9", 20_000), strings.Repeat("😀", 9_000),
		"https://example.com/", "http://127.0.0.1/", "//x", "javascript:alert(1)", "http://" + strings.Repeat("a", 9_000), "http://[::1", "HTTP://EXAMPLE.COM:99999/",
	}
}

// numbers are JSON numbers at the limits of the types behind them.
func numbers() []string {
	return []string{
		"0", "-0", "1", "-1", "2", "20", "0.5", "1.0", "1e0", "1e2", "1E400", "1e-400", "-1e308", "5e-324", "9007199254740991", "9007199254740992",
		"-9007199254740992", "2147483648", "9223372036854775807", "9223372036854775808", "18446744073709551616", strings.Repeat("9", 5000), "0." + strings.Repeat("3", 5000),
	}
}

// candidates returns values for a member: those of its type, at and beyond every limit,
// and those of every other type.
func candidates(s *jsonschema.Schema) []string {
	list := []string{"null", "true", "false", "[]", "{}", "[[]]", "[null]", `[""]`, "[1]", `{"a":1}`, "NaN", "-Infinity", "1.", "01", "+1", "'a'"}
	list = append(list, numbers()...)
	for _, text := range texts() {
		list = append(list, quote(text))
	}
	for _, value := range s.Enum {
		list = append(list, quote(value.(string)), quote(strings.ToUpper(value.(string))))
	}
	for _, limit := range []*float64{s.Minimum, s.Maximum} {
		if limit != nil {
			list = append(list, fmt.Sprintf("%.0f", *limit-1), fmt.Sprintf("%.0f", *limit), fmt.Sprintf("%.0f", *limit+1))
		}
	}
	if s.MaxLength != nil {
		list = append(list, quote(strings.Repeat("7", *s.MaxLength)), quote(strings.Repeat("7", *s.MaxLength+1)))
	}
	if s.MaxItems != nil {
		list = append(list, "["+strings.Repeat("2,", *s.MaxItems-1)+"2]", "["+strings.Repeat("2,", *s.MaxItems)+"2]")
	}
	if s.Items != nil {
		for _, item := range candidates(s.Items) {
			list = append(list, "["+item+"]", "[4,"+item+",9]")
		}
	}
	return list
}

func (w *walker) walkGet(t *testing.T) {
	answered := 0
	for _, query := range w.queries(t) {
		r := request(t, http.MethodGet, w.path, nil)
		r.URL.RawQuery = query
		response := w.do(r)
		w.judge(t, r, response)
		if response.StatusCode == http.StatusOK {
			answered++
			// The library does not take every valid query for one, so its refusal of
			// an answered one is only worth a look when a scalar is repeated.
			if values, err := url.ParseQuery(query); err != nil || slices.ContainsFunc(slices.Sorted(maps.Keys(values)), func(name string) bool {
				return len(values[name]) > 1 && w.schema.Properties[name].Type != "array"
			}) {
				t.Errorf("GET %s?%s was answered", w.path, brief(query))
			}
		}
	}
	if answered == 0 {
		t.Error("nothing was answered")
	}
}

// queries returns every query for the path.
func (w *walker) queries(t *testing.T) []string {
	list := []string{"", "&", "=", "=1", "n", "n=1;x=2", "n=%", "n=%zz", "n=%ff", "%ff=1", "n=%00", "n[]=1", "x=1&n=1", strings.Repeat("n=1&", 2000)}
	for _, base := range w.bases {
		known := flatten(t, base)
		list = append(list, known.Encode(), known.Encode()+"&extra=1")
		for name := range w.schema.Properties {
			for _, value := range append(append(texts(), numbers()...), "true", "false", `1,"extra":2`, `1}`, "null", "[]", "{}") {
				if len(value) > 20_000 {
					continue // beyond what a header of the server may have
				}
				changed := maps.Clone(known)
				changed[name] = []string{value}
				list = append(list, changed.Encode())
			}
			without, twice := maps.Clone(known), maps.Clone(known)
			delete(without, name)
			twice[name] = append(slices.Clone(twice[name]), "1", "2")
			list = append(list, without.Encode(), twice.Encode())
		}
	}
	return list
}

// flatten writes the members of a request as query parameters.
func flatten(t *testing.T, members map[string]json.RawMessage) url.Values {
	t.Helper()
	values := make(url.Values)
	for name, raw := range members {
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatal(err)
		}
		items, isList := v.([]any)
		if !isList {
			items = []any{v}
		}
		for _, item := range items {
			values.Add(name, fmt.Sprint(item))
		}
	}
	return values
}

// queryOf writes a request as a query.
func queryOf(t *testing.T, v any) string {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(marshal(t, v)), &members); err != nil {
		t.Fatal(err)
	}
	return flatten(t, members).Encode()
}

func quote(s string) string {
	data, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// brief shortens a request for a message.
func brief(s string) string {
	if len(s) > 300 {
		return s[:300] + "…"
	}
	return s
}

func readCloser(s string) io.ReadCloser { return io.NopCloser(strings.NewReader(s)) }
