package ntt_test

import (
	"context"
	"errors"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed-649d3d38/heddle/decimal/internal/ntt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestCapacity checks the promised bounds against the primes, and that one limb
// more is refused.
func TestCapacity(t *testing.T) {
	t.Parallel()
	e, err := ntt.New(ntt.Scalar)
	if err != nil {
		t.Fatal(err)
	}
	primes := new(big.Int).Mul(big.NewInt(65520<<34+1), big.NewInt(65512<<34+1))
	for _, radix := range radices {
		square := new(big.Int).SetUint64(radix - 1)
		square.Mul(square, square)
		most := new(big.Int).Div(primes, square).Int64()
		for _, terms := range []int64{1, 3, 7} {
			fits := ntt.Shape{Limbs: 100, Radix: radix, Terms: int(terms), Short: int(most / terms)}
			if _, err := e.NewPlan(fits); err != nil {
				t.Errorf("%d terms of %d limbs: %v", terms, most/terms, err)
			}
			fits.Short++
			if _, err := e.NewPlan(fits); err == nil {
				t.Errorf("%d terms of %d limbs are accepted", terms, most/terms+1)
			}
		}
	}
}

func TestNewPlanRefuses(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]ntt.Shape{
		"limbs is 0":  {Radix: ntt.Radix12},
		"limbs is -1": {Limbs: -1, Radix: ntt.Radix12},
		"radix is 10": {Limbs: 1, Radix: 10},
		"terms -1":    {Limbs: 1, Radix: ntt.Radix12, Terms: -1},
		"threads 3":   {Limbs: 1, Radix: ntt.Radix12, Threads: 3},
		"can exceed":  {Limbs: 1 << 22, Radix: ntt.Radix12},
	} {
		if _, err := ntt.Default().NewPlan(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want one with %q", s, err, want)
		}
	}
	if _, err := ntt.New("abacus"); err == nil {
		t.Error("an unknown tier is accepted")
	}
}

func TestMisuse(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	p := mustPlan(t, ntt.Default(), ntt.Shape{Limbs: 200, Radix: ntt.Radix12})
	other := mustPlan(t, ntt.Default(), ntt.Shape{Limbs: 200, Radix: ntt.Radix12})
	x, y, foreign := p.NewVector(), p.NewVector(), other.NewVector()
	defer x.Release()
	defer foreign.Release()
	a := random(rand.New(rand.NewPCG(5, 5)), 130, ntt.Radix12, false)
	z := make([]uint64, 200)
	check := func(what string, err error) {
		t.Helper()
		if err == nil {
			t.Errorf("%s is accepted", what)
		}
	}
	check("an undefined vector", p.Inverse(ctx, z, x))
	check("a foreign vector", p.Forward(ctx, foreign, a))
	check("too long a number", p.Forward(ctx, x, make([]uint64, p.Points()+1)))
	if err := errors.Join(p.Forward(ctx, x, a), p.Forward(ctx, y, a)); err != nil {
		t.Fatal(err)
	}
	check("too long a product", p.Mul(ctx, x, x, y))
	check("too long a square", p.Sqr(ctx, x, x))
	if err := errors.Join(p.Forward(ctx, x, a[:50]), p.Sqr(ctx, x, x)); err != nil {
		t.Fatal(err)
	}
	check("a product of products", p.Mul(ctx, y, x, y))
	check("a sum of a number and a product", p.Add(ctx, y, x, y))
	y.Release()
	y.Release()
	check("a released vector", p.Forward(ctx, y, a))
	cyclic := mustPlan(t, ntt.Default(), ntt.Shape{Limbs: 128, Radix: ntt.Radix12, Cyclic: true})
	check("a short result of a cyclic plan", cyclic.Product(ctx, z[:100], a[:50], a[:50]))
}

// TestAddBound adds numbers until the sum could exceed the primes.
func TestAddBound(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, ntt.Default(), ntt.Shape{Limbs: 128, Radix: ntt.Radix12})
	x := p.NewVector()
	defer x.Release()
	if err := p.Forward(t.Context(), x, []uint64{ntt.Radix12 - 1}); err != nil {
		t.Fatal(err)
	}
	doublings := 0
	for p.Add(t.Context(), x, x, x) == nil {
		doublings++
	}
	if doublings != 20 { // 2^20 < 1266877 < 2^21
		t.Errorf("a number was doubled %d times, want 20", doublings)
	}
}

// TestCancelled runs every operation with an ended context.
func TestCancelled(t *testing.T) {
	t.Parallel()
	cause := errors.New("the caller left")
	ended, end := context.WithCancelCause(context.Background())
	end(cause)
	for _, threads := range []int{1, 2} {
		p := mustPlan(t, ntt.Default(), ntt.Shape{Limbs: 1 << 15, Radix: ntt.Radix11, Terms: 3, Threads: threads})
		a, z := make([]uint64, 1000), make([]uint64, 2000)
		x, y := p.NewVector(), p.NewVector()
		renew := func() {
			if err := errors.Join(p.Forward(t.Context(), x, a), p.Forward(t.Context(), y, a)); err != nil {
				t.Fatal(err)
			}
		}
		for name, operation := range map[string]func() error{
			"forward": func() error { return p.Forward(ended, x, a) },
			"mul":     func() error { return p.Mul(ended, x, x, y) },
			"sqr":     func() error { return p.Sqr(ended, x, x) },
			"add":     func() error { return p.Add(ended, x, x, y) },
			"fib":     func() error { return p.FibDouble(ended, x, y) },
			"inverse": func() error { return p.Inverse(ended, z, x) },
			"product": func() error { return p.Product(ended, z, a, a) },
			"square":  func() error { return p.Square(ended, z, a) },
		} {
			renew()
			if err := operation(); !errors.Is(err, cause) || !errors.Is(err, context.Canceled) {
				t.Errorf("%s, %d threads: error %v, want %v", name, threads, err, cause)
			}
		}
		x.Release()
		y.Release()
	}
}

// TestConcurrentUse multiplies from several goroutines with one plan.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	for _, e := range engines(t) {
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(6, uint64(g)))
				for _, n := range []int{100, 3000, 9000} {
					p, err := e.NewPlan(ntt.Shape{Limbs: 2 * n, Radix: ntt.Radix12})
					if err != nil {
						t.Error(err)
						return
					}
					a := random(r, n, ntt.Radix12, false)
					z, w := make([]uint64, 2*n), make([]uint64, 2*n)
					if err := errors.Join(p.Product(t.Context(), z, a, a), p.Square(t.Context(), w, a)); err != nil {
						t.Error(err)
					}
					if !slices.Equal(z, w) {
						t.Errorf("%s: results differ under concurrent use", e.Tier())
					}
				}
			})
		}
		wg.Wait()
	}
}

// TestGrowth checks that a chain of growing products leaves only its longest buffers
// behind, and that shorter products then use those.
func TestGrowth(t *testing.T) {
	t.Parallel()
	e, err := ntt.New(ntt.Tiers()[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, limbs := range []int{1 << 18, 1 << 19, 1 << 20, 1 << 18} {
		p := mustPlan(t, e, ntt.Shape{Limbs: limbs, Radix: ntt.Radix11})
		p.NewVector().Release()
	}
	// Two buffers of 8 MiB, and less than 4 MiB of short ones from building tables.
	if most := 20 << 20; e.Idle() > most {
		t.Errorf("%d bytes idle after the chain, want at most %d", e.Idle(), most)
	}
}

// TestTrim checks that buffers are reused and that Trim lets go of them.
func TestTrim(t *testing.T) {
	t.Parallel()
	e, err := ntt.New(ntt.Tiers()[0])
	if err != nil {
		t.Fatal(err)
	}
	p := mustPlan(t, e, ntt.Shape{Limbs: 1 << 18, Radix: ntt.Radix11})
	v := p.NewVector()
	v.Release()
	idle := e.Idle()
	if idle < 2*8*p.Points() {
		t.Errorf("%d bytes idle after the release of a vector of %d points", idle, p.Points())
	}
	p.NewVector().Release()
	if e.Idle() != idle {
		t.Errorf("%d bytes idle after reuse, want %d", e.Idle(), idle)
	}
	e.Trim()
	if e.Idle() != 0 {
		t.Errorf("%d bytes idle after Trim", e.Idle())
	}
}

// TestTrimWhileOthersMultiply trims an engine again and again under products that need
// the long tables which Trim forgets.
func TestTrimWhileOthersMultiply(t *testing.T) {
	t.Parallel()
	e, err := ntt.New(ntt.Tiers()[0])
	if err != nil {
		t.Fatal(err)
	}
	const limbs = 5 << 18 // tables of 2^21 points
	p := mustPlan(t, e, ntt.Shape{Limbs: limbs, Radix: ntt.Radix11, Short: 8})
	r := rand.New(rand.NewPCG(7, 8))
	a, b := random(r, limbs-8, ntt.Radix11, false), random(r, 8, ntt.Radix11, false)
	want := make([]uint64, limbs)
	if err := p.Product(t.Context(), want, a, b); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 3 {
			got := make([]uint64, limbs)
			if err := p.Product(t.Context(), got, a, b); err != nil || !slices.Equal(got, want) {
				t.Errorf("the product is another one after a trim, or %v", err)
			}
		}
	}()
	for {
		select {
		case <-done:
			return
		default:
			e.Trim()
		}
	}
}
