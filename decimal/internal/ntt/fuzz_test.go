package ntt_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/seed-649d3d38/heddle/decimal/internal/ntt"
)

// FuzzProduct reads limbs of two operands from bytes and compares all tiers with
// big.Int.
func FuzzProduct(f *testing.F) {
	f.Add([]byte{}, []byte{1}, true)
	f.Add(slices.Repeat([]byte{0xff}, 8*70), slices.Repeat([]byte{0xff}, 8*200), false)
	f.Add(slices.Repeat([]byte{0xff}, 8*600), slices.Repeat([]byte{7, 0}, 8*200), true)
	all := engines(f)
	f.Fuzz(func(t *testing.T, x, y []byte, long bool) {
		radix := ntt.Radix11
		if long {
			radix = ntt.Radix12
		}
		a, b := limbsOf(x, radix), limbsOf(y, radix)
		for _, e := range all {
			checkProduct(t, e, a, b, radix)
		}
	})
}

// limbsOf cuts bytes into limbs; eight 0xff bytes stand for the largest limb.
func limbsOf(b []byte, radix uint64) []uint64 {
	z := make([]uint64, 1+min(len(b)/8, 2000))
	for i := range len(z) - 1 {
		z[i] = binary.LittleEndian.Uint64(b[8*i:])
		if z[i] == 1<<64-1 {
			z[i] = radix - 1
		}
		z[i] %= radix
	}
	return z
}
