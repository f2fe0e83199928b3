package decimal

// shifted is the number limbs·base^zeros. The targets of a root are such
// numbers: 2·10^2000000 has one limb here.
type shifted struct {
	limbs []uint64
	zeros int
}

// length returns the number of limbs, the zeros included.
func (t shifted) length() int { return len(t.limbs) + t.zeros }

// compact moves zero limbs at the bottom of a into the count.
func compact(a []uint64) shifted {
	zeros := 0
	for zeros < len(a) && a[zeros] == 0 {
		zeros++
	}
	return shifted{a[zeros:], zeros}
}

// digits returns the number of decimal digits.
func (t shifted) digits(width int) int { return digitsOf(t.limbs, width) + t.zeros*width }

// top returns t/base^cut, rounded down.
func (t shifted) top(cut int) shifted {
	if cut <= t.zeros {
		return shifted{t.limbs, t.zeros - cut}
	}
	return shifted{t.limbs[cut-t.zeros:], 0}
}

// subtractShifted sets z = z - t modulo base^len(z) and returns the borrow. z
// is at least as long as t.
func subtractShifted(z []uint64, t shifted, base uint64) (borrow uint64) {
	return subLimbs(z[t.zeros:], z[t.zeros:], t.limbs, base)
}

// subtractCyclic sets z = z - t modulo base^len(z) - 1.
func subtractCyclic(z []uint64, t shifted, base uint64) {
	at := t.zeros % len(z)
	for rest := t.limbs; len(rest) > 0; at = 0 {
		n := min(len(rest), len(z)-at)
		borrow := subLimbs(z[at:], z[at:], rest[:n], base)
		for borrow != 0 { // base^len(z) is 1
			borrow = subWord(z, 1, base)
		}
		rest = rest[n:]
	}
}

// below returns t modulo base^n.
func (t shifted) below(n int) shifted {
	if t.zeros >= n {
		return shifted{}
	}
	return shifted{t.limbs[:min(len(t.limbs), n-t.zeros)], t.zeros}
}
