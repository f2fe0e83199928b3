package contract

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

const (
	// DefaultRootDigits is the number of digits after the point of a root when the
	// request names none.
	DefaultRootDigits = 20

	// MaxFloats is the largest number of values in one [FloatsRequest].
	MaxFloats = 100_000
)

// Rounding says how the last digit of a root is found.
type Rounding string

// The rounding modes, named as in IEEE 754 and its decimal descendants. A root is
// never negative, so ceiling equals up and floor equals down.
const (
	RoundHalfEven Rounding = "half_even" // to the nearest, ties to the even digit
	RoundHalfUp   Rounding = "half_up"   // to the nearest, ties away from zero
	RoundHalfDown Rounding = "half_down" // to the nearest, ties toward zero
	RoundUp       Rounding = "up"        // away from zero
	RoundDown     Rounding = "down"      // toward zero: truncated
	RoundCeiling  Rounding = "ceiling"   // toward positive infinity
	RoundFloor    Rounding = "floor"     // toward negative infinity
)

// Roundings returns the rounding modes, the default first.
func Roundings() []Rounding {
	return []Rounding{RoundHalfEven, RoundHalfUp, RoundHalfDown, RoundUp, RoundDown, RoundCeiling, RoundFloor}
}

// UnmarshalText reads the name of a mode; the empty name is none. It returns an [*Error]
// with [CodeInvalidArgument] for anything else.
func (r *Rounding) UnmarshalText(text []byte) error {
	if mode := Rounding(text); slices.Contains(Roundings(), mode) {
		*r = mode
		return nil
	}
	return Errorf(CodeInvalidArgument, "must be one of %v", Roundings())
}

// RootRequest asks for the square root of a rational number in decimal digits.
type RootRequest struct {
	// X is the number under the root: an integer, a decimal fraction or a quotient
	// such as "22/7". It must not be negative.
	X Rational `json:"x" minimum:"0" doc:"Number under the root: an integer, a decimal fraction or a quotient such as 22/7; not negative."`
	// Digits is the number of digits after the point; absent means 20.
	Digits *int `json:"digits,omitempty" minimum:"0" default:"20" doc:"Digits after the point."`
	// Rounding says how the last digit is found; absent means half_even.
	Rounding Rounding `json:"rounding,omitempty" default:"half_even" doc:"How the last digit is found, named as in IEEE 754. A root is never negative, so ceiling equals up and floor equals down."`
}

// RootResult is a root in decimal digits.
type RootResult struct {
	// Value is the root, with exactly the digits after the point that were asked for.
	Value string `json:"value" pattern:"^[0-9]+([.][0-9]+)?$" doc:"The root, with exactly the digits after the point that were asked for."`
	// Exact says that the value is the root itself, not a rounded one.
	Exact bool `json:"exact" doc:"The value is the root itself, not a rounded one."`
}

// SqrtRoot computes a square root to any number of digits.
var SqrtRoot = Define(Spec{
	Service:   "sqrt",
	Operation: "root",
	Summary:   "The square root of a rational number, correctly rounded to any number of digits",
	Description: "Takes an integer, a decimal fraction or a quotient as a string and returns its square root with " +
		"the digits after the point that were asked for, correctly rounded in the chosen mode. Accept text/plain " +
		"returns the bare number.",
	Pure: true,
},
	Example[RootRequest, RootResult]{
		Summary: "The square root of two",
		Request: RootRequest{X: "2", Digits: new(50)},
		Result:  RootResult{Value: "1.41421356237309504880168872420969807856967187537695"},
	},
	Example[RootRequest, RootResult]{
		Summary: "An exact root of a fraction",
		Request: RootRequest{X: "9/4", Digits: new(2), Rounding: RoundDown},
		Result:  RootResult{Value: "1.50", Exact: true},
	},
)

// Validate checks the form and the sign of x, the digits and the rounding mode.
func (r RootRequest) Validate() error {
	if r.X == "" {
		return Invalid("x", "is missing; send a number as a string, such as \"2\"")
	}
	if _, err := ParseRational(string(r.X)); err != nil {
		return FromError(err).At("x")
	}
	switch {
	case r.X.Negative():
		return notNegative("x")
	case r.Digits != nil && *r.Digits < 0:
		return Invalid("digits", "must be 0 or more")
	case r.Rounding != "" && !slices.Contains(Roundings(), r.Rounding):
		return Invalid("rounding", "must be one of %v", Roundings())
	}
	return nil
}

// AppendPlain appends the root.
func (r RootResult) AppendPlain(dst []byte) []byte { return append(dst, r.Value...) }

const noRoot = "must not be negative: no real number has that square"

func notNegative(field string) *Error { return Invalid(field, noRoot) }

// IntegerRootRequest asks for the integer square root of a whole number.
type IntegerRootRequest struct {
	// X is the number under the root; it must not be negative.
	X Integer `json:"x" minimum:"0" doc:"Number under the root; not negative."`
}

// IntegerRootResult is an integer root: root² + remainder = x, and remainder ≤ 2·root.
type IntegerRootResult struct {
	Root      Integer `json:"root" doc:"The largest integer whose square is not above x."`
	Remainder Integer `json:"remainder" doc:"What is left over: x - root²."`
}

// SqrtInteger computes an integer square root with its remainder.
var SqrtInteger = Define(Spec{
	Service:     "sqrt",
	Operation:   "integer",
	Summary:     "The integer square root of a whole number, with its remainder",
	Description: "Returns the largest integer whose square is not above x, and what is left over.",
	Pure:        true,
},
	Example[IntegerRootRequest, IntegerRootResult]{
		Summary: "A number that is no square",
		Request: IntegerRootRequest{X: "1000000000000000000000"},
		Result:  IntegerRootResult{Root: "31622776601", Remainder: "43246886799"},
	},
)

// Validate checks the sign of x.
func (r IntegerRootRequest) Validate() error {
	switch {
	case r.X.IsZero():
		return Invalid("x", "is missing; send a whole number, such as \"16\"")
	case r.X.Negative():
		return notNegative("x")
	}
	return nil
}

// AppendPlain appends the root without the remainder.
func (r IntegerRootResult) AppendPlain(dst []byte) []byte { return append(dst, r.Root...) }

// FloatsRequest asks for the square roots of binary floating-point numbers.
type FloatsRequest struct {
	// Values are the numbers under the roots, up to 100,000 of them. They are finite.
	Values Floats `json:"values" maxItems:"100000" doc:"The numbers under the roots."`
}

// FloatsResult holds the roots in the order of the values.
type FloatsResult struct {
	// Roots are the IEEE 754 square roots. A value without a root has null.
	Roots Floats `json:"roots" doc:"The IEEE 754 roots in the order of the values; null for a value that has none."`
	// Errors says, for each null, why it is there; absent when there is none.
	Errors []ItemError `json:"errors,omitempty" doc:"For each null, why it is there; absent when there is none."`
}

// ItemError is the fault of one item among many; the others are not affected.
type ItemError struct {
	// Index is the position of the item, from 0.
	Index int `json:"index" minimum:"0" doc:"Position of the item, from 0."`
	// Code and Detail are those of an [Error].
	Code   Code   `json:"code" doc:"Kind of the fault, stable."`
	Detail string `json:"detail" doc:"A sentence for people."`
}

// SqrtFloats computes many roots in binary floating point.
var SqrtFloats = Define(Spec{
	Service:     "sqrt",
	Operation:   "floats",
	Summary:     "The square roots of many floating-point numbers",
	Description: "Returns the IEEE 754 double-precision square root of each value. A negative value has null for a root and an entry in errors.",
	Pure:        true,
},
	Example[FloatsRequest, FloatsResult]{
		Summary: "Two roots and a value that has none",
		Request: FloatsRequest{Values: []float64{4, 2, -1}},
		Result: FloatsResult{
			Roots:  Floats{2, 1.4142135623730951, math.NaN()},
			Errors: []ItemError{NoRoot(2)},
		},
	},
)

// NoRoot is the fault of a negative value at the index.
func NoRoot(index int) ItemError {
	// Written without fmt, since a request may have a hundred thousand of them.
	return ItemError{Index: index, Code: CodeInvalidArgument, Detail: "values/" + strconv.Itoa(index) + " " + noRoot}
}

// Validate checks that there are values, not too many, and that each is a number.
func (r FloatsRequest) Validate() error {
	switch {
	case r.Values == nil:
		return Invalid("values", "is missing; send an array of numbers, such as [4, 2]")
	case len(r.Values) > MaxFloats:
		return Invalid("values", "must have at most %d numbers; send the rest in another request", MaxFloats)
	}
	for i, v := range r.Values {
		if math.IsNaN(v) || math.IsInf(v, 0) { // null is NaN
			return Invalid(fmt.Sprintf("values/%d", i), "must be a number, neither null nor infinite")
		}
	}
	return nil
}
