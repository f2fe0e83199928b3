package decimal

import "fmt"

// Rounding says which of the two neighbours a result that is not exact becomes.
type Rounding string

// The rounding modes, by the names that decimal arithmetic uses for them (IEEE
// 754, Cowlishaw's General Decimal Arithmetic). Roots are not negative, so Down
// and Floor agree, and so do Up and Ceiling.
const (
	HalfEven Rounding = "half_even" // to the nearest; a tie to the even digit
	HalfUp   Rounding = "half_up"   // to the nearest; a tie away from zero
	HalfDown Rounding = "half_down" // to the nearest; a tie towards zero
	Up       Rounding = "up"        // away from zero
	Down     Rounding = "down"      // towards zero
	Ceiling  Rounding = "ceiling"   // towards plus infinity
	Floor    Rounding = "floor"     // towards minus infinity
)

// validate returns an error unless r is one of the modes.
func (r Rounding) validate() error {
	switch r {
	case HalfEven, HalfUp, HalfDown, Up, Down, Ceiling, Floor:
		return nil
	}
	return fmt.Errorf("decimal: no rounding mode %q", string(r))
}

// up reports whether a number between two neighbours, the lower of which is odd
// or not, becomes the upper one. half compares its distance from the lower one
// with one half.
func (r Rounding) up(half int, odd bool) bool {
	switch r {
	case Up, Ceiling:
		return true
	case Down, Floor:
		return false
	}
	if half != 0 {
		return half > 0
	}
	return r == HalfUp || r == HalfEven && odd
}
