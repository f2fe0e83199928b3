package decimal

// Faulty returns a calculator that shows every stage to fault.
func Faulty(fault func(stage string, limbs []uint64)) *Calculator { return &Calculator{fault: fault} }

// CalculatorsByTier returns a calculator for every tier of this machine.
func CalculatorsByTier() map[string]*Calculator {
	all := map[string]*Calculator{}
	for _, tier := range Tiers() {
		c, err := NewCalculator(tier)
		if err != nil {
			panic(err)
		}
		all[tier] = c
	}
	return all
}
