package decimal_test

import (
	"bytes"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/decimal"
)

// drawText draws the decimal text of an integer, favouring long runs of 0 and
// 9, because carries live there, and lengths on both sides of a limb's width.
func drawText(t *rapid.T, maxDigits int, label string) string {
	var b strings.Builder
	if rapid.Bool().Draw(t, label+" negative") {
		b.WriteByte('-')
	}
	b.WriteByte(byte(rapid.IntRange('1', '9').Draw(t, label+" first")))
	for left := rapid.IntRange(0, maxDigits-1).Draw(t, label+" digits"); left > 0; {
		run := min(left, rapid.IntRange(1, 60).Draw(t, label+" run"))
		left -= run
		switch rapid.IntRange(0, 2).Draw(t, label+" kind") {
		case 0:
			b.WriteString(strings.Repeat("0", run))
		case 1:
			b.WriteString(strings.Repeat("9", run))
		default:
			for range run {
				b.WriteByte(byte(rapid.IntRange('0', '9').Draw(t, label+" digit")))
			}
		}
	}
	return b.String()
}

// mustParse parses text that the test knows to be right.
func mustParse(t testing.TB, text string) decimal.Int {
	t.Helper()
	x, err := decimal.Parse(text)
	if err != nil {
		t.Fatalf("Parse(%.40q): %v", text, err)
	}
	return x
}

type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

// wantBig fails the test unless x is v.
func wantBig(t fataler, what string, x decimal.Int, v *big.Int) {
	t.Helper()
	if got, want := x.String(), v.String(); got != want {
		t.Fatalf("%s: got %d digits %.60s…, want %d digits %.60s…", what, len(got), got, len(want), want)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	good := map[string]string{
		"0": "0", "-0": "0", "+0": "0", "000": "0", "7": "7", "-7": "-7", "+7": "7", "007": "7",
		"123456789012345678901234567890": "123456789012345678901234567890",
		strings.Repeat("0", 1000) + "5":  "5",
		"-" + strings.Repeat("9", 577):   "-" + strings.Repeat("9", 577),
	}
	for in, want := range good {
		if got := mustParse(t, in).String(); got != want {
			t.Errorf("Parse(%.40q) = %.40s, want %.40s", in, got, want)
		}
	}
	long := strings.Repeat("1", 700)
	bad := []struct {
		in     string
		offset int
	}{
		{"", 0}, {"-", 1}, {"+", 1}, {" 1", 0}, {"1 ", 1}, {"--1", 1}, {"1.5", 1}, {"1e5", 1}, {"0x10", 1}, {"1_000", 1},
		{"00000000000000000:", 17}, {"12/45678", 2}, {"1234567\xff", 7}, {"٣", 0},
		{long + "x" + long, 700}, {long + long + "x", 1400}, {"x" + long, 0}, {"-" + long + "x", 701},
	}
	for _, tt := range bad {
		_, err := decimal.Parse(tt.in)
		var syntax *decimal.SyntaxError
		if !errors.As(err, &syntax) || syntax.Offset != tt.offset {
			t.Errorf("Parse(%.30q): %v, want an error at offset %d", tt.in, err, tt.offset)
		}
		if _, err := decimal.Parse([]byte(tt.in)); err == nil {
			t.Errorf("Parse(bytes %.30q): no error", tt.in)
		}
	}
}

// TestParseRefusesEveryOtherByte puts every byte that is not a digit into
// every position of the words that are converted at once.
func TestParseRefusesEveryOtherByte(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		if c >= '0' && c <= '9' {
			continue
		}
		for i := 1; i < 24; i++ {
			text := bytes.Repeat([]byte{'4'}, 24)
			text[i] = byte(c)
			if x, err := decimal.Parse(text); err == nil {
				t.Fatalf("Parse(%q) = %v", text, x)
			}
		}
	}
}

func TestArithmeticAgainstBig(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawText(t, 1500, "a"), drawText(t, 1500, "b")
		x, err := decimal.Parse(a)
		if err != nil {
			t.Fatal(err)
		}
		y, err := decimal.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		v, _ := new(big.Int).SetString(a, 10)
		w, _ := new(big.Int).SetString(b, 10)
		wantBig(t, "x", x, v)
		wantBig(t, "x + y", x.Add(y), new(big.Int).Add(v, w))
		wantBig(t, "x - y", x.Sub(y), new(big.Int).Sub(v, w))
		wantBig(t, "-x", x.Neg(), new(big.Int).Neg(v))
		wantBig(t, "|x|", x.Abs(), new(big.Int).Abs(v))
		wantBig(t, "x - x", x.Sub(x), new(big.Int))
		wantBig(t, "x after use", x, v)
		if got, want := x.Cmp(y), v.Cmp(w); got != want {
			t.Fatalf("Cmp = %d, want %d", got, want)
		}
		if x.Cmp(x.Add(y).Sub(y)) != 0 {
			t.Fatal("x + y - y is not x")
		}
		if x.Big().Cmp(v) != 0 || decimal.FromBig(v).Cmp(x) != 0 {
			t.Fatal("math/big conversion")
		}
		if x.Sign() != v.Sign() {
			t.Fatalf("Sign = %d, want %d", x.Sign(), v.Sign())
		}
	})
}

func TestWordConversions(t *testing.T) {
	t.Parallel()
	words := []int64{0, 1, -1, 9, 10, 1e18 - 1, 1e18, 1e18 + 1, -1e18, math.MaxInt64, math.MinInt64, math.MinInt64 + 1}
	for _, v := range words {
		x := decimal.FromInt64(v)
		wantBig(t, "FromInt64", x, big.NewInt(v))
		if got, ok := x.Int64(); !ok || got != v {
			t.Errorf("Int64() = %d %t, want %d", got, ok, v)
		}
		got, ok := x.Uint64()
		if ok != (v >= 0) || ok && got != uint64(v) {
			t.Errorf("Uint64() = %d %t, want %d", got, ok, v)
		}
	}
	most := decimal.FromUint64(math.MaxUint64)
	wantBig(t, "FromUint64", most, new(big.Int).SetUint64(math.MaxUint64))
	if v, ok := most.Uint64(); !ok || v != math.MaxUint64 {
		t.Errorf("Uint64() = %d %t", v, ok)
	}
	for _, x := range []decimal.Int{most.Add(decimal.FromInt64(1)), mustParse(t, strings.Repeat("9", 36)), mustParse(t, strings.Repeat("9", 600))} {
		if v, ok := x.Uint64(); ok {
			t.Errorf("%v fits uint64 as %d", x, v)
		}
	}
	for _, text := range []string{"9223372036854775808", "-9223372036854775809", "18446744073709551615"} {
		if v, ok := mustParse(t, text).Int64(); ok {
			t.Errorf("%s fits int64 as %d", text, v)
		}
	}
}

func TestAppendDigitsGivesEveryRange(t *testing.T) {
	t.Parallel()
	for _, digits := range []int{1, 17, 18, 19, 36, 53, 575, 576, 577, 600, 1201} {
		var b strings.Builder
		for i := range digits {
			b.WriteByte("7314159265358979320846"[i%22])
		}
		text := b.String()
		x := mustParse(t, "-"+text)
		if x.Digits() != digits {
			t.Fatalf("Digits = %d, want %d", x.Digits(), digits)
		}
		step := 1 + digits/90
		for from := 0; from <= digits; from += step {
			for to := from; to <= digits; to += step {
				if got := string(x.AppendDigits([]byte("<"), from, to)); got != "<"+text[from:to] {
					t.Fatalf("digits [%d, %d) of %d: %q, want %q", from, to, digits, got, text[from:to])
				}
			}
		}
	}
}

func TestAppendDigitsPanicsOutsideTheNumber(t *testing.T) {
	t.Parallel()
	for _, r := range [][2]int{{-1, 1}, {0, 4}, {2, 1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("digits %v of a three-digit number: no panic", r)
				}
			}()
			decimal.FromInt64(123).AppendDigits(nil, r[0], r[1])
		}()
	}
}

func TestAppendFixed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text   string
		digits int
		want   string
	}{
		{"0", 0, "0"}, {"0", 3, "0.000"}, {"5", 1, "0.5"}, {"5", 3, "0.005"}, {"-5", 3, "-0.005"}, {"12345", 0, "12345"},
		{"12345", -1, "12345"}, {"12345", 2, "123.45"}, {"12345", 5, "0.12345"}, {"-12345", 4, "-1.2345"},
	} {
		if got := string(mustParse(t, tt.text).AppendFixed([]byte("="), tt.digits)); got != "="+tt.want {
			t.Errorf("%s with %d digits: %s, want %s", tt.text, tt.digits, got, tt.want)
		}
	}
}

type failingWriter struct{ room int }

var errFull = errors.New("full")

func (w *failingWriter) Write(p []byte) (int, error) {
	n := min(len(p), w.room)
	w.room -= n
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

func TestWriteTo(t *testing.T) {
	t.Parallel()
	text := "-" + strings.Repeat("0123456789", 20_000)[1:]
	x := mustParse(t, text)
	var b bytes.Buffer
	if n, err := x.WriteTo(&b); err != nil || n != int64(len(text)) || b.String() != text {
		t.Errorf("WriteTo wrote %d bytes of %d, %v", n, len(text), err)
	}
	if n, err := x.WriteTo(&failingWriter{room: 100_000}); !errors.Is(err, errFull) || n != 100_000 {
		t.Errorf("WriteTo to a full writer: %d, %v", n, err)
	}
}

func zeros(n int) string { return strings.Repeat("0", n) }
