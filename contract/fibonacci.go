package contract

// MaxTermDigits is the largest number of digits that n and modulus may have.
const MaxTermDigits = 10_000

// TermRequest asks for one Fibonacci term.
type TermRequest struct {
	// N is the index of the term: F(0) = 0, F(1) = 1. Negative indices follow
	// F(-n) = (-1)^(n+1) F(n). Up to 10,000 digits with a modulus; without one,
	// what the service's memory and the reply allow.
	N Integer `json:"n" maxLength:"10001" doc:"Index of the term: F(0) = 0, F(1) = 1; negative n: F(-n) = (-1)^(n+1) F(n). Up to 10,000 digits with a modulus; without one, what the memory of the service and the reply allow."`
	// Modulus, when present, asks for the term modulo this number, which must be
	// at least 1. The value then lies between 0 and modulus-1, also for negative n.
	Modulus Integer `json:"modulus,omitempty" minimum:"1" maxLength:"10000" doc:"When present, the term is reduced to 0 … modulus-1, for negative n too."`
}

// TermResult is a Fibonacci term.
type TermResult struct {
	// N is the index that was asked for.
	N Integer `json:"n" doc:"Index that was asked for."`
	// Value is the term in decimal digits.
	Value Integer `json:"value" doc:"The term in decimal digits."`
	// Digits is the number of decimal digits of the value, without a sign.
	Digits int `json:"digits" minimum:"1" doc:"Number of decimal digits of the value, without a sign."`
}

// FibonacciTerm computes a term of the Fibonacci sequence.
var FibonacciTerm = Define(Spec{
	Service:   "fibonacci",
	Operation: "term",
	Summary:   "One term of the Fibonacci sequence, exact at any size",
	Description: "Computes F(n) exactly, for negative n too. With a modulus the term is reduced, and n " +
		"may have up to 10,000 digits. Accept text/plain returns the bare digits.",
	Pure: true,
},
	Example[TermRequest, TermResult]{
		Summary: "A term beyond 64 bits",
		Request: TermRequest{N: "100"},
		Result:  TermResult{N: "100", Value: "354224848179261915075", Digits: 21},
	},
	Example[TermRequest, TermResult]{
		Summary: "A negative index",
		Request: TermRequest{N: "-8"},
		Result:  TermResult{N: "-8", Value: "-21", Digits: 2},
	},
	Example[TermRequest, TermResult]{
		Summary: "The last nine digits of a term nobody could write down",
		Request: TermRequest{N: "1000000000000000000000", Modulus: "1000000000"},
		Result:  TermResult{N: "1000000000000000000000", Value: "560546875", Digits: 9},
	},
)

// Validate checks the sizes and signs of the numbers.
func (r TermRequest) Validate() error {
	switch {
	case r.N.IsZero():
		return Invalid("n", "is missing; send the index of the term, such as \"100\"")
	case r.N.Digits() > MaxTermDigits:
		return Invalid("n", "must have at most %d digits", MaxTermDigits)
	case r.Modulus == "0" || r.Modulus.Negative():
		return Invalid("modulus", "must be at least 1")
	case r.Modulus.Digits() > MaxTermDigits:
		return Invalid("modulus", "must have at most %d digits", MaxTermDigits)
	}
	return nil
}

// AppendPlain appends the digits of the term.
func (r TermResult) AppendPlain(dst []byte) []byte { return append(dst, r.Value...) }
