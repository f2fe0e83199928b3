package main

// leaf64 writes the function that does the last six levels on blocks of 64
// points, all in registers. Three levels run between whole vectors; then an 8×8
// transposition makes the eight blocks of 8 points the columns of the vectors,
// and three more levels run the same way with a factor for each column.
//
// The factors of those come from one vector of seeds: see tables.go. The order of
// the points of a block stays transposed, which only the inverse needs to know.
func leaf64(a *assembly, inverse bool) {
	name := "ifmaLeaf64"
	if inverse {
		name = "ifmaUnleaf64"
	}
	a.function(name, "func "+name+"(p *pass): the levels within blocks of 64 points.", 1)
	loadPass(a, 3)
	a.op("MOVQ", at(passSeed, "R15"), "R12")
	a.op("MOVQ", at(passModulus, "R15"), "R13")
	if inverse {
		a.op("VMOVDQU64", "reversed<>(SB)", "Z16")
	}
	a.label("block")
	for i := range 8 {
		a.op("VMOVDQU64", at(line*i, "DI"), z(i))
	}
	// Z0 to Z7 and Z8 to Z15 change roles at the transposition.
	if inverse {
		a.op("VPERMQ", at(0, "R12"), "Z16", z(8+seedFour))
		seedFactors(a, 8)
		for l := 2; l >= 0; l-- {
			columnLevel(a, 0, 8, l, true)
		}
		transpose(a)
		for l := 2; l >= 0; l-- {
			vectorLevel(a, 8, l, true)
		}
	} else {
		for l := range 3 {
			vectorLevel(a, 0, l, false)
		}
		transpose(a)
		a.op("VMOVDQU64", at(0, "R12"), z(seedFour))
		seedFactors(a, 0)
		for l := range 3 {
			columnLevel(a, 8, 0, l, false)
		}
	}
	for i := range 8 {
		a.op("VMOVDQU64", z(8+i), at(line*i, "DI"))
	}
	a.op("ADDQ", imm(8*line), "DI")
	nextBlock(a, 3, inverse)
	if inverse {
		a.op("SUBQ", imm(line), "R12")
	} else {
		a.op("ADDQ", imm(line), "R12")
	}
	a.op("DECQ", "CX")
	a.jump("JNZ", "block")
	a.done()
	if inverse {
		reversed(a)
	}
}

// leafTemps are the scratch registers of the leaf; Z16 is the reversal and inv is
// in use.
var leafTemps = []temps{{"Z17", "Z18", "Z19"}, {"Z20", "Z21", "Z22"}, {"Z23", "Z24", "Z25"}}

// vectorLevel does level l between the eight vectors from register first on,
// with the factors of the level broadcast from memory.
func vectorLevel(a *assembly, first, l int, inverse bool) {
	half := 4 >> l
	n := 0
	for b := range 1 << l {
		butterfly, index := forward2, b
		if inverse {
			butterfly, index = inverse2, 1<<l-1-b
		}
		m := multiplier{at(16*index, twistRegisters[l]), at(16*index+8, twistRegisters[l]), true}
		for i := range half {
			x := first + 2*half*b + i
			times := func(dst, v string, s temps) { shoup(a, dst, v, m, s.q) }
			butterfly(a, z(x), z(x+half), times, leafTemps[n%3])
			n++
		}
	}
}

// Registers of the seed factors, relative to the first: those of the first level,
// the second, and the third.
const (
	seedOne  = 0
	seedTwo  = 1
	seedFour = 3
)

// seedFactors derives all factors from the seed in register first+seedFour.
func seedFactors(a *assembly, first int) {
	four, two, one := first+seedFour, first+seedTwo, first+seedOne
	step := func(i int) multiplier {
		return multiplier{at(modulusStep+16*(i-1), "R13"), at(modulusStep+16*(i-1)+8, "R13"), true}
	}
	for i := 1; i < 4; i++ {
		s := leafTemps[i%3]
		shoup(a, z(four+i), z(four), step(i), s.q)
		fold(a, z(four+i), p, s.t)
	}
	montgomery(a, z(two), z(four), z(four), "Z17", "Z18")
	fold(a, z(two), p, "Z17")
	shoup(a, z(two+1), z(two), step(1), "Z19")
	fold(a, z(two+1), p, "Z18")
	montgomery(a, z(one), z(two), z(two), "Z20", "Z21")
	fold(a, z(one), p, "Z20")
}

// columnLevel does level l of eight blocks at once, with the factors from register
// factors on.
func columnLevel(a *assembly, first, factors, l int, inverse bool) {
	half := 4 >> l
	n := 0
	for b := range 1 << l {
		butterfly, index := forward2, b
		if inverse {
			butterfly, index = inverse2, 1<<l-1-b
		}
		w := z(factors + []int{seedOne, seedTwo, seedFour}[l] + index)
		for i := range half {
			x := first + 2*half*b + i
			times := func(dst, v string, s temps) { montgomery(a, dst, v, w, s.t, s.q) }
			butterfly(a, z(x), z(x+half), times, leafTemps[n%3])
			n++
		}
	}
}

// transpose turns the 8×8 matrix in the rows Z0 to Z7 over into Z8 to Z15. Z0 to
// Z7 are lost.
func transpose(a *assembly) {
	for i := range 4 {
		a.op("VPUNPCKLQDQ", z(2*i+1), z(2*i), z(8+2*i))
		a.op("VPUNPCKHQDQ", z(2*i+1), z(2*i), z(9+2*i))
	}
	// pick takes two quarters of x and two of y: the even ones or the odd ones.
	pick := func(odd int, x, y, dst int) {
		a.op("VSHUFI64X2", imm([]int{0x88, 0xdd}[odd]), z(y), z(x), z(dst))
	}
	for i := range 2 {
		for odd := range 2 {
			pick(odd, 8+i, 10+i, i+2*odd)
			pick(odd, 12+i, 14+i, 4+i+2*odd)
		}
	}
	for i := range 2 {
		for odd := range 2 {
			pick(odd, i, 4+i, 8+i+4*odd)
			pick(odd, 2+i, 6+i, 10+i+4*odd)
		}
	}
}

// reversed writes the data that reverses the elements of a vector.
func reversed(a *assembly) {
	for i := range 8 {
		a.data("reversed", 8*i, uint64(7-i))
	}
	a.global("reversed", line)
}
