package main

// fmaPointwise writes the functions that work on the points one by one.
func fmaPointwise(a *assembly) {
	reduced := func(register, pointer, t string) {
		a.op("VMOVUPD", element(pointer), register)
		fmaReduce(a, register, t)
	}
	store := func(register, pointer string) { a.op("VMOVUPD", register, element(pointer)) }
	fmaElementwise(a, "fmaTimes", "dst = x·y", func() {
		reduced("Y0", "SI", "Y2")
		reduced("Y1", "DX", "Y3")
		fmaTimes(a, "Y0", "Y1", "Y2", "Y3")
		store("Y0", "DI")
	})
	fmaElementwise(a, "fmaAdd", "dst = x + y", func() {
		reduced("Y0", "SI", "Y2")
		reduced("Y1", "DX", "Y3")
		a.op("VADDPD", "Y1", "Y0", "Y0")
		fmaReduce(a, "Y0", "Y2")
		store("Y0", "DI")
	})
	fmaElementwise(a, "fmaMadd", "dst = c·x + y", func() {
		a.op("VMOVUPD", element("SI"), "Y0")
		fmaTimes(a, "Y0", "Y15", "Y2", "Y3")
		reduced("Y1", "DX", "Y3")
		a.op("VADDPD", "Y1", "Y0", "Y0")
		fmaReduce(a, "Y0", "Y2")
		store("Y0", "DI")
	})
	fmaElementwise(a, "fmaScale", "dst = c·x, y is not used", func() {
		a.op("VMOVUPD", element("SI"), "Y0")
		fmaTimes(a, "Y0", "Y15", "Y2", "Y3")
		fmaReduce(a, "Y0", "Y2")
		store("Y0", "DI")
	})
	fmaElementwise(a, "fmaFib", "dst, y = x·(x+2y), x²+y²", func() {
		reduced("Y0", "SI", "Y2")
		reduced("Y1", "DX", "Y3")
		a.op("VADDPD", "Y1", "Y1", "Y4")
		a.op("VADDPD", "Y0", "Y4", "Y4")
		fmaReduce(a, "Y4", "Y2")
		fmaTimes(a, "Y4", "Y0", "Y2", "Y3")
		store("Y4", "DI")
		a.op("VMOVAPD", "Y0", "Y5")
		fmaTimes(a, "Y5", "Y0", "Y2", "Y3")
		a.op("VMOVAPD", "Y1", "Y6")
		fmaTimes(a, "Y6", "Y1", "Y2", "Y3")
		a.op("VADDPD", "Y6", "Y5", "Y5")
		fmaReduce(a, "Y5", "Y2")
		store("Y5", "DX")
	})
	fmaElementwise(a, "fmaLoad", "dst = x as doubles, for integers below 2^52; y is not used", func() {
		a.op("VMOVUPD", element("SI"), "Y0")
		a.op("VPOR", at(fmaMagic, "R13"), "Y0", "Y0") // the integer as the fraction of 2^52 + x
		a.op("VSUBPD", at(fmaMagic, "R13"), "Y0", "Y0")
		store("Y0", "DI")
	})
	fmaElementwise(a, "fmaStore", "dst = x as integers in [0, 2p); y is not used", func() {
		reduced("Y0", "SI", "Y2")
		a.op("VADDPD", at(fmaP, "R13"), "Y0", "Y0")
		a.op("VADDPD", at(fmaMagic, "R13"), "Y0", "Y0")
		a.op("VPXOR", at(fmaMagic, "R13"), "Y0", "Y0")
		store("Y0", "DI")
	})
}

// fmaElementwise writes a function that runs body once for every four elements. The
// constant factor c is in Y15.
func fmaElementwise(a *assembly, name, what string, body func()) {
	a.function(name, "func "+name+"(dst, x, y *uint64, n int, c float64, m *modulus): "+what+".", 6)
	for i, r := range []string{"DI", "SI", "DX", "CX"} {
		a.argument(i, []string{"dst", "x", "y", "n"}[i], r)
	}
	a.op("VBROADCASTSD", "c+32(FP)", "Y15")
	a.argument(5, "m", "R13")
	a.op("SHLQ", "$3", "CX")
	a.op("XORQ", "AX", "AX")
	a.label("loop")
	body()
	a.op("ADDQ", imm(half), "AX")
	a.op("CMPQ", "AX", "CX")
	a.jump("JLT", "loop")
	a.done()
}
