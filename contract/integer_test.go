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

func TestParseInteger(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]contract.Integer{
		"0": "0", "-0": "0", "+0": "0", "000": "0", "-000": "0",
		"1": "1", "+1": "1", "-1": "-1", "007": "7", "-007": "-7",
		"9223372036854775808": "9223372036854775808",
	} {
		if got, err := contract.ParseInteger(text); got != want || err != nil {
			t.Errorf("ParseInteger(%q) = %q, %v; want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-", "+", "--1", "+-1", "1-", "1.0", "1e3", "0x10", "1_000", " 1", "1 ", "١", "one", "1\x00"} {
		got, err := contract.ParseInteger(text)
		if got != "" || !errors.Is(err, contract.CodeInvalidArgument) {
			t.Errorf("ParseInteger(%q) = %q, %v; want an invalid argument", text, got, err)
		}
	}
}

func TestIntegerProperties(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		i        contract.Integer
		missing  bool
		negative bool
		digits   int
		fits     bool
	}{
		{"", true, false, 0, false},
		{"0", false, false, 1, true},
		{"-7", false, true, 1, true},
		{"9223372036854775807", false, false, 19, true},
		{"-9223372036854775808", false, true, 19, true},
		{"9223372036854775808", false, false, 19, false},
		{"-9223372036854775809", false, true, 19, false},
	} {
		_, fits := c.i.Int64()
		if c.i.IsZero() != c.missing || c.i.Negative() != c.negative || c.i.Digits() != c.digits || fits != c.fits {
			t.Errorf("%q: missing %t, negative %t, %d digits, fits %t", c.i, c.i.IsZero(), c.i.Negative(), c.i.Digits(), fits)
		}
	}
}

func TestIntegerAndIntegersOfGo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Int64().Draw(t, "v")
		i := contract.NewInteger(v)
		if got, ok := i.Int64(); got != v || !ok {
			t.Fatalf("NewInteger(%d) = %s, back %d, %t", v, i, got, ok)
		}
		if i.Big().Cmp(big.NewInt(v)) != 0 {
			t.Fatalf("NewInteger(%d).Big() = %s", v, i.Big())
		}
	})
	for _, i := range []contract.Integer{"", "abc", "1.5"} {
		if got := i.Big(); got.Sign() != 0 {
			t.Errorf("Big of %q = %s, want 0", i, got)
		}
	}
}

func TestIntegerFromJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]contract.Integer{
		`"100"`: "100", `"-007"`: "-7", `"\u0031\u0032"`: "12", `""`: "",
		`0`: "0", `-0`: "0", `42`: "42", `-1`: "-1", ` 5 `: "5",
		`9007199254740991`: "9007199254740991", `-9007199254740991`: "-9007199254740991",
	} {
		var got contract.Integer
		err := json.Unmarshal([]byte(text), &got)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v; want %q", text, got, err, want)
		}
	}
	for text, say := range map[string]string{
		`9007199254740992`:       "as a string",
		`-9007199254740992`:      "as a string",
		`1e3`:                    "as a string",
		`1.0`:                    "as a string",
		`123456789012345678901`:  "as a string",
		`null`:                   "string of digits or a whole JSON number",
		`true`:                   "string of digits or a whole JSON number",
		`[1]`:                    "string of digits or a whole JSON number",
		`{"n":1}`:                "string of digits or a whole JSON number",
		`"1.5"`:                  "whole number",
		`"\ud800"`:               "whole number",
		strings.Repeat("1", 100): "as a string",
	} {
		got := contract.Integer("5")
		err := json.Unmarshal([]byte(text), &got)
		if !errors.Is(err, contract.CodeInvalidArgument) || !strings.Contains(err.Error(), say) || got != "5" {
			t.Errorf("%s: %q, %v; want an invalid argument that says %q", text, got, err, say)
		}
	}
}

func TestIntegerSurvivesJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := contract.Integer(rapid.StringMatching(`0|-?[1-9][0-9]{0,80}`).Draw(t, "integer"))
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got contract.Integer
		if err := json.Unmarshal(data, &got); err != nil || got != want {
			t.Fatalf("%s became %q, %v", data, got, err)
		}
	})
}

var integerSyntax = regexp.MustCompile(`^[+-]?[0-9]+$`)

func FuzzParseInteger(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		got, err := contract.ParseInteger(text)
		if (err == nil) != integerSyntax.MatchString(text) {
			t.Fatalf("ParseInteger(%q) = %q, %v", text, got, err)
		}
		if err != nil {
			return
		}
		want, ok := new(big.Int).SetString(text, 10)
		if !ok || string(got) != want.String() {
			t.Errorf("ParseInteger(%q) = %q, want %s", text, got, want)
		}
	})
}

// FuzzIntegerJSON compares with what encoding/json makes of the same text without our
// types.
func FuzzIntegerJSON(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		var got contract.Integer
		_ = got.UnmarshalJSON(data) // must not panic, whatever a decoder hands it
		got = ""
		err := json.Unmarshal(data, &got)
		want := integerOf(data)
		if (err == nil) != (want != "") || got != want {
			t.Errorf("%q: %q, %v; want %q", data, got, err, want)
		}
	})
}

// integerOf returns the integer that the JSON stands for in a request, "" if none.
func integerOf(data []byte) contract.Integer {
	var text string
	if json.Unmarshal(data, &text) == nil && string(data) != "null" && integerSyntax.MatchString(text) {
		v, _ := new(big.Int).SetString(text, 10)
		return contract.Integer(v.String())
	}
	var number json.Number
	trimmed := strings.TrimSpace(string(data))
	if json.Unmarshal(data, &number) != nil || !integerSyntax.MatchString(trimmed) {
		return ""
	}
	v, ok := new(big.Int).SetString(trimmed, 10)
	if !ok || v.CmpAbs(big.NewInt(1<<53-1)) > 0 {
		return ""
	}
	return contract.Integer(v.String())
}
