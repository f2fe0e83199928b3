//go:build !amd64

package ntt

// vectorTiers returns no tiers: there is assembly for amd64 only.
func vectorTiers() []Tier { return nil }

// newVectorKernel is never called, as there is no vector tier.
func newVectorKernel(Tier) kernel { return scalar{} }
