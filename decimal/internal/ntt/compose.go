package ntt

import (
	"context"
	"sync"
)

// composeBlock is the number of limbs composed between two looks at the context.
const composeBlock = 1 << 15

// parallelCompose is the number of limbs from which composition is split in two.
const parallelCompose = 1 << 13

// compose turns the residues of v into limbs. With two threads each half of z is
// composed on its own, and the carry of the lower half then runs into the upper
// one, where it nearly always ends after a limb or two.
func (p *Plan) compose(ctx context.Context, c *rebuild, z []uint64, v *Vector) error {
	n := min(len(z), p.Points())
	half := n
	var low, high carry
	if p.threads == 1 || n < parallelCompose {
		low = p.composeRange(ctx, c, z, v, 0, n)
	} else {
		half = n / 16 * 8
		var wg sync.WaitGroup
		wg.Go(func() { high = p.composeRange(ctx, c, z, v, half, n) })
		low = p.composeRange(ctx, c, z, v, 0, half)
		wg.Wait()
		low = ripple(z[half:n], low, p.radix)
		high.low, high.high = high.low+low.low, high.high+low.high
		low = high
	}
	if err := stopCause(ctx, "compose"); err != nil {
		return err
	}
	clear(z[n:])
	low = ripple(z[n:], low, p.radix)
	if p.cyclic { // radix^n = 1; a carry out of the second round is at most 1
		for low != (carry{}) {
			low = ripple(z, low, p.radix)
		}
	}
	return nil
}

// composeRange composes z[lo:hi] without a carry from below and returns the carry
// above.
func (p *Plan) composeRange(ctx context.Context, c *rebuild, z []uint64, v *Vector, lo, hi int) carry {
	var out carry
	k := p.courses[0].kernel
	for ; lo < hi && !stopped(ctx); lo += composeBlock {
		end := min(lo+composeBlock, hi)
		out = k.compose(c, z[lo:end], v.data[0][lo:end], v.data[1][lo:end], out)
	}
	return out
}

// ripple adds a carry to normalised limbs and returns what leaves at the top.
func ripple(z []uint64, in carry, radix uint64) carry {
	for i := 0; i < len(z) && in != (carry{}); i++ {
		sum := z[i] + in.low
		z[i] = sum % radix
		in = carry{sum/radix + in.high, 0}
	}
	return in
}
