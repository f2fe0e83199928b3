package contract

import (
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
)

// maxSafe is 2^53-1, the largest integer every JSON implementation reads exactly
// (RFC 8259, section 6).
const maxSafe = 1<<53 - 1

// Integer is a whole number of any size in canonical decimal form: an optional
// minus sign and digits without leading zeros. The zero value is empty and stands
// for a missing number.
//
// On the wire it is a string. A request may also carry a JSON number between
// -(2^53-1) and 2^53-1; a larger one is refused, since many JSON encoders would
// already have rounded it.
type Integer string

// NewInteger returns v as an Integer.
func NewInteger(v int64) Integer { return Integer(strconv.FormatInt(v, 10)) }

// ParseInteger brings s into canonical form. It accepts an optional sign and at
// least one digit, and returns an [*Error] with [CodeInvalidArgument] otherwise.
func ParseInteger(s string) (Integer, error) {
	digits, negative := cutSign(s)
	if digits == "" || !allDigits(digits) {
		return "", Errorf(CodeInvalidArgument, "must be a whole number in decimal digits, such as \"42\"")
	}
	digits = strings.TrimLeft(digits, "0")
	switch {
	case digits == "":
		return "0", nil
	case negative:
		return Integer("-" + digits), nil
	default:
		return Integer(digits), nil
	}
}

// IsZero reports whether the number is missing (not whether it is 0).
func (i Integer) IsZero() bool { return i == "" }

// Negative reports whether the number is below 0.
func (i Integer) Negative() bool { return strings.HasPrefix(string(i), "-") }

// Digits returns the number of decimal digits, without the sign.
func (i Integer) Digits() int { return len(strings.TrimPrefix(string(i), "-")) }

// Int64 returns the number, and whether it fits.
func (i Integer) Int64() (int64, bool) {
	v, err := strconv.ParseInt(string(i), 10, 64)
	return v, err == nil
}

// Big returns the number as a big.Int; a missing or malformed number is 0. The
// conversion takes quadratic time in the number of digits.
func (i Integer) Big() *big.Int {
	v, ok := new(big.Int).SetString(string(i), 10)
	if !ok {
		return new(big.Int)
	}
	return v
}

// UnmarshalJSON reads a string or a JSON number.
func (i *Integer) UnmarshalJSON(data []byte) error {
	s, err := numberText(data)
	if err != nil {
		return err
	}
	v, err := ParseInteger(s)
	if err != nil {
		return err
	}
	*i = v
	return nil
}

// numberText returns the text of a JSON string, or of a JSON number that is an
// integer small enough to be exact everywhere.
func numberText(data []byte) (string, error) {
	text := string(data)
	switch {
	case strings.HasPrefix(text, `"`):
		if len(text) > 1 && strings.HasSuffix(text, `"`) && !strings.Contains(text, `\`) {
			return text[1 : len(text)-1], nil
		}
		var s string
		err := json.Unmarshal(data, &s)
		return s, err
	case text == "" || text[0] != '-' && (text[0] < '0' || text[0] > '9'):
		return "", Errorf(CodeInvalidArgument, "must be a string of digits or a whole JSON number")
	case strings.ContainsAny(text, ".eE"):
		return "", Errorf(CodeInvalidArgument, "must be sent as a string: the JSON number %s is not a whole number", clip(text))
	default:
		if v, err := strconv.ParseInt(text, 10, 64); err != nil || v > maxSafe || v < -maxSafe {
			return "", Errorf(CodeInvalidArgument, "must be sent as a string: a JSON number beyond 2^53-1 may have been rounded on its way")
		}
		return text, nil
	}
}

// clip shortens text for an error message.
func clip(text string) string {
	const most = 40
	if len(text) <= most {
		return strconv.Quote(text)
	}
	return strconv.Quote(text[:most]) + "…"
}

func cutSign(s string) (digits string, negative bool) {
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		return rest, true
	}
	return strings.TrimPrefix(s, "+"), false
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
