package main

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
func compose(a *assembly) {
	name := "ifmaCompose"
	a.function(name, "func "+name+"(z, r0, r1 *uint64, n int, c *ifmaRebuild, s *ifmaCarry): see ifma_amd64.go.", 6)
	for i, r := range []string{"DI", "SI", "DX", "CX", "R8", "R10"} {
		a.argument(i, []string{"z", "r0", "r1", "n", "c", "s"}[i], r)
	}
	c := map[string]string{}
	for i, w := range rebuildWords {
		c[w] = z(31 - i)
		a.op("VPBROADCASTQ", at(8*i, "R8"), c[w])
	}
	f := map[string]string{}
	for i, w := range rebuildFloats {
		f[w] = at(8*(len(rebuildWords)+i), "R8")
	}
	a.note("The digits of the vector before: Z14 d1, Z13 d2, Z12 carries, R9 the running carry.")
	a.op("VMOVDQU64", at(0, "R10"), "Z14")
	a.op("VMOVDQU64", at(line, "R10"), "Z13")
	a.op("VMOVDQU64", at(2*line, "R10"), "Z12")
	a.op("MOVQ", at(3*line, "R10"), "R9")
	a.op("SHLQ", "$3", "CX")
	a.op("XORQ", "AX", "AX")
	a.label("loop")
	coefficient(a, c)
	digits(a, c, f)
	carries(a, c)
	a.op("VMOVDQU64", "Z1", element("DI"))
	a.op("ADDQ", imm(line), "AX")
	a.op("CMPQ", "AX", "CX")
	a.jump("JLT", "loop")
	a.op("VMOVDQU64", "Z14", at(0, "R10"))
	a.op("VMOVDQU64", "Z13", at(line, "R10"))
	a.op("VMOVDQU64", "Z12", at(2*line, "R10"))
	a.op("MOVQ", "R9", at(3*line, "R10"))
	a.done()
}

// coefficient sets Z1, Z2 to the lower 52 bits and the rest of v0 + p0·v1.
func coefficient(a *assembly, c map[string]string) {
	times := func(dst, x, w, neg, q string) {
		a.op("VPXORQ", q, q, q)
		a.op("VPMADD52HUQ", c[w+"Quot"], x, q)
		a.op("VPXORQ", dst, dst, dst)
		a.op("VPMADD52LUQ", c[w], x, dst)
		a.op("VPMADD52LUQ", c[neg], q, dst)
		a.op("VPANDQ", c["mask"], dst, dst)
	}
	a.note("v0 = w0·r0 mod p0")
	a.op("VMOVDQU64", element("SI"), "Z0")
	times("Z1", "Z0", "w0", "negP0", "Z2")
	fold(a, "Z1", c["p0"], "Z2")
	a.note("v1 = (w1·r1 - v0/p0) mod p1")
	a.op("VMOVDQU64", element("DX"), "Z0")
	times("Z3", "Z0", "w1", "negP1", "Z2")
	times("Z4", "Z1", "invP0", "negP1", "Z5")
	a.op("VPADDQ", c["twoP1"], "Z3", "Z3")
	a.op("VPSUBQ", "Z4", "Z3", "Z3")
	fold(a, "Z3", c["twoP1"], "Z2")
	fold(a, "Z3", c["p1"], "Z2")
	a.note("v0 + p0·v1")
	a.op("VPMADD52LUQ", c["p0"], "Z3", "Z1")
	a.op("VPXORQ", "Z2", "Z2", "Z2")
	a.op("VPMADD52HUQ", c["p0"], "Z3", "Z2")
	a.op("VPSRLQ", "$52", "Z1", "Z4")
	a.op("VPADDQ", "Z4", "Z2", "Z2")
	a.op("VPANDQ", c["mask"], "Z1", "Z1")
}

// digits sets Z1, Z6, Z5 to d0, d1, d2 of the coefficient in Z1, Z2.
func digits(a *assembly, c, f map[string]string) {
	// estimate sets dst = floor((high·2^52 + low)·inv + bias) in doubles.
	estimate := func(dst, inv, bias, t, u string) {
		a.op("VCVTUQQ2PD", "Z1", t)
		a.op("VCVTUQQ2PD", "Z2", dst)
		a.op("VFMADD132PD.BCST", f["two52"], t, dst)
		a.op("VBROADCASTSD", f[bias], u)
		a.op("VFMADD132PD.BCST", f[inv], u, dst)
		a.op("VCVTTPD2UQQ", dst, dst)
	}
	a.note("d2, and v - d2·B²")
	estimate("Z5", "invSquare", "biasSquare", "Z4", "Z6")
	a.op("VPXORQ", "Z6", "Z6", "Z6")
	a.op("VPMADD52LUQ", c["squareLow"], "Z5", "Z6")
	a.op("VPSUBQ", "Z6", "Z1", "Z1")
	a.op("VPXORQ", "Z6", "Z6", "Z6")
	a.op("VPMADD52HUQ", c["squareLow"], "Z5", "Z6")
	a.op("VPMADD52LUQ", c["squareHigh"], "Z5", "Z6")
	a.op("VPSUBQ", "Z6", "Z2", "Z2")
	a.op("VPSRAQ", "$52", "Z1", "Z6")
	a.op("VPADDQ", "Z6", "Z2", "Z2")
	a.op("VPANDQ", c["mask"], "Z1", "Z1")
	a.note("d1, and d0 modulo 2^52, which is all of it")
	estimate("Z6", "invRadix", "biasRadix", "Z4", "Z7")
	a.op("VPXORQ", "Z7", "Z7", "Z7")
	a.op("VPMADD52LUQ", c["radix"], "Z6", "Z7")
	a.op("VPSUBQ", "Z7", "Z1", "Z1")
	a.op("VPANDQ", c["mask"], "Z1", "Z1")
}

// carries adds the digits of the neighbours to Z1 and normalises it.
func carries(a *assembly, c map[string]string) {
	// shifted adds to Z1 the elements of before and now, moved up by n places.
	shifted := func(n int, now, before string) {
		a.op("VALIGNQ", imm(8-n), before, now, "Z7")
		a.op("VMOVDQA64", now, before)
		a.op("VPADDQ", "Z7", "Z1", "Z1")
	}
	a.note("Digits of the neighbours")
	shifted(1, "Z6", "Z14")
	shifted(2, "Z5", "Z13")
	a.note("Subtract the radix up to twice and count")
	a.op("VPXORQ", "Z8", "Z8", "Z8")
	for range 2 {
		a.op("VPCMPUQ", "$5", c["radix"], "Z1", "K1")
		a.op("VPSUBQ", c["radix"], "Z1", "K1", "Z1")
		a.op("VPADDQ", c["one"], "Z8", "K1", "Z8")
	}
	shifted(1, "Z8", "Z12")
	a.note("Look-ahead: R11 carries made, R12 carries passed on")
	a.op("VPCMPUQ", "$5", c["radix"], "Z1", "K1")
	a.op("VPCMPEQQ", c["top"], "Z1", "K2")
	a.op("KMOVB", "K1", "R11")
	a.op("KMOVB", "K2", "R12")
	a.op("LEAQ", "(R9)(R11*2)", "R11")
	a.op("ADDQ", "R12", "R11")
	a.op("MOVQ", "R11", "R9")
	a.op("SHRQ", "$8", "R9")
	a.op("XORQ", "R12", "R11")
	a.op("KMOVB", "R11", "K1")
	a.op("VPADDQ", c["one"], "Z1", "K1", "Z1")
	fold(a, "Z1", c["radix"], "Z2")
}
