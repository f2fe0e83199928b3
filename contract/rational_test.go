package contract_test

import (
	"encoding/json"
	"errors"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/contract"
)

func TestParseRational(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]contract.Integer{
		"0":         {"0", "1"},
		"2":         {"2", "1"},
		"-2":        {"-2", "1"},
		"+2":        {"2", "1"},
		"2.25":      {"225", "100"},
		"-0.25":     {"-25", "100"},
		".5":        {"5", "10"},
		"5.":        {"5", "1"},
		"007.50":    {"750", "100"},
		"0.00":      {"0", "100"},
		"22/7":      {"22", "7"},
		"-22/7":     {"-22", "7"},
		"+022/0007": {"22", "7"},
		"0/5":       {"0", "5"},
		"-0/5":      {"0", "5"},
	} {
		got, err := contract.ParseRational(text)
		if string(got) != text || err != nil {
			t.Errorf("ParseRational(%q) = %q, %v", text, got, err)
		}
		if p, q := got.Split(); p != want[0] || q != want[1] {
			t.Errorf("%q is %s over %s, want %s over %s", text, p, q, want[0], want[1])
		}
	}
	for text, say := range map[string]string{
		"": "whole number", "-": "whole number", ".": "whole number", "-.": "whole number", "+": "whole number",
		"1.2.3": "whole number", "1e5": "whole number", "1,5": "whole number", " 1": "whole number", "--1": "whole number",
		"Inf": "whole number", "NaN": "whole number", "1\x00": "whole number",
		"/": "quotient", "1/": "quotient", "/2": "quotient", "1/2/3": "quotient", "1.5/2": "quotient", "1/2.5": "quotient",
		"1/-2": "quotient", "1/+2": "quotient", "-/2": "quotient", "1 / 2": "quotient",
		"1/0": "denominator", "0/0": "denominator", "1/000": "denominator",
	} {
		got, err := contract.ParseRational(text)
		if got != "" || !errors.Is(err, contract.CodeInvalidArgument) || !strings.Contains(err.Error(), say) {
			t.Errorf("ParseRational(%q) = %q, %v; want an invalid argument that says %q", text, got, err, say)
		}
	}
}

func TestRationalNegative(t *testing.T) {
	t.Parallel()
	for x, want := range map[contract.Rational]bool{
		"-1": true, "-0.01": true, "-9": true, "-1/2": true, "-10": true,
		"0": false, "-0": false, "-0.00": false, "-0/7": false, "1": false, "+1": false, "": false,
	} {
		if got := x.Negative(); got != want {
			t.Errorf("Rational(%q).Negative() = %t", x, got)
		}
	}
}

func TestRationalFromJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]contract.Rational{
		`"2.50"`: "2.50", `"22/7"`: "22/7", `"22\/7"`: "22/7", `42`: "42", `-1`: "-1", `9007199254740991`: "9007199254740991",
	} {
		var got contract.Rational
		if err := json.Unmarshal([]byte(text), &got); got != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", text, got, err, want)
		}
	}
	for _, text := range []string{`0.5`, `1e3`, `9007199254740992`, `null`, `true`, `""`, `"1/0"`, `[]`, `{}`} {
		got := contract.Rational("5")
		if err := json.Unmarshal([]byte(text), &got); got != "5" || !errors.Is(err, contract.CodeInvalidArgument) {
			t.Errorf("%s: %q, %v; want an invalid argument", text, got, err)
		}
	}
}

func TestRationalSurvivesJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		form := rapid.SampledFrom([]string{`[+-]?[0-9]{1,30}`, `[+-]?[0-9]{0,30}\.[0-9]{1,30}`, `[+-]?[0-9]{1,30}/[1-9][0-9]{0,30}`}).Draw(t, "form")
		want := contract.Rational(rapid.StringMatching(form).Draw(t, "rational"))
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got contract.Rational
		if err := json.Unmarshal(data, &got); err != nil || got != want {
			t.Fatalf("%s became %q, %v", data, got, err)
		}
	})
}

var (
	decimalSyntax  = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)$`)
	quotientSyntax = regexp.MustCompile(`^[+-]?[0-9]+/0*[1-9][0-9]*$`)
)

// FuzzParseRational compares with the numbers that math/big makes of the same text.
func FuzzParseRational(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		x, err := contract.ParseRational(text)
		if (err == nil) != (decimalSyntax.MatchString(text) || quotientSyntax.MatchString(text)) {
			t.Fatalf("ParseRational(%q) = %q, %v", text, x, err)
		}
		if err != nil {
			return
		}
		want := rationalOf(t, text)
		p, q := x.Split()
		if got := new(big.Rat).SetFrac(p.Big(), q.Big()); got.Cmp(want) != 0 || x.Negative() != (want.Sign() < 0) {
			t.Errorf("%q is split into %s over %s, negative %t; want %s", text, p, q, x.Negative(), want)
		}
	})
}

// rationalOf reads a quotient part by part, since math/big would read one such as 010/7 in
// base eight.
func rationalOf(t *testing.T, text string) *big.Rat {
	t.Helper()
	p, q, quotient := strings.Cut(text, "/")
	if !quotient {
		x, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Fatalf("math/big does not read %q", text)
		}
		return x
	}
	numerator, ok := new(big.Int).SetString(p, 10)
	denominator, ok2 := new(big.Int).SetString(q, 10)
	if !ok || !ok2 {
		t.Fatalf("math/big does not read %q", text)
	}
	return new(big.Rat).SetFrac(numerator, denominator)
}
