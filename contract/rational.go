package contract

import "strings"

// Rational is a number written as an integer, a decimal fraction or a quotient of
// two integers: "2", "-0.25", "22/7". It keeps the form it was written in. The zero
// value is empty and stands for a missing number.
//
// On the wire it is a string. A request may also carry a whole JSON number between
// -(2^53-1) and 2^53-1; fractions go as strings, since a JSON number such as 0.1
// means something else to an encoder that works in binary.
type Rational string

// ParseRational checks that s is a rational number without exponent. It returns an
// [*Error] with [CodeInvalidArgument] otherwise.
func ParseRational(s string) (Rational, error) {
	p, q, quotient := strings.Cut(s, "/")
	switch digits, _ := cutSign(p); {
	case quotient && (digits == "" || !allDigits(digits) || q == "" || !allDigits(q)):
		return "", Errorf(CodeInvalidArgument, "must be a quotient of two whole numbers, such as \"22/7\"")
	case quotient && strings.Trim(q, "0") == "":
		return "", Errorf(CodeInvalidArgument, "must have a denominator other than 0")
	case !quotient && !isDecimal(digits):
		return "", Errorf(CodeInvalidArgument, "must be a whole number, a decimal fraction or a quotient, such as \"2\", \"2.25\" or \"9/4\"")
	}
	return Rational(s), nil
}

// Negative reports whether the number is below 0; "-0" is not.
func (r Rational) Negative() bool {
	p, _, _ := strings.Cut(string(r), "/")
	return strings.HasPrefix(p, "-") && strings.ContainsAny(p, "123456789")
}

// isDecimal reports whether s is digits with at most one point between, before or
// after them.
func isDecimal(s string) bool {
	whole, fraction, _ := strings.Cut(s, ".")
	return whole+fraction != "" && allDigits(whole) && allDigits(fraction)
}

// Split returns the number as numerator and denominator in decimal digits, the
// numerator with its sign: "2.25" is 225 over 100. The number must have passed
// [ParseRational].
func (r Rational) Split() (numerator, denominator Integer) {
	p, q, quotient := strings.Cut(string(r), "/")
	if !quotient {
		whole, fraction, _ := strings.Cut(p, ".")
		p, q = whole+fraction, "1"+strings.Repeat("0", len(fraction))
	}
	numerator, _ = ParseInteger(p)
	denominator, _ = ParseInteger(q)
	return numerator, denominator
}

// UnmarshalJSON reads a string or a whole JSON number.
func (r *Rational) UnmarshalJSON(data []byte) error {
	s, err := numberText(data)
	if err != nil {
		return err
	}
	v, err := ParseRational(s)
	if err != nil {
		return err
	}
	*r = v
	return nil
}
