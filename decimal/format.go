package decimal

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"unsafe"

	"github.com/seed-649d3d38/heddle/decimal/internal/pages"
)

// AppendDecimal appends x as text: a minus sign if it is negative and all its
// digits.
func (x Int) AppendDecimal(dst []byte) []byte {
	if len(x.limbs) == 0 {
		return append(dst, '0')
	}
	if x.negative {
		dst = append(dst, '-')
	}
	top := len(x.limbs) - 1
	dst = appendPadded(dst, x.limbs[top], digitsOf64(x.limbs[top]))
	return appendLimbs(dst, x.limbs[:top], x.width)
}

// String returns x as text. For long numbers AppendDigits or WriteTo avoid
// one giant string.
func (x Int) String() string {
	text := x.AppendDecimal(pages.Bytes(x.Digits() + 1)[:0])
	return unsafe.String(unsafe.SliceData(text), len(text)) // nobody else has it
}

// AppendDigits appends the digits [from, to) of |x|, where digit 0 is the most
// significant one and digit Digits()-1 the last. The time depends on to - from
// alone, so a result can be kept as limbs and turned into text part by part.
// It panics if the range is not within [0, Digits()].
func (x Int) AppendDigits(dst []byte, from, to int) []byte {
	n := x.Digits()
	if from < 0 || to < from || to > n {
		panic(fmt.Sprintf("decimal: digits [%d, %d) of %d", from, to, n))
	}
	if len(x.limbs) == 0 {
		return append(dst, "0"[from:to]...)
	}
	for from < to {
		// The next digits come from one limb, of which end lie below them.
		index := (n - 1 - from) / x.width
		end := n - index*x.width
		if begin := end - x.width; from == begin && end <= to {
			// Whole limbs, the common case.
			count := (to - from) / x.width
			dst = appendLimbs(dst, x.limbs[index+1-count:index+1], x.width)
			from += count * x.width
			continue
		}
		stop := min(end, to)
		part := x.limbs[index] / pow10[end-stop] % pow10[stop-from]
		dst = appendPadded(dst, part, stop-from)
		from = stop
	}
	return dst
}

// AppendFixed appends x/10^digits as text, with a point and so many digits
// behind it; without a point if there are none. It is how a result of Root is
// shown. A negative number of digits counts as none.
func (x Int) AppendFixed(dst []byte, digits int) []byte {
	if digits <= 0 {
		return x.AppendDecimal(dst)
	}
	if x.negative {
		dst = append(dst, '-')
	}
	n := x.Digits()
	if n <= digits { // zeros in front: 0.000123
		dst = append(dst, '0', '.')
		for range digits - n {
			dst = append(dst, '0')
		}
		return x.AppendDigits(dst, 0, n)
	}
	dst = x.AppendDigits(dst, 0, n-digits)
	dst = append(dst, '.')
	return x.AppendDigits(dst, n-digits, n)
}

// chunkDigits is how much WriteTo formats at a time: small enough for the
// cache, large enough for a system call.
const chunkDigits = 64 << 10

// WriteTo writes x as text in chunks. It implements io.WriterTo.
func (x Int) WriteTo(w io.Writer) (written int64, err error) {
	n := x.Digits()
	buf := make([]byte, 0, min(n, chunkDigits)+1)
	if x.negative {
		buf = append(buf, '-')
	}
	for from := 0; from < n; {
		to := min(n, from+chunkDigits)
		buf = x.AppendDigits(buf, from, to)
		m, err := w.Write(buf)
		written += int64(m)
		if err != nil {
			return written, fmt.Errorf("write digits: %w", err)
		}
		buf, from = buf[:0], to
	}
	return written, nil
}

// appendLimbs appends all digits of limbs, the last limb first.
func appendLimbs(dst []byte, limbs []uint64, width int) []byte {
	start := len(dst)
	dst = extend(dst, len(limbs)*width)
	out := dst[start:]
	switch width {
	case width18:
		for _, v := range slices.Backward(limbs) {

			high, low := v/1e10, v%1e10
			binary.LittleEndian.PutUint64(out[0:8], formatEight(high))
			binary.LittleEndian.PutUint64(out[8:16], formatEight(low/100))
			low %= 100
			out[16], out[17] = byte('0'+low/10), byte('0'+low%10)
			out = out[width18:]
		}
	case width12:
		for _, v := range slices.Backward(limbs) {

			high := v / 1e4
			binary.LittleEndian.PutUint64(out[0:8], formatEight(high))
			binary.LittleEndian.PutUint32(out[8:12], uint32(formatEight(v-high*1e4)>>32))
			out = out[width12:]
		}
	default:
		for _, v := range slices.Backward(limbs) {

			high := v / 1e8 // at most three digits
			binary.LittleEndian.PutUint32(out[0:4], uint32(formatEight(high)>>40))
			binary.LittleEndian.PutUint64(out[3:11], formatEight(v-high*1e8))
			out = out[width11:]
		}
	}
	return dst
}

// formatEight writes v, below 10^8, as eight ASCII digits, the first in the
// lowest byte: halves, quarters and digits are split off in all lanes of the
// word at once. The multipliers are rounded reciprocals of 100 and 10 that are
// exact for four and two digits.
func formatEight(v uint64) uint64 {
	high := v / 1e4
	v = high | (v-high*1e4)<<32
	high = v * 10486 >> 20 & 0x0000007f0000007f
	v = high | (v-high*100)<<16
	high = v * 103 >> 10 & 0x000f000f000f000f
	v = high | (v-high*10)<<8
	return v | 0x3030303030303030
}

// appendPadded appends v with zeros in front, up to 18 digits.
func appendPadded(dst []byte, v uint64, digits int) []byte {
	start := len(dst)
	dst = extend(dst, digits)
	out := dst[start:]
	for len(out) >= 8 {
		binary.LittleEndian.PutUint64(out[len(out)-8:], formatEight(v%1e8))
		v /= 1e8
		out = out[:len(out)-8]
	}
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = byte('0' + v%10)
		v /= 10
	}
	return dst
}

// extend lengthens dst by n bytes whose content is undefined.
func extend(dst []byte, n int) []byte {
	if cap(dst)-len(dst) >= n {
		return dst[:len(dst)+n]
	}
	if n <= len(dst) {
		return append(dst, make([]byte, n)...)
	}
	longer := pages.Bytes(len(dst) + n) // twice as long as before, or longer
	copy(longer, dst)
	return longer
}
