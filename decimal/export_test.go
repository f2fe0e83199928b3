package decimal

import "github.com/seed-649d3d38/heddle/decimal/internal/ntt"

// Faulty returns a calculator that shows every stage to fault.
func Faulty(fault func(stage string, limbs []uint64)) *Calculator { return &Calculator{fault: fault} }

// Tiers returns a calculator for every tier of this machine.
func Tiers() map[string]*Calculator {
	all := map[string]*Calculator{}
	for _, tier := range ntt.Tiers() {
		engine, err := ntt.New(tier)
		if err != nil {
			panic(err)
		}
		all[string(tier)] = &Calculator{engine: engine}
	}
	return all
}
