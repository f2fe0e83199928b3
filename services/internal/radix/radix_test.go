package radix_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/services/internal/radix"
)

// sizes are numbers of digits on both sides of every border in the package.
var sizes = []int{1, 18, 19, 20, 21, 1023, 1024, 1025, 2048, 2049, 4095, 4096, 4097, 8192, 8193, 12_345, 50_000}

func TestConversionsAtBorders(t *testing.T) {
	t.Parallel()
	for _, size := range sizes {
		for name, digits := range map[string]string{
			"nines":       strings.Repeat("9", size),
			"power of 10": "1" + strings.Repeat("0", size-1),
			"sevens":      strings.Repeat("7", size),
			"zeros within": "3" + strings.Repeat("0", size/2) +
				strings.Repeat("5", size-size/2),
		} {
			for _, text := range []string{digits, "-" + digits} {
				want, ok := new(big.Int).SetString(text, 10)
				if !ok {
					t.Fatalf("%d %s: bad test input", size, name)
				}
				got, err := radix.Parse(t.Context(), text)
				if err != nil || got.Cmp(want) != 0 {
					t.Errorf("%d %s: Parse is wrong (error %v)", size, name, err)
				}
				back, err := radix.Append(t.Context(), []byte("x="), want)
				if err != nil || string(back) != "x="+text {
					t.Errorf("%d %s: Append is wrong (error %v)", size, name, err)
				}
			}
		}
	}
}

func TestZeros(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"0", "-0", "000", strings.Repeat("0", 5000)} {
		x, err := radix.Parse(t.Context(), text)
		if err != nil || x.Sign() != 0 {
			t.Errorf("Parse(%.10q…) = %v, %v; want 0", text, x, err)
		}
	}
	got, err := radix.Append(t.Context(), nil, new(big.Int))
	if string(got) != "0" || err != nil {
		t.Errorf("Append(0) = %q, %v", got, err)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("1", 3000)
	for _, text := range []string{
		"", "-", "+1", "--1", "1_000", " 1", "1.0", "0x10", "٣",
		"x" + long, "+" + long, long + "x", long + "-" + long, long[:1976] + "+" + long[:1023],
	} {
		if x, err := radix.Parse(t.Context(), text); err == nil {
			t.Errorf("Parse(%.20q…) = %d digits, want an error", text, len(x.Text(10)))
		}
	}
}

func TestCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := radix.Parse(ctx, strings.Repeat("1", 5000)); !errors.Is(err, context.Canceled) {
		t.Errorf("Parse: %v, want context.Canceled", err)
	}
	large := new(big.Int).Lsh(big.NewInt(1), 50_000)
	if _, err := radix.Append(ctx, nil, large); !errors.Is(err, context.Canceled) {
		t.Errorf("Append: %v, want context.Canceled", err)
	}
	if _, err := radix.Pow10(ctx, 5000); !errors.Is(err, context.Canceled) {
		t.Errorf("Pow10: %v, want context.Canceled", err)
	}
}

func TestPow10(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 3, 19, 20, 1000, 4097} {
		want := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
		if got, err := radix.Pow10(t.Context(), n); err != nil || got.Cmp(want) != 0 {
			t.Errorf("Pow10(%d) is wrong (error %v)", n, err)
		}
	}
}

func TestAppendUndoesParse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(0, 20_000).Draw(t, "size")
		pattern := rapid.StringMatching(`[0-9]{1,40}`).Draw(t, "pattern")
		digits := "1" + strings.Repeat(pattern, size/len(pattern)+1)[:size]
		x, err := radix.Parse(t.Context(), digits)
		if err != nil {
			t.Fatal(err)
		}
		back, err := radix.Append(t.Context(), nil, x)
		if err != nil || string(back) != digits {
			t.Fatalf("%d digits came back as %d others (error %v)", len(digits), len(back), err)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for _, size := range []int{20, 1000, 10_000, 100_000} {
		text := strings.Repeat("7", size)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			for b.Loop() {
				if _, err := radix.Parse(b.Context(), text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{20, 1000, 10_000, 100_000} {
		x, err := radix.Parse(b.Context(), strings.Repeat("7", size))
		if err != nil {
			b.Fatal(err)
		}
		room := make([]byte, 0, size)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			for b.Loop() {
				if _, err := radix.Append(b.Context(), room, x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
