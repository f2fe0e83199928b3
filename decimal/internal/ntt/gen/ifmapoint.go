package main

// pointwise writes the functions that work on the points one by one. They share
// the frame of elementwise.
func pointwise(a *assembly) {
	reduced := func(register, operand string) {
		a.op("VMOVDQU64", operand, register)
		fold(a, register, twoP, "Z9")
	}
	elementwise(a, "ifmaTimes", "dst = x·y/2^52", func() {
		reduced("Z0", element("SI"))
		reduced("Z1", element("DX"))
		montgomery(a, "Z2", "Z0", "Z1", "Z3", "Z4")
		a.op("VMOVDQU64", "Z2", element("DI"))
	})
	elementwise(a, "ifmaAdd", "dst = x + y", func() {
		reduced("Z0", element("SI"))
		reduced("Z1", element("DX"))
		a.op("VPADDQ", "Z1", "Z0", "Z0")
		fold(a, "Z0", twoP, "Z2")
		a.op("VMOVDQU64", "Z0", element("DI"))
	})
	elementwise(a, "ifmaMadd", "dst = c·x + y", func() {
		a.op("VMOVDQU64", element("SI"), "Z0")
		shoup(a, "Z1", "Z0", multiplier{"Z20", "Z21", false}, "Z2")
		reduced("Z3", element("DX"))
		a.op("VPADDQ", "Z3", "Z1", "Z1")
		fold(a, "Z1", twoP, "Z4")
		a.op("VMOVDQU64", "Z1", element("DI"))
	})
	elementwise(a, "ifmaScale", "dst = c·x, y is not used", func() {
		a.op("VMOVDQU64", element("SI"), "Z0")
		shoup(a, "Z1", "Z0", multiplier{"Z20", "Z21", false}, "Z2")
		a.op("VMOVDQU64", "Z1", element("DI"))
	})
	elementwise(a, "ifmaScaleFold", "dst = c·x below p, y is not used", func() {
		a.op("VMOVDQU64", element("SI"), "Z0")
		shoup(a, "Z1", "Z0", multiplier{"Z20", "Z21", false}, "Z2")
		fold(a, "Z1", p, "Z2")
		a.op("VMOVDQU64", "Z1", element("DI"))
	})
	elementwise(a, "ifmaFib", "dst, y = x·(x+2y)/2^52, (x²+y²)/2^52", func() {
		reduced("Z0", element("SI"))
		reduced("Z1", element("DX"))
		montgomery(a, "Z2", "Z0", "Z0", "Z3", "Z4")
		montgomery(a, "Z5", "Z1", "Z1", "Z6", "Z7")
		a.op("VPADDQ", "Z2", "Z5", "Z5")
		fold(a, "Z5", twoP, "Z6")
		a.op("VPADDQ", "Z1", "Z1", "Z1")
		fold(a, "Z1", twoP, "Z3")
		a.op("VPADDQ", "Z0", "Z1", "Z1")
		fold(a, "Z1", twoP, "Z4")
		montgomery(a, "Z2", "Z0", "Z1", "Z3", "Z4")
		a.op("VMOVDQU64", "Z2", element("DI"))
		a.op("VMOVDQU64", "Z5", element("DX"))
	})
}

// element returns the operand of the current elements behind a pointer.
func element(pointer string) string { return "(" + pointer + ")(AX*1)" }

// elementwise writes a function that runs body once for every eight elements. The
// constant factor c is in Z20 and its quotient in Z21.
func elementwise(a *assembly, name, what string, body func()) {
	a.function(name, "func "+name+"(dst, x, y *uint64, n int, c factor, m *modulus): "+what+".", 7)
	for i, r := range []string{"DI", "SI", "DX", "CX"} {
		a.argument(i, []string{"dst", "x", "y", "n"}[i], r)
	}
	a.op("VPBROADCASTQ", "c_w+32(FP)", "Z20")
	a.op("VPBROADCASTQ", "c_quot+40(FP)", "Z21")
	a.argument(6, "m", "R8")
	constants(a, "R8")
	a.op("SHLQ", "$3", "CX")
	a.op("XORQ", "AX", "AX")
	a.label("loop")
	body()
	a.op("ADDQ", imm(line), "AX")
	a.op("CMPQ", "AX", "CX")
	a.jump("JLT", "loop")
	a.done()
}

// tableFunctions writes the function that adds the quotients to table entries.
//
// The quotient floor(w·2^52/p) is estimated in double precision. The constant
// 2^52/p and the product each carry a relative error of at most 2^-53, so the
// estimate is within 1 of w·2^52/p, and its integer part less 1 is the quotient or
// up to 2 below. The remainder w·2^52 - q·p, known modulo 2^52 and below 3p < 2^52,
// shows how much is missing.
func tableFunctions(a *assembly) {
	name := "ifmaFactors"
	a.function(name, "func "+name+"(dst *factor, w *uint64, n int, scale float64, m *modulus): the factors of w; scale is 2^52/p.", 5)
	for i, r := range []string{"DI", "SI", "CX"} {
		a.argument(i, []string{"dst", "w", "n"}[i], r)
	}
	a.op("VBROADCASTSD", "scale+24(FP)", "Z20")
	a.argument(4, "m", "R8")
	constants(a, "R8")
	a.op("VPTERNLOGQ", "$0xff", "Z21", "Z21", "Z21") // all ones: -1
	a.label("loop")
	a.op("VMOVDQU64", "(SI)", "Z0")
	a.op("VCVTUQQ2PD", "Z0", "Z1")
	a.op("VMULPD", "Z20", "Z1", "Z1")
	a.op("VCVTTPD2UQQ", "Z1", "Z1")
	a.op("VPADDQ", "Z21", "Z1", "Z1")
	a.op("VPXORQ", "Z2", "Z2", "Z2")
	a.op("VPMADD52LUQ", negP, "Z1", "Z2")
	for range 2 {
		a.op("VPCMPUQ", "$5", p, "Z2", "K1") // not below p
		a.op("VPSUBQ", "Z21", "Z1", "K1", "Z1")
		a.op("VPSUBQ", p, "Z2", "K1", "Z2")
	}
	a.note("Interleave factors and quotients.")
	a.op("VPUNPCKLQDQ", "Z1", "Z0", "Z2")
	a.op("VPUNPCKHQDQ", "Z1", "Z0", "Z3")
	a.op("VSHUFI64X2", "$0x44", "Z3", "Z2", "Z4")
	a.op("VSHUFI64X2", "$0xee", "Z3", "Z2", "Z5")
	a.op("VSHUFI64X2", "$0xd8", "Z4", "Z4", "Z4")
	a.op("VSHUFI64X2", "$0xd8", "Z5", "Z5", "Z5")
	a.op("VMOVDQU64", "Z4", "(DI)")
	a.op("VMOVDQU64", "Z5", at(line, "DI"))
	a.op("ADDQ", imm(line), "SI")
	a.op("ADDQ", imm(2*line), "DI")
	a.op("SUBQ", "$8", "CX")
	a.jump("JNZ", "loop")
	a.done()
}
