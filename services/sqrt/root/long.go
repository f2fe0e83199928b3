package root

import (
	"fmt"
	"strings"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/solver"
)

// Memory implements [solver.Long].
func (r rounded) Memory() int64 { return r.value.Memory() }

// Encode implements [solver.Long].
func (r rounded) Encode(media string) solver.Encoded {
	if media == contract.MediaText {
		return r.text()
	}
	return solver.Concat(
		strings.NewReader(`{"value":"`),
		r.text(),
		strings.NewReader(fmt.Sprintf(`","exact":%t}`, r.exact)),
	)
}

// text returns the root as AppendFixed writes it.
func (r rounded) text() solver.Encoded {
	digits := r.value.Digits()
	if r.places == 0 {
		return solver.Appended(digits, r.value.AppendDigits)
	}
	whole := digits - r.places // digits before the point
	if whole <= 0 {
		return solver.Concat(
			strings.NewReader("0."),
			solver.Appended(-whole, appendZeros),
			solver.Appended(digits, r.value.AppendDigits))
	}
	return solver.Concat(
		solver.Appended(whole, r.value.AppendDigits),
		strings.NewReader("."),
		solver.Appended(r.places, func(dst []byte, from, to int) []byte {
			return r.value.AppendDigits(dst, whole+from, whole+to)
		}))
}

// appendZeros appends a range of a text of zeros.
func appendZeros(dst []byte, from, to int) []byte {
	for range to - from {
		dst = append(dst, '0')
	}
	return dst
}
