package decimal

import (
	"encoding/binary"
	"fmt"
	"unsafe"

	"github.com/seed-649d3d38/heddle/decimal/internal/pages"
)

// SyntaxError reports text that is not a decimal integer.
type SyntaxError struct {
	Offset int    // of the first byte that does not belong, from 0
	Reason string // what is wrong there
}

// Error says what is wrong and where.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("decimal: %s at offset %d", e.Reason, e.Offset)
}

// Parse reads an integer: an optional sign and one or more digits, nothing
// else; zeros in front are allowed. It takes time linear in the length. The
// error is a *SyntaxError.
func Parse[T string | []byte](text T) (Int, error) {
	s := bytesOf(text)
	start := 0
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		start = 1
	}
	if start == len(s) {
		return Int{}, &SyntaxError{Offset: start, Reason: "digit missing"}
	}
	negative := s[0] == '-'
	for start < len(s)-1 && s[start] == '0' {
		start++
	}
	width := widthFor(len(s) - start)
	limbs, err := parseLimbs(s[start:], width)
	if err != nil {
		err.Offset += start
		return Int{}, err
	}
	return newInt(limbs, width, negative), nil
}

// bytesOf views text as bytes that must not be written to.
func bytesOf[T string | []byte](text T) []byte {
	switch t := any(text).(type) {
	case string:
		return unsafe.Slice(unsafe.StringData(t), len(t))
	case []byte:
		return t
	default:
		panic("unreachable")
	}
}

// parseLimbs converts digits, most significant first, to limbs.
func parseLimbs(s []byte, width int) ([]uint64, *SyntaxError) {
	z := pages.Words((len(s) + width - 1) / width)
	ok := true
	end := len(s)
	for i := range z {
		if end < width {
			break // the top limb is shorter
		}
		var good bool
		z[i], good = parseDigits(s[end-width : end : end])
		ok = ok && good
		end -= width
	}
	if end > 0 {
		var good bool
		z[len(z)-1], good = parseDigits(s[:end])
		ok = ok && good
	}
	if ok {
		return z, nil
	}
	for i, c := range s {
		if c < '0' || c > '9' {
			return nil, &SyntaxError{Offset: i, Reason: fmt.Sprintf("%q is not a digit", c)}
		}
	}
	panic("unreachable: a digit that is none was seen")
}

// parseDigits reads up to 19 digits and reports whether all of them are some.
func parseDigits(s []byte) (v uint64, ok bool) {
	if len(s) == width11 {
		return parseEleven(s)
	}
	ok = true
	for len(s) >= 8 {
		eight := binary.LittleEndian.Uint64(s)
		ok = ok && eightDigits(eight)
		v = v*1e8 + parseEight(eight)
		s = s[8:]
	}
	if len(s) >= 4 {
		four := uint64(binary.LittleEndian.Uint32(s))<<32 | 0x30303030
		ok = ok && eightDigits(four)
		v = v*1e4 + parseEight(four)
		s = s[4:]
	}
	for _, c := range s {
		c -= '0'
		ok = ok && c <= 9
		v = v*10 + uint64(c)
	}
	return v, ok
}

// parseEleven reads eleven digits: the first seven behind a zero, and the last four.
func parseEleven(s []byte) (v uint64, ok bool) {
	eight := binary.LittleEndian.Uint64(s)
	four := uint64(binary.LittleEndian.Uint32(s[7:width11]))<<32 | 0x30303030
	return parseEight(eight<<8|'0')*1e4 + parseEight(four), eightDigits(eight) && eightDigits(four)
}

// eightDigits reports whether all eight bytes of v are ASCII digits: the high
// half of such a byte is 3, and still is after adding 6.
func eightDigits(v uint64) bool {
	const high, three, six = 0xf0f0f0f0f0f0f0f0, 0x3030303030303030, 0x0606060606060606
	return v&high == three && (v+six)&high == three
}

// parseEight converts eight ASCII digits, the first in the lowest byte: pairs,
// then fours, then all, each step in one multiplication over all lanes.
func parseEight(v uint64) uint64 {
	v -= 0x3030303030303030
	v = v*10 + v>>8 // pairs in bytes 0, 2, 4, 6
	const lane = 0x000000ff000000ff
	return ((v&lane)*(100+1_000_000<<32) + (v>>16&lane)*(1+10_000<<32)) >> 32
}
