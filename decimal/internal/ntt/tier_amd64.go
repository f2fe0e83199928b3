package ntt

import "golang.org/x/sys/cpu"

// vectorTiers returns the assembly tiers that this machine can run, best first.
func vectorTiers() []Tier {
	var out []Tier
	if x := cpu.X86; x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL && x.HasAVX512IFMA {
		out = append(out, IFMA)
	}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		out = append(out, FMA)
	}
	return out
}

// newVectorKernel returns the arithmetic of an assembly tier.
func newVectorKernel(t Tier) kernel {
	if t == IFMA {
		return ifma{}
	}
	return fma{}
}
