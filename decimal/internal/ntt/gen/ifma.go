package main

import "fmt"

// Registers that hold the constants of the prime in all IFMA functions.
const (
	twoP = "Z31" // 2p
	negP = "Z30" // 2^52 - p
	mask = "Z29" // 2^52 - 1
	p    = "Z28"
	inv  = "Z27" // 1/p mod 2^52
)

// Offsets in struct modulus.
const (
	modulusStep = 40 // step[0], 16 bytes each
)

// constants loads the constants from the modulus at the given register.
func constants(a *assembly, modulus string) {
	for i, r := range []string{twoP, negP, mask, p, inv} {
		a.op("VPBROADCASTQ", at(8*i, modulus), r)
	}
}

// multiplier is a constant factor for a Shoup product: registers, or memory
// words to be broadcast.
type multiplier struct {
	w, quot string
	memory  bool
}

// shoup sets dst = x·w mod p in [0, 2p): the quotient floor(x·quot/2^52) is right
// or one too small, and the difference x·w - quotient·p is formed modulo 2^52.
func shoup(a *assembly, dst, x string, m multiplier, q string) {
	suffix := ""
	if m.memory {
		suffix = ".BCST"
	}
	a.op("VPXORQ", q, q, q)
	a.op("VPMADD52HUQ"+suffix, m.quot, x, q)
	a.op("VPXORQ", dst, dst, dst)
	a.op("VPMADD52LUQ"+suffix, m.w, x, dst)
	a.op("VPMADD52LUQ", negP, q, dst)
	a.op("VPANDQ", mask, dst, dst)
}

// montgomery sets dst = x·w/2^52 mod p in (0, 2p), if x·w < p·2^52. The register
// dst must be neither x nor w.
func montgomery(a *assembly, dst, x, w, t, u string) {
	a.op("VPXORQ", t, t, t)
	a.op("VPMADD52LUQ", w, x, t)
	a.op("VPXORQ", u, u, u)
	a.op("VPMADD52LUQ", inv, t, u)
	a.op("VMOVDQA64", p, dst)
	a.op("VPMADD52HUQ", w, x, dst)
	a.op("VPXORQ", t, t, t)
	a.op("VPMADD52HUQ", p, u, t)
	a.op("VPSUBQ", t, dst, dst)
}

// fold sets x = min(x, x - bound) as unsigned numbers: x reduced once.
func fold(a *assembly, x, bound, t string) {
	a.op("VPSUBQ", bound, x, t)
	a.op("VPMINUQ", t, x, x)
}

// temps are the scratch registers of one butterfly. Butterflies that are written
// together need different ones. The third is for Montgomery products only.
type temps struct{ product, q, u string }

// product multiplies x by a factor that is fixed by the closure, with scratch
// registers q and u.
type product func(dst, x, q, u string)

// forward2 is (x, y) = (x + wy, x - wy) for x, y < 4p.
func forward2(a *assembly, x, y string, w product, s temps) {
	fold(a, x, twoP, s.q)
	w(s.product, y, s.q, s.u)
	a.op("VPADDQ", twoP, x, s.q)
	a.op("VPADDQ", s.product, x, x)
	a.op("VPSUBQ", s.product, s.q, y)
}

// inverse2 is (x, y) = (x + y, w(y - x)) for x, y < 2p.
func inverse2(a *assembly, x, y string, w product, s temps) {
	a.op("VPADDQ", twoP, y, s.product)
	a.op("VPSUBQ", x, s.product, s.product)
	a.op("VPADDQ", y, x, x)
	fold(a, x, twoP, s.q)
	w(y, s.product, s.q, s.u)
}

// Offsets in struct pass.
const (
	passData    = 0
	passRow     = 8
	passColumns = 16
	passBlocks  = 24
	passTwist   = 32 // four pointers
	passSeed    = 64
	passModulus = 72
)

// ifma writes all functions of the IFMA tier.
func ifma(a *assembly) {
	for _, levels := range []int{1, 2, 3, 4} {
		radixPass(a, levels, false)
		radixPass(a, levels, true)
	}
	leaf(a, false)
	leaf(a, true)
	pointwise(a)
	tableFunctions(a)
	compose(a)
}

// twistRegisters hold the pointers to the factors of the levels of a pass.
var twistRegisters = []string{"R8", "R9", "R10", "R11"}

// loadPass loads the fields that all passes share.
func loadPass(a *assembly, levels int) {
	a.argument(0, "p", "R15")
	a.op("MOVQ", at(passModulus, "R15"), "AX")
	constants(a, "AX")
	a.op("MOVQ", at(passData, "R15"), "DI")
	a.op("MOVQ", at(passBlocks, "R15"), "CX")
	for l := range levels {
		a.op("MOVQ", at(passTwist+8*l, "R15"), twistRegisters[l])
	}
}

// nextBlock moves the pointers of a pass to the factors of the next block, which
// the inverse finds below.
func nextBlock(a *assembly, levels int, inverse bool) {
	move := "ADDQ"
	if inverse {
		move = "SUBQ"
	}
	for l := range levels {
		a.op(move, imm(16<<l), twistRegisters[l])
	}
}

// radixPass writes a function that does a number of butterfly levels on columns
// of 2^levels rows, all in registers.
func radixPass(a *assembly, levels int, inverse bool) {
	rows := 1 << levels
	name, verb := fmt.Sprintf("ifmaSplit%d", rows), "does"
	if inverse {
		name, verb = fmt.Sprintf("ifmaJoin%d", rows), "undoes"
	}
	a.function(name, fmt.Sprintf("func %s(p *pass): %s %d levels on blocks of %d rows.", name, verb, levels, rows), 1)
	loadPass(a, levels)
	a.op("MOVQ", at(passRow, "R15"), "SI")
	a.op("MOVQ", at(passColumns, "R15"), "DX")
	a.op("SHLQ", "$3", "SI")
	a.op("LEAQ", "(SI)(SI*2)", "R15")
	a.label("block")
	unroll := 16 / rows             // columns at a time, so that eight butterflies are independent
	for i := range (rows + 3) / 4 { // a pointer for every four rows
		if i == 0 {
			a.op("MOVQ", "DI", rowBases[0])
		} else {
			a.op("LEAQ", "("+rowBases[i-1]+")(SI*4)", rowBases[i])
		}
	}
	a.op("MOVQ", "DX", "AX")
	a.label("column")
	for u := range unroll {
		for i := range rows {
			a.op("VMOVDQU64", row(i, u), z(u*rows+i))
		}
	}
	for k := range levels {
		l := k
		if inverse {
			l = levels - 1 - k
		}
		var streams []func()
		for u := range unroll {
			streams = append(streams, passLevel(a, levels, l, u*rows, inverse)...)
		}
		a.groups(4, streams)
	}
	for u := range unroll {
		for i := range rows {
			a.op("VMOVDQU64", z(u*rows+i), row(i, u))
		}
	}
	for i := range (rows + 3) / 4 {
		a.op("ADDQ", imm(unroll*line), rowBases[i])
	}
	a.op("SUBQ", imm(8*unroll), "AX")
	a.jump("JNZ", "column")
	a.op("LEAQ", fmt.Sprintf("(DI)(SI*%d)", min(rows, 8)), "DI")
	if rows == 16 {
		a.op("LEAQ", "(DI)(SI*8)", "DI")
	}
	nextBlock(a, levels, inverse)
	a.op("DECQ", "CX")
	a.jump("JNZ", "block")
	a.done()
}

// rowBases point to rows 0, 4, 8 and 12 of a pass.
var rowBases = []string{"R12", "R13", "R14", "BX"}

// row returns the operand of column u from the current one in row i: SI is the
// length of a row in bytes, R15 three times that.
func row(i, u int) string {
	return at(line*u, rowBases[i/4]) + []string{"", "(SI*1)", "(SI*2)", "(R15*1)"}[i%4]
}

// passTemps are scratch registers for the butterflies of a pass.
var passTemps = []temps{{product: "Z16", q: "Z17"}, {product: "Z18", q: "Z19"}, {product: "Z20", q: "Z21"}, {product: "Z22", q: "Z23"}}

// passLevel returns the butterflies of level l of a pass on the registers from
// first on: 2^l blocks, in each of which row i meets row i+half. Four neighbours
// may be written together.
func passLevel(a *assembly, levels, l, first int, inverse bool) []func() {
	half := 1 << (levels - 1 - l)
	var out []func()
	for b := range 1 << l {
		butterfly, index := forward2, b
		if inverse {
			butterfly, index = inverse2, 1<<l-1-b
		}
		m := multiplier{at(16*index, twistRegisters[l]), at(16*index+8, twistRegisters[l]), true}
		for i := range half {
			x := first + 2*half*b + i
			times := func(dst, v, q, _ string) { shoup(a, dst, v, m, q) }
			s := passTemps[(first/2+len(out))%4]
			out = append(out, func() { butterfly(a, z(x), z(x+half), times, s) })
		}
	}
	return out
}
