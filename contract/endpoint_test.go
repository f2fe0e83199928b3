package contract_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
)

func TestDefine(t *testing.T) {
	t.Parallel()
	define := func(service, operation string) (e contract.Endpoint[contract.TermRequest, contract.TermResult], panicked bool) {
		defer func() { panicked = recover() != nil }()
		e = contract.Define[contract.TermRequest, contract.TermResult](contract.Spec{Service: service, Operation: operation})
		return e, false
	}
	longest := "a" + strings.Repeat("z", 31)
	for _, word := range []string{"a", "term", "v2", "two_words", longest} {
		if e, panicked := define(word, word); panicked || e.Name() != word+"."+word {
			t.Errorf("%q is refused as a name", word)
		}
	}
	for _, word := range []string{"", "Term", "2nd", "_a", "a.b", "a-b", "a b", "a*", "a>", "é", "a\n", longest + "z"} {
		if _, panicked := define(word, "term"); !panicked {
			t.Errorf("%q is taken as the name of a service", word)
		}
		if _, panicked := define("fibonacci", word); !panicked {
			t.Errorf("%q is taken as the name of an operation", word)
		}
	}
	for _, word := range []string{"lane", "handle", "cancel", "jobs", "schedules", "t"} {
		if _, panicked := define(word, "term"); !panicked {
			t.Errorf("the reserved word %q is taken as the name of a service", word)
		}
		if _, panicked := define("fibonacci", word); panicked {
			t.Errorf("%q is refused as the name of an operation", word)
		}
	}
	e, _ := define("fibonacci", "term")
	if e.Timeout != contract.DefaultTimeout || e.MaxRequest != contract.DefaultMaxRequest {
		t.Errorf("without limits: time-out %v, largest request %d", e.Timeout, e.MaxRequest)
	}
	e = contract.Define[contract.TermRequest, contract.TermResult](contract.Spec{
		Service: "fibonacci", Operation: "term", Timeout: time.Second, MaxRequest: 100,
	})
	if e.Timeout != time.Second || e.MaxRequest != 100 {
		t.Errorf("with limits: time-out %v, largest request %d", e.Timeout, e.MaxRequest)
	}
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	subjects, routes := make(map[string]bool), make(map[string]bool)
	for _, d := range contract.All() {
		if subjects[d.Subject()] || routes[d.Route()] {
			t.Errorf("%s is there twice", d.Name())
		}
		subjects[d.Subject()], routes[d.Route()] = true, true
		if d.Summary == "" || strings.HasSuffix(d.Summary, ".") || !strings.HasSuffix(d.Description, ".") {
			t.Errorf("%s: the summary is a line without a stop, the description has sentences", d.Name())
		}
		if d.Timeout <= 0 || d.Timeout > contract.MaxTimeout || d.MaxRequest <= 0 {
			t.Errorf("%s: time-out %v, largest request %d", d.Name(), d.Timeout, d.MaxRequest)
		}
		if d.Pure && len(d.Examples) == 0 {
			t.Errorf("%s has no examples", d.Name())
		}
	}
}

// TestExamples checks that each example is a valid request and that both of its sides
// survive JSON.
func TestExamples(t *testing.T) {
	t.Parallel()
	for _, d := range contract.All() {
		for _, example := range d.Examples {
			if example.Summary == "" {
				t.Errorf("%s has an example without a summary", d.Name())
			}
			if reflect.TypeOf(example.Request) != d.Request || reflect.TypeOf(example.Result) != d.Result {
				t.Errorf("%s, %s: the types are %T and %T", d.Name(), example.Summary, example.Request, example.Result)
			}
			if err := example.Request.(contract.Request).Validate(); err != nil {
				t.Errorf("%s, %s: %v", d.Name(), example.Summary, err)
			}
			for _, body := range []any{example.Request, example.Result} {
				first := marshal(t, body)
				copied := reflect.New(reflect.TypeOf(body))
				if err := json.Unmarshal([]byte(first), copied.Interface()); err != nil {
					t.Errorf("%s, %s: %v", d.Name(), example.Summary, err)
				}
				if second := marshal(t, copied.Elem().Interface()); first != second {
					t.Errorf("%s, %s: %s became %s", d.Name(), example.Summary, first, second)
				}
			}
		}
	}
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestPlainText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		result contract.Plain
		want   string
	}{
		{contract.TermResult{N: "-8", Value: "-21", Digits: 2}, "-21"},
		{contract.RootResult{Value: "1.50", Exact: true}, "1.50"},
		{contract.IntegerRootResult{Root: "3", Remainder: "1"}, "3"},
	} {
		if got := string(c.result.AppendPlain([]byte("= "))); got != "= "+c.want {
			t.Errorf("%T: %q, want %q", c.result, got, "= "+c.want)
		}
	}
}
