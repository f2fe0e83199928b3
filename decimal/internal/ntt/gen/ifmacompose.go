package main

import "fmt"

// Offsets in struct ifmaRebuild, one word each.
var rebuildWords = []string{
	"negP0", "p0", "w0", "w0Quot", "negP1", "p1", "twoP1", "w1", "w1Quot", "invP0", "invP0Quot",
	"mask", "squareHigh", "squareLow", "radix", "top", "one",
}

// rebuildFloats follow them.
var rebuildFloats = []string{"two52", "invSquare", "biasSquare", "invRadix", "biasRadix"}

// compose writes the function that rebuilds coefficients and carries them into
// limbs, eight at a time.
//
// A coefficient v < 2^100 is written as d0 + d1·B + d2·B² with the radix B. The
// digits d2 and d1 are estimated in double precision, a little low so that no
// remainder is negative:
//
//   - d2 = floor(v/B² - 2^-20). The error of the double arithmetic, three roundings
//     of a number below 2^27, is below 2^-24, so v - d2·B² lies in
//     [0, B²·(1 + 2^-19)).
//   - d1 = floor(rest/B - 2^-9), with an error below 2^-10 as rest/B < 2^41. So d1 ≤
//     B·(1 + 2^-19), and d0 = rest - d1·B lies in [0, B·(1 + 2^-8)).
//
// Each position then adds d0, the d1 of the one before and the d2 of the one before
// that: below 3B, so that at most two subtractions of B leave a limb and a carry of
// 0, 1 or 2. Adding the carries of the neighbours makes at most B + 1: a carry
// of 1 that may run on. It runs as in an adder with look-ahead: with a bit for every
// position that makes a carry and one for every position that is B - 1 and passes a
// carry on, one addition of machine words finds them all.
//
// Several vectors are worked on at once, so that none waits for its own chain.
func compose(a *assembly) {
	name := "ifmaCompose"
	a.function(name, "func "+name+"(z, r0, r1 *uint64, n int, c *ifmaRebuild, s *ifmaCarry): see ifma_amd64.go.", 6)
	for i, r := range []string{"DI", "SI", "DX", "CX", "R8", "R10"} {
		a.argument(i, []string{"z", "r0", "r1", "n", "c", "s"}[i], r)
	}
	c := composer{a}
	for i, w := range composeRegisters {
		a.op("VPBROADCASTQ", c.word(w), z(31-i))
	}
	a.op("VMOVDQU64", at(0, "R10"), before.d1)
	a.op("VMOVDQU64", at(line, "R10"), before.d2)
	a.op("VMOVDQU64", at(2*line, "R10"), before.over)
	a.op("MOVQ", at(3*line, "R10"), "R9")
	a.label("single")
	a.op("TESTQ", imm(8*(composeVectors-1)), "CX")
	a.jump("JZ", "groups")
	c.vectors(1)
	a.op("SUBQ", "$8", "CX")
	a.jump("JMP", "single")
	a.label("groups")
	a.op("TESTQ", "CX", "CX")
	a.jump("JZ", "end")
	c.vectors(composeVectors)
	a.op("SUBQ", imm(8*composeVectors), "CX")
	a.jump("JMP", "groups")
	a.label("end")
	a.op("VMOVDQU64", before.d1, at(0, "R10"))
	a.op("VMOVDQU64", before.d2, at(line, "R10"))
	a.op("VMOVDQU64", before.over, at(2*line, "R10"))
	a.op("MOVQ", "R9", at(3*line, "R10"))
	a.done()
}

// composeVectors is the number of vectors worked on at once, a power of two.
const composeVectors = 4

// composeRegisters are the constants kept in registers, from Z31 down; the others
// are broadcast from memory.
var composeRegisters = []string{"mask", "radix", "p0", "one", "negP1"}

// radixRegister holds the radix.
const radixRegister = "Z30"

// digits are the registers of the digits of a vector and of its carries.
type digits struct{ d1, d2, over string }

// before holds those of the vector before; R9 holds the running carry.
var before = digits{"Z24", "Z25", "Z26"}

// composer writes parts of compose.
type composer struct{ *assembly }

// word returns a constant in memory.
func (c composer) word(name string) string {
	for i, w := range append(rebuildWords, rebuildFloats...) {
		if w == name {
			return at(8*i, "R8")
		}
	}
	panic("no constant " + name)
}

// with writes an instruction whose first source is a constant, wherever it is.
func (c composer) with(mnemonic, constant string, operands ...string) {
	for i, w := range composeRegisters {
		if w == constant {
			c.op(mnemonic, append([]string{z(31 - i)}, operands...)...)
			return
		}
	}
	c.op(mnemonic+".BCST", append([]string{c.word(constant)}, operands...)...)
}

// Registers of a vector, of which there are six: a name for every use.
const (
	low  = 0 // lower 52 bits, then d0, then the limb
	high = 1 // the rest above them
	d2   = 2
	d1   = 3
	t, u = 4, 5 // scratch
	over = high // carries
	v1   = d1
)

// vectors writes the work on the next n vectors, and moves the pointers on.
func (c composer) vectors(n int) {
	var rebuild, spread []func()
	register := func(v, i int) string { return z(6*v + i) }
	now := before
	for v := range n {
		r := func(i int) string { return register(v, i) }
		last := now
		now = digits{r(d1), r(d2), r(over)}
		rebuild = append(rebuild, func() {
			c.coefficient(r, line*v)
			c.split(r)
		})
		spread = append(spread, func() { c.spread(r, last, mask8(v)) })
	}
	c.together(rebuild...)
	c.together(spread...)
	c.note("Look-ahead: R11 carries made, R12 carries passed on")
	for v := range n {
		c.op("VPCMPUQ", "$5", radixRegister, register(v, low), mask8(v)) // not below the radix
	}
	c.gather(n, "R11")
	for v := range n {
		c.with("VPCMPEQQ", "top", register(v, low), mask8(v))
	}
	c.gather(n, "R12")
	c.op("LEAQ", "(R9)(R11*2)", "R11")
	c.op("ADDQ", "R12", "R11")
	c.op("MOVQ", "R11", "R9")
	c.op("SHRQ", imm(8*n), "R9")
	c.op("XORQ", "R12", "R11")
	c.op("KMOVD", "R11", mask8(0))
	for v := 1; v < n; v++ {
		c.op("KSHIFTRD", imm(8*v), mask8(0), mask8(v))
	}
	for v := range n {
		x := register(v, low)
		c.with("VPADDQ", "one", x, mask8(v), x)
		c.fold(x, "radix", register(v, t))
		c.op("VMOVDQU64", x, at(line*v, "DI"))
	}
	c.op("VMOVDQA64", now.d1, before.d1)
	c.op("VMOVDQA64", now.d2, before.d2)
	c.op("VMOVDQA64", now.over, before.over)
	for _, pointer := range []string{"SI", "DX", "DI"} {
		c.op("ADDQ", imm(n*line), pointer)
	}
}

// mask8 returns the mask register of vector v of a group.
func mask8(v int) string { return fmt.Sprintf("K%d", 1+v) }

// gather moves the masks of n vectors, eight bits each, into one register.
func (c composer) gather(n int, register string) {
	if n == 4 {
		c.op("KUNPCKBW", mask8(0), mask8(1), mask8(0))
		c.op("KUNPCKBW", mask8(2), mask8(3), mask8(2))
		c.op("KUNPCKWD", mask8(0), mask8(2), mask8(0))
	}
	c.op("KMOVD", mask8(0), register)
}

// fold sets x = min(x, x - bound).
func (c composer) fold(x, bound, t string) {
	c.with("VPSUBQ", bound, x, t)
	c.op("VPMINUQ", t, x, x)
}

// times sets dst = x·w mod p below 2p, where neg is 2^52 - p.
func (c composer) times(dst, x, w, neg, q string) {
	c.op("VPXORQ", q, q, q)
	c.with("VPMADD52HUQ", w+"Quot", x, q)
	c.op("VPXORQ", dst, dst, dst)
	c.with("VPMADD52LUQ", w, x, dst)
	c.with("VPMADD52LUQ", neg, q, dst)
	c.with("VPANDQ", "mask", dst, dst)
}

// coefficient sets low and high to v0 + p0·v1.
func (c composer) coefficient(r func(int) string, offset int) {
	c.op("VMOVDQU64", at(offset, "SI"), r(t)) // v0 = w0·r0 mod p0
	c.times(r(low), r(t), "w0", "negP0", r(u))
	c.fold(r(low), "p0", r(u))
	c.op("VMOVDQU64", at(offset, "DX"), r(t)) // v1 = (w1·r1 - v0/p0) mod p1
	c.times(r(v1), r(t), "w1", "negP1", r(u))
	c.times(r(t), r(low), "invP0", "negP1", r(u))
	c.with("VPADDQ", "twoP1", r(v1), r(v1))
	c.op("VPSUBQ", r(t), r(v1), r(v1))
	c.fold(r(v1), "twoP1", r(u))
	c.fold(r(v1), "p1", r(u))
	c.op("VPXORQ", r(high), r(high), r(high))
	c.with("VPMADD52LUQ", "p0", r(v1), r(low))
	c.with("VPMADD52HUQ", "p0", r(v1), r(high))
	c.op("VPSRLQ", "$52", r(low), r(t))
	c.op("VPADDQ", r(t), r(high), r(high))
	c.with("VPANDQ", "mask", r(low), r(low))
}

// split sets low, d1 and d2 to the digits of the coefficient in low and high.
func (c composer) split(r func(int) string) {
	// estimate sets dst = floor((high·2^52 + low)·inv + bias) in doubles.
	estimate := func(dst, inv, bias string) {
		c.op("VCVTUQQ2PD", r(low), r(t))
		c.op("VCVTUQQ2PD", r(high), dst)
		c.with("VFMADD132PD", "two52", r(t), dst)
		c.op("VBROADCASTSD", c.word(bias), r(t))
		c.with("VFMADD132PD", inv, r(t), dst)
		c.op("VCVTTPD2UQQ", dst, dst)
	}
	estimate(r(d2), "invSquare", "biasSquare")
	c.op("VPXORQ", r(t), r(t), r(t))
	c.op("VPXORQ", r(u), r(u), r(u))
	c.with("VPMADD52LUQ", "squareLow", r(d2), r(t))
	c.with("VPMADD52HUQ", "squareLow", r(d2), r(u))
	c.with("VPMADD52LUQ", "squareHigh", r(d2), r(u))
	c.op("VPSUBQ", r(t), r(low), r(low)) // rest = v - d2·B²
	c.op("VPSRAQ", "$52", r(low), r(t))
	c.op("VPSUBQ", r(u), r(high), r(high))
	c.with("VPANDQ", "mask", r(low), r(low))
	c.op("VPADDQ", r(t), r(high), r(high))
	estimate(r(d1), "invRadix", "biasRadix")
	c.op("VPXORQ", r(t), r(t), r(t))
	c.with("VPMADD52LUQ", "radix", r(d1), r(t))
	c.op("VPSUBQ", r(t), r(low), r(low)) // d0 = rest - d1·B, all of whose bits are below 2^52
	c.with("VPANDQ", "mask", r(low), r(low))
}

// spread adds the digits of the vector before to low, subtracts the radix up to
// twice, and adds the counts of subtractions of the positions before.
func (c composer) spread(r func(int) string, last digits, mask string) {
	c.op("VALIGNQ", "$7", last.d1, r(d1), r(t))
	c.op("VALIGNQ", "$6", last.d2, r(d2), r(u))
	c.op("VPADDQ", r(t), r(low), r(low))
	c.op("VPADDQ", r(u), r(low), r(low))
	c.op("VPXORQ", r(over), r(over), r(over))
	for range 2 {
		c.op("VPCMPUQ", "$5", radixRegister, r(low), mask) // not below
		c.with("VPSUBQ", "radix", r(low), mask, r(low))
		c.with("VPADDQ", "one", r(over), mask, r(over))
	}
	c.op("VALIGNQ", "$7", last.over, r(over), r(t))
	c.op("VPADDQ", r(t), r(low), r(low))
}
