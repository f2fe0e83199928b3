package contract

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
)

// Floats is a list of numbers in which a missing one is NaN in Go and null in JSON. A
// nil list is null.
type Floats []float64

// MarshalJSON writes the numbers in their shortest form that reads back as the same
// number, NaN as null. It fails on an infinity, which JSON does not have.
func (f Floats) MarshalJSON() ([]byte, error) {
	if f == nil {
		return []byte("null"), nil
	}
	dst := make([]byte, 0, 2+20*len(f))
	dst = append(dst, '[')
	for i, v := range f {
		if i > 0 {
			dst = append(dst, ',')
		}
		switch {
		case math.IsNaN(v):
			dst = append(dst, "null"...)
		case math.IsInf(v, 0):
			return nil, fmt.Errorf("write number %d: JSON has no infinity", i)
		default:
			dst = appendFloat(dst, v)
		}
	}
	return append(dst, ']'), nil
}

// appendFloat appends v as people write it, with an exponent only where the number would
// otherwise have many zeros. The limits are those of ECMAScript, which most JSON
// encoders follow.
func appendFloat(dst []byte, v float64) []byte {
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.AppendFloat(dst, v, 'e', -1, 64)
	}
	return strconv.AppendFloat(dst, v, 'f', -1, 64)
}

// UnmarshalJSON reads an array of numbers and nulls. It returns an [*Error] with
// [CodeInvalidArgument] that blames the first item that is neither.
func (f *Floats) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*f = nil
		return nil
	}
	body, opened := bytes.CutPrefix(data, []byte("["))
	body, closed := bytes.CutSuffix(body, []byte("]"))
	if !opened || !closed {
		return Errorf(CodeInvalidArgument, "must be a JSON array of numbers")
	}
	values := Floats{}
	if len(bytes.TrimSpace(body)) > 0 {
		values = make(Floats, 0, bytes.Count(body, []byte(","))+1)
		// Only in items that are no numbers can there be commas within.
		for item := range bytes.SplitSeq(body, []byte(",")) {
			v, ok := parseFloat(bytes.TrimSpace(item))
			if !ok {
				return Invalid(strconv.Itoa(len(values)), "must be a JSON number within the range of a double")
			}
			values = append(values, v)
		}
	}
	*f = values
	return nil
}

// parseFloat reads a JSON number or null. Of the texts that strconv reads besides JSON's
// numbers, none can stand in JSON.
func parseFloat(item []byte) (float64, bool) {
	if string(item) == "null" {
		return math.NaN(), true
	}
	v, err := strconv.ParseFloat(string(item), 64)
	return v, err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
}
