package daemon

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes that is written with a unit: "512MiB", "2GB", "1073741824".
type Size int64

// units are the suffixes of sizes, longest first so that "MiB" is not read as "B".
var units = []struct {
	suffix string
	bytes  float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
	{"B", 1},
}

// UnmarshalText reads a size: a number above 0 with an optional unit, in any letter case.
func (s *Size) UnmarshalText(text []byte) error {
	number, factor := strings.TrimSpace(string(text)), 1.0
	for _, u := range units {
		if n := len(number) - len(u.suffix); n >= 0 && strings.EqualFold(number[n:], u.suffix) {
			number, factor = strings.TrimSpace(number[:n]), u.bytes
			break
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	if bytes := v * factor; err == nil && bytes >= 1 && bytes < math.MaxInt64 {
		*s = Size(bytes)
		return nil
	}
	return fmt.Errorf("%q is not a size; write a number of bytes with a unit, such as 512MiB or 2GB", text)
}

// String writes the size in the largest binary unit that keeps it exact.
func (s Size) String() string {
	for _, u := range []struct {
		suffix string
		shift  uint
	}{{"GiB", 30}, {"MiB", 20}, {"KiB", 10}} {
		if s != 0 && s%(1<<u.shift) == 0 {
			return fmt.Sprintf("%d%s", s>>u.shift, u.suffix)
		}
	}
	return fmt.Sprintf("%dB", int64(s))
}
