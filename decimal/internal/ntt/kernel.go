package ntt

// kernel is the arithmetic of one tier. All slices hold residues in the tier's
// own form, in which all zero bits mean 0; lengths are multiples of 8. In the tiers
// of integers, residues lie in [0, 4p) after forward steps and in [0, 2p) after all
// others; gen/fma.go says what holds for doubles.
//
// A block is seen as a matrix of rows one after another. Work on columns lo to hi
// touches the elements lo ≤ i < hi of every row, so that a long pass can be cut.
type kernel interface {
	// unit is the residue by which times and square divide their products; seeds
	// are multiplied by it to make up for that.
	unit(m *modulus) uint64
	// factor returns the factor w < p in the tier's form.
	factor(m *modulus, w uint64) factor
	// turn sets dst = c·x for entries x of tables, which are below p. The length is a
	// power of two or a multiple of 8.
	turn(m *modulus, dst, x []uint64, c factor)
	// factors makes factors of entries of tables.
	factors(m *modulus, dst []factor, w []uint64)

	// load sets dst to the limbs, padded with zeros.
	load(m *modulus, dst, limbs []uint64)
	// loadAdd adds limbs to the beginning of dst.
	loadAdd(dst, limbs []uint64)
	// loadMadd sets dst = c·dst + limbs.
	loadMadd(m *modulus, dst, limbs []uint64, c factor)

	// split does the forward levels that turn block j, of 2, 4, 8 or 16 rows, into
	// blocks of one row each, on columns lo to hi.
	split(t *tables, d []uint64, rows, lo, hi, j int)
	// leaf does all forward levels of block j, of at most leafSize points.
	leaf(t *tables, d []uint64, j int)
	// join and unleaf undo split and leaf up to a factor of the number of rows or
	// points.
	join(t *tables, d []uint64, rows, lo, hi, j int)
	unleaf(t *tables, d []uint64, j int)

	// madd sets dst = c·x + y; scale sets dst = c·x. Slices may be the same.
	madd(m *modulus, dst, x, y []uint64, c factor)
	scale(m *modulus, dst, x []uint64, c factor)

	// times sets dst = a·b/unit, square sets dst = a²/unit.
	times(m *modulus, dst, a, b []uint64)
	square(m *modulus, dst, a []uint64)
	// add sets dst = a + b.
	add(m *modulus, dst, a, b []uint64)
	// fib sets x, y = x·(x+2y)/unit, (x²+y²)/unit.
	fib(m *modulus, x, y []uint64)

	// compose rebuilds the coefficients from their residues and carries:
	// z + (returned carry)·radix^len(z) = Σ coefficient[i]·radix^i + in. The
	// slices have the same length, which need not be a multiple of 8.
	compose(c *rebuild, z, r0, r1 []uint64, in carry) carry
}

// carry is the number low + high·radix, on its way to the next limb.
type carry struct{ low, high uint64 }
