package ntt

import (
	"fmt"
	"math/bits"
)

// Shape says what products a plan is for.
type Shape struct {
	// Limbs is the number of limbs of the longest result: the sum of the lengths
	// of the operands. It must be positive and at most 2^33.
	Limbs int
	// Radix is Radix12 or Radix11.
	Radix uint64
	// Terms is how many products are added before the way back; 0 means 1.
	// FibDouble needs 3.
	Terms int
	// Short is the largest number of limbs of the shorter factor of any product;
	// 0 means half of Limbs, which holds for every product (all of Limbs if
	// Cyclic).
	//
	// A coefficient is a sum of at most Terms·Short products of limbs, so it is
	// below p0·p1 when Terms·Short·(Radix-1)² is: for one term, up to 1,266,877
	// limbs with Radix12 and 126,687,700 with Radix11. NewPlan refuses more.
	Short int
	// Cyclic asks for products modulo Radix^N - 1, where N, the smallest
	// sufficient power of two, is what [Plan.Points] returns. Limbs is then the
	// least N wanted.
	Cyclic bool
	// Threads is 1 to stay in the calling goroutine, 2 to give each prime its own
	// goroutine, 0 to let the plan choose by size.
	Threads int
}

// Plan is how to multiply numbers of one shape. It is immutable and safe for
// concurrent use. Making one costs about a microsecond; the first transform
// builds the engine's tables if they are too short.
type Plan struct {
	engine   *Engine
	radix    uint64
	capacity int // how many products of limbs a coefficient may sum up
	cyclic   bool
	threads  int
	*setup
}

// setup is what all plans of one layout and radix share.
type setup struct {
	courses [2]*course
	single  *rebuild // for one factor
	double  *rebuild // for products of two
}

// setupKey tells setups apart: layouts of the same number of points are the same.
type setupKey struct {
	points int
	radix  uint64
}

// setup returns the setup of a layout and radix. There are a few hundred in all,
// and they are kept, because their constants take longer to compute than a short
// product.
func (e *Engine) setup(l layout, radix uint64) *setup {
	key := setupKey{l.points, radix}
	if s, ok := e.setups.Load(key); ok {
		return s.(*setup)
	}
	s := new(setup)
	s.courses[0], s.courses[1] = newCourse(e.fields[0], l), newCourse(e.fields[1], l)
	m0, m1, k, n := e.fields[0].modulus, e.fields[1].modulus, e.fields[0].kernel, l.pieces[0].n
	s.single = newRebuild(m0, m1, k, n, 0, radix)
	s.double = newRebuild(m0, m1, k, n, 1, radix)
	e.setups.Store(key, s)
	return s
}

// ParallelPoints is the length of a transform from which the primes get a goroutine
// each, unless the shape says otherwise.
const ParallelPoints = 1 << 14

// NewPlan returns a plan for products of the given shape. It returns an error
// when a field is out of range or when a coefficient could exceed the product of
// the primes.
func (e *Engine) NewPlan(s Shape) (*Plan, error) {
	if s.Limbs <= 0 || s.Limbs > 1<<(maxLog-1) {
		return nil, fmt.Errorf("new plan: limbs is %d, must be between 1 and 2^%d", s.Limbs, maxLog-1)
	}
	if s.Radix != Radix12 && s.Radix != Radix11 {
		return nil, fmt.Errorf("new plan: radix is %d, must be 10^12 or 10^11", s.Radix)
	}
	if s.Terms < 0 || s.Short < 0 || s.Threads < 0 || s.Threads > 2 {
		return nil, fmt.Errorf("new plan: terms %d, short %d and threads %d must not be negative, threads at most 2", s.Terms, s.Short, s.Threads)
	}
	p := &Plan{engine: e, radix: s.Radix, cyclic: s.Cyclic, threads: s.Threads}
	l := newLayout(s.Limbs)
	if s.Cyclic {
		l = newPieces(max(minPoints, 1<<bits.Len(uint(s.Limbs-1))), 8)
	}
	short := s.Short
	if short == 0 && s.Cyclic {
		short = l.points
	}
	if short == 0 {
		short = (s.Limbs + 1) / 2
	}
	p.capacity = capacity(s.Radix)
	if terms := max(s.Terms, 1); short > p.capacity/terms {
		return nil, fmt.Errorf("new plan: %d sums of %d products of limbs below %d can exceed the product of the primes; at most %d products in all", terms, short, s.Radix, p.capacity)
	}
	if p.threads == 0 {
		p.threads = 1
		if l.points >= ParallelPoints {
			p.threads = 2
		}
	}
	p.setup = e.setup(l, s.Radix)
	return p, nil
}

// capacity returns the largest c with c·(radix-1)² < p0·p1.
func capacity(radix uint64) int {
	if radix == Radix12 {
		return 1_266_877
	}
	return 126_687_700
}

// Points returns the length of the plan's transforms: at least the shape's
// Limbs, and exactly N for a cyclic plan.
func (p *Plan) Points() int { return p.courses[0].points }

// Radix returns the radix of the plan's limbs.
func (p *Plan) Radix() uint64 { return p.radix }
