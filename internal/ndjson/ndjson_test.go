package ndjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seed-649d3d38/heddle/internal/ndjson"
)

const most = 1000

func list(items ndjson.Items) []string {
	var all []string
	for i := range items.Len() {
		all = append(all, string(items.At(i)))
	}
	return all
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		form ndjson.Form
		body string
		want []string
	}{
		{ndjson.Sniff, "", nil},
		{ndjson.Sniff, " \r\n\t\n", nil},
		{ndjson.Sniff, "{}", []string{"{}"}},
		{ndjson.Sniff, "{}\n{}\r\n\n  {\"a\": 1}  ", []string{"{}", "{}", `{"a": 1}`}},
		{ndjson.Sniff, "{\n}", []string{"{", "}"}},
		{ndjson.Lines, "[1]\nnonsense", []string{"[1]", "nonsense"}},
		{ndjson.Sniff, "[]", nil},
		{ndjson.Sniff, " [ ] ", nil},
		{ndjson.Array, "[1,\"]\",{\"a\":[\n1,\r\n2]}\n, null ]\n", []string{"1", `"]"`, `{"a":[ 1,  2]}`, "null"}},
		{ndjson.Array, `[{"a":1,"a":2}]`, []string{`{"a":1,"a":2}`}},
	} {
		items, err := ndjson.Split([]byte(c.body), c.form, most)
		if got := list(items); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, %v; want %q", c.body, got, err, c.want)
		}
	}
}

func TestSplitRefuses(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "{}", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[{]}]", "[}", "[1]]", "[1]{}", "[nonsense]", `["a]`, "[\"\n\"]", "\ufeff[]"} {
		if items, err := ndjson.Split([]byte(body), ndjson.Array, most); err == nil {
			t.Errorf("%q: got %q, want an error", body, list(items))
		}
	}
	for form, body := range map[ndjson.Form]string{ndjson.Array: "[1,2,3]", ndjson.Lines: "1\n2\n3"} {
		if _, err := ndjson.Split([]byte(body), form, 2); !errors.Is(err, ndjson.ErrTooMany) {
			t.Errorf("%s: got %v, want %v", body, err, ndjson.ErrTooMany)
		}
	}
}

// FuzzSplit holds the splitter against the decoder of the standard library.
func FuzzSplit(f *testing.F) {
	for _, body := range []string{"", "[]", "[1,2]", "[{\"a\":\n[1]}]", "1\n2", "[[]]\n", strings.Repeat("[", 50)} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		items, err := ndjson.Split(body, ndjson.Sniff, most)
		if err != nil {
			return
		}
		for i := range items.Len() {
			if item := items.At(i); len(item) == 0 || bytes.ContainsAny(item, "\n") {
				t.Errorf("%q: item %d is %q", before, i, item)
			}
		}
		var want []json.RawMessage
		if json.Unmarshal(before, &want) != nil {
			return // lines
		}
		if len(want) != items.Len() {
			t.Fatalf("%q: %d items, want %d", before, items.Len(), len(want))
		}
		for i := range want {
			var a, b any
			if json.Unmarshal(want[i], &a) != nil || json.Unmarshal(items.At(i), &b) != nil || fmt.Sprint(a) != fmt.Sprint(b) {
				t.Errorf("%q: item %d is %q, want %q", before, i, items.At(i), want[i])
			}
		}
	})
}

func BenchmarkSplit(b *testing.B) {
	for name, separator := range map[string]string{"lines": "\n", "array": ","} {
		body := strings.Repeat(`{"n":"10"}`+separator, 100_000)
		form := ndjson.Lines
		if separator == "," {
			body, form = "["+strings.TrimSuffix(body, ",")+"]", ndjson.Array
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if _, err := ndjson.Split([]byte(body), form, 1<<20); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
