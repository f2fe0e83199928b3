package query_test

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/query"
	"github.com/seed-649d3d38/heddle/internal/schema"
)

// shape has a member of every form.
type shape struct {
	N      contract.Integer `json:"n"`
	Name   string           `json:"name,omitempty"`
	Count  *int             `json:"count,omitempty"`
	Values []float64        `json:"values,omitempty"`
	Exact  bool             `json:"exact,omitempty"`
}

func writer(t testing.TB) *query.Writer {
	t.Helper()
	s, err := schema.Request(reflect.TypeFor[shape]())
	if err != nil {
		t.Fatal(err)
	}
	w, err := query.NewWriter(s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestAppendJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		raw, want string
		field     string // at fault, when want is empty
	}{
		{"", `{}`, ""},
		{"n=100", `{"n":"100"}`, ""},
		{"n=1&name=7&count=3&values=1&values=-2.5e3&exact=true", `{"count":3,"exact":true,"n":"1","name":"7","values":[1,-2.5e3]}`, ""},
		{"name=%22%2C%22n%22:%221", `{"name":"\",\"n\":\"1"}`, ""},
		{"unknown=1", `{"unknown":"1"}`, ""},
		{"n=a+b", `{"n":"a b"}`, ""},
		{"n=1&n=2", "", "n"},
		{"count=3.5", "", "count"},
		{"count=1,%22n%22:2", "", "count"},
		{"count=", "", "count"},
		{"values=1&values=NaN", "", "values/1"},
		{"values=01", "", "values/0"},
		{"exact=yes", "", "exact"},
		{"name=%ff", "", "name"},
	} {
		values, err := url.ParseQuery(c.raw)
		if err != nil {
			t.Fatal(err)
		}
		got, err := writer(t).AppendJSON(nil, values)
		switch {
		case c.want != "" && (err != nil || string(got) != c.want):
			t.Errorf("%s: got %s, %v; want %s", c.raw, got, err, c.want)
		case c.want == "" && err == nil:
			t.Errorf("%s: got %s, want an error", c.raw, got)
		case c.want == "" && contract.FromError(err).Field != c.field:
			t.Errorf("%s: got %v, want an error at %s", c.raw, err, c.field)
		}
	}
}

func TestNestedRequestsHaveNoQuery(t *testing.T) {
	t.Parallel()
	type nested struct {
		Inner struct {
			N int `json:"n"`
		} `json:"inner"`
	}
	s, err := schema.Request(reflect.TypeFor[nested]())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := query.NewWriter(s); err == nil || !strings.Contains(err.Error(), "inner") {
		t.Errorf("got %v, want an error that names the member", err)
	}
}

// FuzzAppendJSON checks that no query brings JSON of its own into the request: what is
// written is one object with the query's names and, for strings, its values.
func FuzzAppendJSON(f *testing.F) {
	for _, seed := range []string{"n=1", "name=%22}", "count=1", "values=1&values=2", "exact=true", "a%22:1,%22b=2"} {
		f.Add(seed)
	}
	w := writer(f)
	f.Fuzz(func(t *testing.T, raw string) {
		values, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		body, err := w.AppendJSON(nil, values)
		if err != nil {
			return
		}
		var members map[string]any
		if err := json.Unmarshal(body, &members); err != nil {
			t.Fatalf("%q: wrote %s: %v", raw, body, err)
		}
		if len(members) != len(values) {
			t.Errorf("%q: wrote %s", raw, body)
		}
		for name, v := range members {
			if s, ok := v.(string); ok && s != values.Get(name) {
				t.Errorf("%q: member %q is %q", raw, name, s)
			}
		}
	})
}
