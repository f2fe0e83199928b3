package main

// leafBlock is the number of points that the leaf functions hold in registers: two
// blocks of 64, so that enough butterflies are independent of one another.
const leafBlock = 128

// leaf writes the function that does the last six levels on pairs of blocks of 64
// points, all in registers. Three levels run between whole vectors; then an 8×8
// transposition makes the eight blocks of 8 points the columns of the vectors,
// and three more levels run the same way with a factor for each column.
//
// The factors of those come from one vector of seeds: see tables.go. The order of
// the points of a block stays transposed, which only the inverse needs to know.
func leaf(a *assembly, inverse bool) {
	name := "ifmaLeaf"
	if inverse {
		name = "ifmaUnleaf"
	}
	a.framed(name, "func "+name+"(p *pass): the levels within blocks of 64 points, an even number of them.", 1, 15*line)
	loadPass(a, 3)
	a.op("MOVQ", at(passSeed, "R15"), "R12")
	a.op("MOVQ", at(passModulus, "R15"), "R13")
	a.op("MOVQ", "SP", "R14") // seed factors: seven vectors for each block, aligned
	a.op("ADDQ", imm(line-1), "R14")
	a.op("ANDQ", imm(-line), "R14")
	a.label("block")
	a.op("VPBROADCASTQ", at(8, "R13"), negP) // which columnLevel takes for scratch
	seedFactors(a, inverse)
	for i := range 16 {
		a.op("VMOVDQU64", at(line*i, "DI"), z(i))
	}
	// The registers of the points of each block, in order.
	points := [2][]string{}
	for b := range points {
		for i := range 8 {
			points[b] = append(points[b], z(8*b+i))
		}
	}
	if inverse {
		for l := 2; l >= 0; l-- {
			a.groups(4, append(columnLevel(a, points, 0, l, true), columnLevel(a, points, 1, l, true)...))
		}
		transpose(a, points[0])
		transpose(a, points[1])
		a.op("VPBROADCASTQ", at(8, "R13"), negP)
		for l := 2; l >= 0; l-- {
			a.groups(4, append(vectorLevel(a, points, 0, l, true), vectorLevel(a, points, 1, l, true)...))
		}
	} else {
		for l := range 3 {
			a.groups(4, append(vectorLevel(a, points, 0, l, false), vectorLevel(a, points, 1, l, false)...))
		}
		transpose(a, points[0])
		transpose(a, points[1])
		for l := range 3 {
			a.groups(4, append(columnLevel(a, points, 0, l, false), columnLevel(a, points, 1, l, false)...))
		}
	}
	for b := range points {
		for i := range 8 {
			a.op("VMOVDQU64", points[b][i], at(line*(8*b+i), "DI"))
		}
	}
	a.op("ADDQ", imm(8*leafBlock), "DI")
	for range 2 {
		nextBlock(a, 3, inverse)
	}
	if inverse {
		a.op("SUBQ", imm(2*line), "R12")
	} else {
		a.op("ADDQ", imm(2*line), "R12")
	}
	a.op("SUBQ", "$2", "CX")
	a.jump("JNZ", "block")
	a.done()
	if inverse {
		reversed(a)
	}
}

// leafTemps are scratch registers for four butterflies. Montgomery products do not
// need negP, so columnLevel may use its register.
var leafTemps = []temps{{"Z16", "Z17", "Z18"}, {"Z19", "Z20", "Z21"}, {"Z22", "Z23", "Z24"}, {"Z25", "Z26", negP}}

// leafLevel returns the butterflies of level l on the points of a block.
func leafLevel(a *assembly, points []string, l int, inverse bool, times func(b int) product) []func() {
	half := 4 >> l
	var out []func()
	for b := range 1 << l {
		butterfly, index := forward2, b
		if inverse {
			butterfly, index = inverse2, 1<<l-1-b
		}
		for i := range half {
			x, y := points[2*half*b+i], points[2*half*b+i+half]
			s, w := leafTemps[len(out)], times(index)
			out = append(out, func() { butterfly(a, x, y, w, s) })
		}
	}
	return out
}

// vectorLevel is level l between whole vectors of block b, with the factors of the
// level broadcast from memory.
func vectorLevel(a *assembly, points [2][]string, b, l int, inverse bool) []func() {
	return leafLevel(a, points[b], l, inverse, func(i int) product {
		if inverse {
			i -= b << l // the factors of the second block lie below
		} else {
			i += b << l
		}
		m := multiplier{at(16*i, twistRegisters[l]), at(16*i+8, twistRegisters[l]), true}
		return func(dst, x, q, _ string) { shoup(a, dst, x, m, q) }
	})
}

// columnLevel is level l of the eight blocks of 8 points within block b, with the
// seed factors.
func columnLevel(a *assembly, points [2][]string, b, l int, inverse bool) []func() {
	return leafLevel(a, points[b], l, inverse, func(i int) product {
		w := seedOperand(b, []int{seedOne, seedTwo, seedFour}[l]+i)
		return func(dst, x, q, u string) { montgomery(a, dst, x, w, q, u) }
	})
}

// Places of the seed factors of a block: one of the first level, two of the
// second, four of the third, the first of which is the seed.
const (
	seedOne  = 0
	seedTwo  = 1
	seedFour = 3
)

// seedOperand returns the place in memory of a seed factor of block b.
func seedOperand(b, i int) string { return at(line*(7*b+i), "R14") }

// seedFactors derives the seed factors of both blocks.
func seedFactors(a *assembly, inverse bool) {
	step := func(i int) multiplier {
		return multiplier{at(modulusStep+16*(i-1), "R13"), at(modulusStep+16*(i-1)+8, "R13"), true}
	}
	if inverse {
		a.op("VMOVDQU64", "reversed<>(SB)", "Z26")
		a.op("VPERMQ", at(0, "R12"), "Z26", "Z0")
		a.op("VPERMQ", at(-line, "R12"), "Z26", "Z1")
	} else {
		a.op("VMOVDQU64", at(0, "R12"), "Z0")
		a.op("VMOVDQU64", at(line, "R12"), "Z1")
	}
	var streams []func()
	for b := range 2 {
		seed := z(b)
		a.op("VMOVDQU64", seed, seedOperand(b, seedFour))
		first := 2 + 12*b // scratch registers of this block
		two, one, next := z(first), z(first+1), z(first+2)
		streams = append(streams, func() {
			montgomery(a, two, seed, seed, z(first+3), z(first+4))
			fold(a, two, p, z(first+3))
			a.op("VMOVDQU64", two, seedOperand(b, seedTwo))
			montgomery(a, one, two, two, z(first+3), z(first+4))
			shoup(a, next, two, step(1), z(first+5))
			fold(a, one, p, z(first+3))
			a.op("VMOVDQU64", one, seedOperand(b, seedOne))
			fold(a, next, p, z(first+5))
			a.op("VMOVDQU64", next, seedOperand(b, seedTwo+1))
		})
		for i := 1; i < 4; i++ {
			four, q := z(first+4+2*i), z(first+5+2*i)
			streams = append(streams, func() {
				shoup(a, four, seed, step(i), q)
				fold(a, four, p, q)
				a.op("VMOVDQU64", four, seedOperand(b, seedFour+i))
			})
		}
	}
	a.together(streams...)
}

// transpose turns the 8×8 matrix in the given rows over. It uses Z16 to Z23.
func transpose(a *assembly, rows []string) {
	var t []string
	for i := range 8 {
		t = append(t, z(16+i))
	}
	for i := range 4 {
		a.op("VPUNPCKLQDQ", rows[2*i+1], rows[2*i], t[2*i])
		a.op("VPUNPCKHQDQ", rows[2*i+1], rows[2*i], t[2*i+1])
	}
	// pick takes two quarters of x and two of y: the even ones or the odd ones.
	pick := func(odd int, x, y, dst string) {
		a.op("VSHUFI64X2", imm([]int{0x88, 0xdd}[odd]), y, x, dst)
	}
	for i := range 2 {
		for odd := range 2 {
			pick(odd, t[i], t[2+i], rows[i+2*odd])
			pick(odd, t[4+i], t[6+i], rows[4+i+2*odd])
		}
	}
	for i := range 4 {
		pick(1, rows[i], rows[4+i], t[i])
		pick(0, rows[i], rows[4+i], rows[i])
		a.op("VMOVDQA64", t[i], rows[4+i])
	}
}

// reversed writes the data that reverses the elements of a vector.
func reversed(a *assembly) {
	for i := range 8 {
		a.data("reversed", 8*i, uint64(7-i))
	}
	a.global("reversed", line)
}
