package contract_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/contract"
)

func TestFloatsToJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		floats contract.Floats
		want   string
	}{
		{nil, `null`},
		{contract.Floats{}, `[]`},
		{contract.Floats{0, math.Copysign(0, -1), 2, -2.5}, `[0,-0,2,-2.5]`},
		{contract.Floats{math.NaN(), 1}, `[null,1]`},
		{contract.Floats{1e6, 123456789, 1e20, 1e21, 1e-6, 1e-7}, `[1000000,123456789,100000000000000000000,1e+21,0.000001,1e-07]`},
		{contract.Floats{math.MaxFloat64, math.SmallestNonzeroFloat64}, `[1.7976931348623157e+308,5e-324]`},
	} {
		if got, err := json.Marshal(c.floats); string(got) != c.want || err != nil {
			t.Errorf("%v: %s, %v; want %s", []float64(c.floats), got, err, c.want)
		}
	}
	for _, v := range []float64{math.Inf(1), math.Inf(-1)} {
		if got, err := json.Marshal(contract.Floats{1, v}); err == nil {
			t.Errorf("%v: %s, want an error", v, got)
		}
	}
}

func TestFloatsFromJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]contract.Floats{
		`null`:                      nil,
		`[]`:                        {},
		`[ ]`:                       {},
		" [\n1 , 2.5 ]":             {1, 2.5},
		`[-0,1e3,1E-3,-2.5e+2]`:     {math.Copysign(0, -1), 1000, 0.001, -250},
		`[1,null,3]`:                {1, math.NaN(), 3},
		`[9007199254740993,1e-400]`: {9007199254740992, 0},
	} {
		got := contract.Floats{99}
		if err := json.Unmarshal([]byte(text), &got); err != nil || !same(got, want) {
			t.Errorf("%s: %v, %v; want %v", text, []float64(got), err, []float64(want))
		}
	}
	for text, field := range map[string]string{
		`[1,"2"]`:           "1",
		`["1,2"]`:           "0",
		`[1,2,true]`:        "2",
		`[[1,2],3]`:         "0",
		`[1,{"a":2,"b":3}]`: "1",
		`[1e400]`:           "0",
		`[1,-1e400]`:        "1",
		`4`:                 "",
		`"4"`:               "",
		`{"a":[1]}`:         "",
	} {
		var got contract.Floats
		err := json.Unmarshal([]byte(text), &got)
		e, ok := errors.AsType[*contract.Error](err)
		if !ok || e.Code != contract.CodeInvalidArgument || e.Field != field {
			t.Errorf("%s: %v, %v; want an invalid argument that blames %q", text, []float64(got), err, field)
		}
	}
}

// same reports whether both lists have the same bits, apart from the kind of a NaN.
func same(a, b contract.Floats) bool {
	if len(a) != len(b) || (a == nil) != (b == nil) {
		return false
	}
	for i := range a {
		if math.Float64bits(a[i]) != math.Float64bits(b[i]) && !(math.IsNaN(a[i]) && math.IsNaN(b[i])) {
			return false
		}
	}
	return true
}

func TestFloatsSurviveJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.SliceOf(rapid.Uint64()).Draw(t, "bits")
		want := make(contract.Floats, len(bits))
		for i, b := range bits {
			want[i] = math.Float64frombits(b)
			if math.IsInf(want[i], 0) {
				want[i] = math.NaN()
			}
		}
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got contract.Floats
		if err := json.Unmarshal(data, &got); err != nil || !same(got, want) {
			t.Fatalf("%s became %v, %v", data, []float64(got), err)
		}
	})
}

// FuzzFloatsJSON compares with what encoding/json makes of the same text.
func FuzzFloatsJSON(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		var got contract.Floats
		_ = got.UnmarshalJSON(data) // must not panic, whatever a decoder hands it
		got = nil
		err := json.Unmarshal(data, &got)

		var pointers []*float64
		wantErr := json.Unmarshal(data, &pointers)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: %v, but encoding/json says %v", data, err, wantErr)
		}
		if err != nil {
			return
		}
		var want contract.Floats
		if pointers != nil {
			want = contract.Floats{}
		}
		for _, p := range pointers {
			if p == nil {
				p = new(math.NaN())
			}
			want = append(want, *p)
		}
		if !same(got, want) {
			t.Errorf("%q: %v, want %v", data, []float64(got), []float64(want))
		}
	})
}

func BenchmarkFloatsFromJSON(b *testing.B) {
	var text strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&text, ",%v", float64(i)*1.7)
	}
	data := []byte("[" + text.String()[1:] + "]")
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		var f contract.Floats
		if err := f.UnmarshalJSON(data); err != nil {
			b.Fatal(err)
		}
	}
}
