package ntt_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/decimal/internal/ntt"
)

// value returns Σ limbs[i]·radix^i, by halves so that long inputs stay cheap.
func value(limbs []uint64, radix uint64) *big.Int {
	if len(limbs) == 0 {
		return new(big.Int)
	}
	if len(limbs) == 1 {
		return new(big.Int).SetUint64(limbs[0])
	}
	h := len(limbs) / 2
	scale := new(big.Int).Exp(new(big.Int).SetUint64(radix), big.NewInt(int64(h)), nil)
	v := value(limbs[h:], radix)
	return v.Mul(v, scale).Add(v, value(limbs[:h], radix))
}

// limbs returns the n lowest limbs of v.
func limbs(v *big.Int, radix uint64, n int) []uint64 {
	z := make([]uint64, n)
	split(v, radix, z)
	return z
}

func split(v *big.Int, radix uint64, z []uint64) {
	if len(z) == 0 {
		return
	}
	if len(z) == 1 {
		z[0] = new(big.Int).Mod(v, new(big.Int).SetUint64(radix)).Uint64()
		return
	}
	h := len(z) / 2
	scale := new(big.Int).Exp(new(big.Int).SetUint64(radix), big.NewInt(int64(h)), nil)
	q, r := new(big.Int).QuoRem(v, scale, new(big.Int))
	split(q, radix, z[h:])
	split(r, radix, z[:h])
}

// random returns n limbs; extreme ones are all radix-1.
func random(r *rand.Rand, n int, radix uint64, extreme bool) []uint64 {
	z := make([]uint64, n)
	for i := range z {
		z[i] = radix - 1
		if !extreme {
			z[i] = r.Uint64N(radix)
		}
	}
	return z
}

// engines returns one engine for every tier that this machine runs.
func engines(t testing.TB) []*ntt.Engine {
	var out []*ntt.Engine
	for _, tier := range ntt.Tiers() {
		e, err := ntt.New(tier)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

var radices = []uint64{ntt.Radix12, ntt.Radix11}

func mustPlan(t testing.TB, e *ntt.Engine, s ntt.Shape) *ntt.Plan {
	t.Helper()
	p, err := e.NewPlan(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestProduct multiplies at the lengths around which layouts change, with random
// and with the largest limbs, in every tier, with one and two threads.
func TestProduct(t *testing.T) {
	t.Parallel()
	sizes := [][2]int{
		{1, 1}, {1, 2}, {2, 2}, {31, 32}, {32, 32}, {33, 32}, {63, 1}, {64, 1}, {64, 64}, {65, 64},
		{100, 155}, {255, 256}, {256, 257}, {320, 320}, {321, 320}, {384, 384}, {385, 384}, {448, 448},
		{449, 448}, {512, 512}, {513, 512}, {1000, 24}, {1100, 180}, {2048, 2048}, {2049, 2048}, {2560, 2560},
		{3072, 3072}, {3500, 84}, {3584, 3584}, {4096, 4096}, {5000, 5240}, {8192, 2048}, {10000, 22000}, {16384, 16384},
	}
	for _, e := range engines(t) {
		for _, radix := range radices {
			for _, n := range sizes {
				for _, extreme := range []bool{false, true} {
					name := fmt.Sprintf("%s/%d/%dx%d/extreme=%t", e.Tier(), radix, n[0], n[1], extreme)
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						r := rand.New(rand.NewPCG(1, uint64(n[0])))
						a, b := random(r, n[0], radix, extreme), random(r, n[1], radix, extreme)
						checkProduct(t, e, a, b, radix)
					})
				}
			}
		}
	}
}

func checkProduct(t testing.TB, e *ntt.Engine, a, b []uint64, radix uint64) {
	t.Helper()
	x, y := value(a, radix), value(b, radix)
	want := limbs(x.Mul(x, y), radix, len(a)+len(b))
	for threads := 1; threads <= 2; threads++ {
		p := mustPlan(t, e, ntt.Shape{Limbs: len(a) + len(b), Radix: radix, Threads: threads})
		got := make([]uint64, len(a)+len(b))
		for i := range got {
			got[i] = 1 << 63 // must be overwritten
		}
		if err := p.Product(t.Context(), got, a, b); err != nil {
			t.Fatal(err)
		}
		if i := firstDifference(got, want); i >= 0 {
			t.Fatalf("%d threads: limb %d of %d is %d, want %d", threads, i, len(got), got[i], want[i])
		}
	}
}

// firstDifference returns the first index at which a and b differ, or -1.
func firstDifference(a, b []uint64) int {
	for i := range a {
		if a[i] != b[i] {
			return i
		}
	}
	return -1
}

// TestRandomShapes draws lengths, limbs and threads.
func TestRandomShapes(t *testing.T) {
	t.Parallel()
	all := engines(t)
	rapid.Check(t, func(t *rapid.T) {
		radix := rapid.SampledFrom(radices).Draw(t, "radix")
		limb := rapid.OneOf(rapid.Uint64Max(radix-1), rapid.Just(radix-1), rapid.Just(uint64(0)))
		a := rapid.SliceOfN(limb, 1, 700).Draw(t, "a")
		b := rapid.SliceOfN(limb, 1, 700).Draw(t, "b")
		x, y := value(a, radix), value(b, radix)
		want := limbs(x.Mul(x, y), radix, len(a)+len(b))
		for _, e := range all {
			p, err := e.NewPlan(ntt.Shape{Limbs: len(want), Radix: radix, Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			got := make([]uint64, len(want))
			if err := p.Product(context.Background(), got, a, b); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%s: %v·%v", e.Tier(), a, b)
			}
		}
	})
}

// TestSquareEqualsProduct also covers results that overwrite their operand and
// are shorter than the product.
func TestSquareEqualsProduct(t *testing.T) {
	t.Parallel()
	for _, e := range engines(t) {
		for _, n := range []int{5, 64, 700, 5000, 20000} {
			r := rand.New(rand.NewPCG(2, uint64(n)))
			a := random(r, n, ntt.Radix12, false)
			p := mustPlan(t, e, ntt.Shape{Limbs: 2 * n, Radix: ntt.Radix12})
			want, got := make([]uint64, 2*n), make([]uint64, 2*n)
			if err := p.Product(t.Context(), want, a, a); err != nil {
				t.Fatal(err)
			}
			if err := p.Square(t.Context(), got, a); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: square of %d limbs differs from the product", e.Tier(), n)
			}
			if err := p.Square(t.Context(), a, a); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(a, want[:n]) {
				t.Errorf("%s: low half of the square of %d limbs is wrong", e.Tier(), n)
			}
		}
	}
}

// TestCyclic compares wrapped products with big.Int arithmetic modulo B^N - 1.
func TestCyclic(t *testing.T) {
	t.Parallel()
	for _, e := range engines(t) {
		for _, radix := range radices {
			for _, n := range []int{1, 64, 128, 2048, 8192, 16384} {
				for _, extreme := range []bool{false, true} {
					checkCyclic(t, e, n, radix, extreme)
				}
			}
		}
	}
}

func checkCyclic(t *testing.T, e *ntt.Engine, n int, radix uint64, extreme bool) {
	t.Helper()
	p := mustPlan(t, e, ntt.Shape{Limbs: n, Radix: radix, Cyclic: true})
	r := rand.New(rand.NewPCG(3, uint64(n)))
	a, b := random(r, p.Points(), radix, extreme), random(r, p.Points(), radix, false)
	modulus := new(big.Int).Exp(new(big.Int).SetUint64(radix), big.NewInt(int64(p.Points())), nil)
	modulus.Sub(modulus, big.NewInt(1))
	want := value(a, radix)
	want.Mul(want, value(b, radix)).Mod(want, modulus)
	got := make([]uint64, p.Points())
	if err := p.Product(t.Context(), got, a, b); err != nil {
		t.Fatal(err)
	}
	v := value(got, radix)
	if v.Mod(v, modulus).Cmp(want) != 0 {
		t.Errorf("%s: wrapped product of %d limbs is wrong (extreme=%t)", e.Tier(), p.Points(), extreme)
	}
}

// TestFibDouble doubles up to F(40000) and compares with big.Int.
func TestFibDouble(t *testing.T) {
	t.Parallel()
	for _, e := range engines(t) {
		f, g := big.NewInt(1), big.NewInt(0) // F(1), F(0)
		for k := 1; k < 40000; k *= 2 {
			n := k*21/100/12 + 1
			p := mustPlan(t, e, ntt.Shape{Limbs: 2*n + 1, Radix: ntt.Radix12, Terms: 3})
			x, y := p.NewVector(), p.NewVector()
			a, b := make([]uint64, 2*n+1), make([]uint64, 2*n+1)
			this, previous := limbs(f, ntt.Radix12, n), limbs(g, ntt.Radix12, n)
			even, odd, alone := make([]uint64, 2*n+1), make([]uint64, 2*n+1), make([]uint64, 2*n+1)
			err := errors.Join(
				p.Forward(t.Context(), x, this),
				p.Forward(t.Context(), y, previous),
				p.FibDouble(t.Context(), x, y),
				p.Inverse(t.Context(), a, x),
				p.Inverse(t.Context(), b, y),
				p.FibPair(t.Context(), even, odd, this, previous),
				p.FibPair(t.Context(), nil, alone, this, previous),
			)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(even, a) || !slices.Equal(odd, b) || !slices.Equal(alone, b) {
				t.Fatalf("%s: pair and single steps differ at %d", e.Tier(), k)
			}
			ff, gg := new(big.Int).Mul(f, f), new(big.Int).Mul(g, g)
			lucas := new(big.Int).Lsh(g, 1)
			f.Mul(f, lucas.Add(lucas, f))
			g.Add(ff, gg)
			if value(a, ntt.Radix12).Cmp(f) != 0 || value(b, ntt.Radix12).Cmp(g) != 0 {
				t.Fatalf("%s: doubling from %d is wrong", e.Tier(), k)
			}
			x.Release()
			y.Release()
		}
	}
}

// TestSums checks sums of transformed numbers and of products, and that an
// inverse without a product gives the number back.
func TestSums(t *testing.T) {
	t.Parallel()
	for _, e := range engines(t) {
		for _, n := range []int{20, 600, 3000} {
			p := mustPlan(t, e, ntt.Shape{Limbs: 2*n + 1, Radix: ntt.Radix12, Terms: 5})
			r := rand.New(rand.NewPCG(4, uint64(n)))
			a, b, c := random(r, n, ntt.Radix12, true), random(r, n, ntt.Radix12, true), random(r, n, ntt.Radix12, false)
			x, y, w := p.NewVector(), p.NewVector(), p.NewVector()
			back, sum, got := make([]uint64, n), make([]uint64, n+1), make([]uint64, 2*n+1)
			err := errors.Join(
				p.Forward(t.Context(), x, a), p.Inverse(t.Context(), back, x),
				p.Forward(t.Context(), x, a), p.Forward(t.Context(), y, b), p.Forward(t.Context(), w, c),
				p.Add(t.Context(), y, x, y), // a+b
				p.Mul(t.Context(), x, y, w), // (a+b)c
				p.Sqr(t.Context(), w, w),    // c²
				p.Add(t.Context(), w, w, x), // (a+b)c + c²
				p.Inverse(t.Context(), got, w), p.Inverse(t.Context(), sum, y),
			)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(back, a) {
				t.Errorf("%s: %d limbs do not come back", e.Tier(), n)
			}
			ab, cc := value(a, ntt.Radix12), value(c, ntt.Radix12)
			ab.Add(ab, value(b, ntt.Radix12))
			if value(sum, ntt.Radix12).Cmp(ab) != 0 {
				t.Errorf("%s: sum of %d limbs is wrong", e.Tier(), n)
			}
			ab.Add(ab, cc).Mul(ab, cc)
			if value(got, ntt.Radix12).Cmp(ab) != 0 {
				t.Errorf("%s: sum of products of %d limbs is wrong", e.Tier(), n)
			}
		}
	}
}
