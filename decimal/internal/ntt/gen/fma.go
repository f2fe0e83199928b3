package main

import "fmt"

// The FMA tier works on residues as doubles, positive and negative.
//
// A product x·w is formed exactly as h + l, with h the rounded product and l the
// error, which a fused multiply-add gives exactly. With q = round(h/p), the residue
// is (h - q·p) + l. All of these are integers below 2^53, hence exact, as long as
// |x| < 8p and |w| ≤ 0.6p. In units of p, with p < 2^50, the result is at most
//
//	T(x) = 0.5 + 3·2^-53·p·|x·w| ≤ 0.5 + 0.225·|x|  (0.5 + 0.19·|x| if |w| ≤ 0.5),
//
// since q carries three rounding errors. Bounds in units of p:
//
//   - Forward pass of four rows on |x| ≤ 2.7: row 0 is reduced to 0.5 first. Level
//     one gives rows 0, 2 ≤ 0.5 + T(2.7) < 1.52 and rows 1, 3 ≤ 2.7 + T(2.7) < 3.72,
//     level two all ≤ 1.52 + T(3.72) < 2.73 — and with the exact constants the
//     fixed point of this bound, 1.594 + 0.41·x, is 2.70. Two rows: row 0 reduced,
//     all ≤ 0.5 + T(2.7).
//   - Forward leaf: points 0 and 1 are reduced; the three levels end below 4.2.
//   - Pointwise functions reduce their operands and their sums; products are at
//     most T(0.5) < 0.62.
//   - Inverse leaf on |x| ≤ 0.62: sums grow to 2, 4 and 8 times that, below 5;
//     point 0 is then reduced, and the others are below 3.2.
//   - Inverse pass of four rows on |x| < 4: the sums of level one, below 8, are
//     reduced to 0.5; row 0 ≤ 1; row 1 ≤ 2·T(8) with |w| ≤ 0.5, 1 + 0.75·x, which
//     stays below 4; rows 2 and 3 are products of less than 8. Two rows: the sum
//     is reduced.
const (
	fmaFloats = 88             // offset of struct floats in struct modulus
	fmaP      = fmaFloats      // four copies of p
	fmaInv    = fmaFloats + 32 // four copies of 1/p
	fmaMagic  = fmaFloats + 64 // four copies of 2^52
	fmaStep   = fmaFloats + 96 // W[1], W[2], W[3]
	half      = 32             // bytes of a vector
)

// y returns the name of a 256-bit register.
func y(i int) string { return fmt.Sprintf("Y%d", i) }

// fma writes all functions of the FMA tier. R13 points to the modulus everywhere.
func fma(a *assembly) {
	for _, levels := range []int{1, 2} {
		fmaPass(a, levels, false)
		fmaPass(a, levels, true)
	}
	fmaLeaf(a, false)
	fmaLeaf(a, true)
	fmaPointwise(a)
}

// fmaReduce sets x = x - p·round(x/p), at most p/2.
func fmaReduce(a *assembly, x, t string) {
	a.op("VMULPD", at(fmaInv, "R13"), x, t)
	a.op("VROUNDPD", "$8", t, t)
	a.op("VFNMADD231PD", at(fmaP, "R13"), t, x)
}

// fmaTimes sets x = x·w mod p, where w is a register or a vector in memory. It uses
// two scratch registers, the second of which may be w.
func fmaTimes(a *assembly, x, w, h, q string) {
	a.op("VMULPD", w, x, h)
	a.op("VFMSUB213PD", h, w, x) // x = x·w - h; see fmaTimesMemory for w in memory
	fmaFinish(a, x, h, q)
}

// fmaTimesMemory is fmaTimes for w in memory.
func fmaTimesMemory(a *assembly, x, w, h, q string) {
	a.op("VMULPD", w, x, h)
	a.op("VFMSUB132PD", w, h, x) // x = x·w - h
	fmaFinish(a, x, h, q)
}

// fmaFinish sets x = (h - q·p) + x with q = round(h/p).
func fmaFinish(a *assembly, x, h, q string) {
	a.op("VMULPD", at(fmaInv, "R13"), h, q)
	a.op("VROUNDPD", "$8", q, q)
	a.op("VFNMADD231PD", at(fmaP, "R13"), q, h)
	a.op("VADDPD", h, x, x)
}

// fmaTemps are scratch registers for butterflies on Y0 to Y7.
func fmaTemps(i int) (string, string) { return y(8 + 2*(i%4)), y(9 + 2*(i%4)) }

// fmaButterfly writes (x + wy, x - wy), or the inverse (x + y, w(y - x)). The
// closure multiplies a register by w.
func fmaButterfly(a *assembly, x, y string, inverse bool, times func(x, h, q string), h, q string) {
	if inverse {
		a.op("VSUBPD", x, y, h)
		a.op("VADDPD", y, x, x)
		a.op("VMOVAPD", h, y)
		times(y, h, q)
		return
	}
	times(y, h, q)
	a.op("VSUBPD", y, x, h)
	a.op("VADDPD", y, x, x)
	a.op("VMOVAPD", h, y)
}

// fmaPass is radixPass for this tier: one or two levels, on eight registers.
func fmaPass(a *assembly, levels int, inverse bool) {
	rows := 1 << levels
	name, verb := fmt.Sprintf("fmaSplit%d", rows), "does"
	if inverse {
		name, verb = fmt.Sprintf("fmaJoin%d", rows), "undoes"
	}
	a.function(name, fmt.Sprintf("func %s(p *pass): %s %d levels on blocks of %d rows.", name, verb, levels, rows), 1)
	fmaLoadPass(a, levels)
	a.op("MOVQ", at(passRow, "R15"), "SI")
	a.op("MOVQ", at(passColumns, "R15"), "DX")
	a.op("SHLQ", "$3", "SI")
	a.op("LEAQ", "(SI)(SI*2)", "R15")
	a.label("block")
	unroll := 8 / rows
	a.op("MOVQ", "DI", rowBases[0])
	a.op("MOVQ", "DX", "AX")
	a.label("column")
	operand := func(i, u int) string {
		return at(half*u, rowBases[0]) + []string{"", "(SI*1)", "(SI*2)", "(R15*1)"}[i]
	}
	for u := range unroll {
		for i := range rows {
			a.op("VMOVUPD", operand(i, u), y(u*rows+i))
		}
	}
	if !inverse {
		var reductions []func()
		for u := range unroll {
			h, _ := fmaTemps(u)
			reductions = append(reductions, func() { fmaReduce(a, y(u*rows), h) })
		}
		a.together(reductions...)
	}
	for k := range levels {
		l := k
		if inverse {
			l = levels - 1 - k
		}
		fmaPassLevel(a, levels, l, unroll, inverse)
	}
	for u := range unroll {
		for i := range rows {
			a.op("VMOVUPD", y(u*rows+i), operand(i, u))
		}
	}
	a.op("ADDQ", imm(unroll*half), rowBases[0])
	a.op("SUBQ", imm(4*unroll), "AX")
	a.jump("JNZ", "column")
	a.op("LEAQ", fmt.Sprintf("(DI)(SI*%d)", rows), "DI")
	nextBlock(a, levels, inverse)
	a.op("DECQ", "CX")
	a.jump("JNZ", "block")
	a.done()
}

// fmaPassLevel writes level l of a pass on all columns, with the reductions that
// follow it.
func fmaPassLevel(a *assembly, levels, l, unroll int, inverse bool) {
	rows := 1 << levels
	distance := rows >> (l + 1)
	var butterflies, reductions []func()
	for u := range unroll {
		for b := range 1 << l {
			index := b
			if inverse {
				index = 1<<l - 1 - b
			}
			for i := range distance {
				x := u*rows + 2*distance*b + i
				h, q := fmaTemps(len(butterflies))
				butterflies = append(butterflies, func() {
					fmaButterfly(a, y(x), y(x+distance), inverse, func(x, h, q string) {
						a.op("VBROADCASTSD", at(16*index, twistRegisters[l]), q)
						fmaTimes(a, x, q, h, q)
					}, h, q)
				})
				if inverse && l == levels-1 {
					reductions = append(reductions, func() { fmaReduce(a, y(x), h) })
				}
			}
		}
	}
	a.together(butterflies...)
	a.together(reductions...)
}

// fmaLoadPass loads the fields that all passes share.
func fmaLoadPass(a *assembly, levels int) {
	a.argument(0, "p", "R15")
	a.op("MOVQ", at(passModulus, "R15"), "R13")
	a.op("MOVQ", at(passData, "R15"), "DI")
	a.op("MOVQ", at(passBlocks, "R15"), "CX")
	for l := range levels {
		a.op("MOVQ", at(passTwist+8*l, "R15"), twistRegisters[l])
	}
}

// fmaLeaf writes the function that does the last three levels on four blocks of 8
// points at a time: transposed, the blocks are the columns of eight vectors, with a
// factor for each column. The inverse transposes back at the end.
func fmaLeaf(a *assembly, inverse bool) {
	name := "fmaLeaf"
	if inverse {
		name = "fmaUnleaf"
	}
	a.framed(name, "func "+name+"(p *pass): the levels within blocks of 8 points, four at a time.", 1, 9*half)
	fmaLoadPass(a, 0)
	a.op("MOVQ", at(passSeed, "R15"), "R12")
	a.op("MOVQ", "SP", "R14") // seed factors, aligned
	a.op("ADDQ", imm(half-1), "R14")
	a.op("ANDQ", imm(-half), "R14")
	a.label("block")
	fmaSeeds(a, inverse)
	// Even vectors hold the first halves of the blocks, odd ones the second.
	memory := func(i int) int {
		if inverse {
			return i
		}
		return 2*(i%4) + i/4
	}
	for i := range 8 {
		a.op("VMOVUPD", at(half*memory(i), "DI"), y(i))
	}
	levels := []int{0, 1, 2}
	if inverse {
		levels = []int{2, 1, 0}
	} else {
		fmaTranspose(a, 0)
		fmaTranspose(a, 4)
		a.together(func() { fmaReduce(a, "Y0", "Y8") }, func() { fmaReduce(a, "Y1", "Y9") })
	}
	for _, l := range levels {
		fmaColumnLevel(a, l, inverse)
	}
	if inverse {
		fmaReduce(a, "Y0", "Y8")
		fmaTranspose(a, 0)
		fmaTranspose(a, 4)
	}
	for i := range 8 {
		to := i
		if inverse {
			to = 2*(i%4) + i/4
		}
		a.op("VMOVUPD", y(i), at(half*to, "DI"))
	}
	a.op("ADDQ", imm(8*half), "DI")
	if inverse {
		a.op("SUBQ", imm(half), "R12")
	} else {
		a.op("ADDQ", imm(half), "R12")
	}
	a.op("SUBQ", "$4", "CX")
	a.jump("JNZ", "block")
	a.done()
}

// fmaColumnLevel writes level l on the columns.
func fmaColumnLevel(a *assembly, l int, inverse bool) {
	distance := 4 >> l
	var butterflies []func()
	for b := range 1 << l {
		index := b
		if inverse {
			index = 1<<l - 1 - b
		}
		w := at(half*([]int{seedOne, seedTwo, seedFour}[l]+index), "R14")
		for i := range distance {
			x := 2*distance*b + i
			h, q := fmaTemps(len(butterflies))
			butterflies = append(butterflies, func() {
				fmaButterfly(a, y(x), y(x+distance), inverse, func(x, h, q string) { fmaTimesMemory(a, x, w, h, q) }, h, q)
			})
		}
	}
	a.together(butterflies...)
}

// fmaSeeds derives the factors of four blocks from their seeds, as seedFactors does.
func fmaSeeds(a *assembly, inverse bool) {
	a.op("VMOVUPD", "(R12)", "Y0")
	if inverse {
		a.op("VPERMPD", "$0x1b", "Y0", "Y0") // in backward order
	}
	store := func(register string, i int) { a.op("VMOVAPD", register, at(half*i, "R14")) }
	step := func(i int, register string) { a.op("VBROADCASTSD", at(fmaStep+8*(i-1), "R13"), register) }
	store("Y0", seedFour)
	streams := []func(){func() {
		a.op("VMOVAPD", "Y0", "Y1")
		fmaTimes(a, "Y1", "Y0", "Y2", "Y3") // seed²
		store("Y1", seedTwo)
		a.op("VMOVAPD", "Y1", "Y4")
		fmaTimes(a, "Y4", "Y1", "Y2", "Y3") // seed⁴
		store("Y4", seedOne)
		step(1, "Y5")
		fmaTimes(a, "Y1", "Y5", "Y2", "Y3")
		store("Y1", seedTwo+1)
	}}
	for i := 1; i < 4; i++ {
		x, h, q := y(3+3*i), y(4+3*i), y(5+3*i)
		streams = append(streams, func() {
			step(i, q)
			a.op("VMOVAPD", "Y0", x)
			fmaTimes(a, x, q, h, q)
			store(x, seedFour+i)
		})
	}
	a.together(streams...)
}

// fmaTranspose turns over the 4×4 matrix in four registers.
func fmaTranspose(a *assembly, first int) {
	for i := range 2 {
		x, z := y(first+2*i), y(first+2*i+1)
		a.op("VUNPCKLPD", z, x, y(8+2*i))
		a.op("VUNPCKHPD", z, x, y(9+2*i))
	}
	for i := range 2 {
		a.op("VPERM2F128", "$0x20", y(10+i), y(8+i), y(first+i))
		a.op("VPERM2F128", "$0x31", y(10+i), y(8+i), y(first+2+i))
	}
}
