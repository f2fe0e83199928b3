package contract

import "fmt"

// MaxSequenceTerms is the largest number of terms in one sequence.
const MaxSequenceTerms = 10_000

// SequenceRequest asks for consecutive Fibonacci terms.
type SequenceRequest struct {
	// From and To are the indices of the first and the last term, of either sign. From
	// is at most To, and there are up to 10,000 terms.
	From Integer `json:"from" doc:"Index of the first term, of either sign."`
	To   Integer `json:"to" doc:"Index of the last term: not below from, and at most 9,999 above it."`
}

// SequenceResult holds the terms in the order of their indices.
type SequenceResult struct {
	Terms []SequenceTerm `json:"terms" doc:"The terms in the order of their indices."`
}

// SequenceTerm is one term of a sequence.
type SequenceTerm struct {
	// N is the index of the term.
	N Integer `json:"n" doc:"Index of the term."`
	// Value is the term in decimal digits.
	Value Integer `json:"value" doc:"The term in decimal digits."`
}

// FibonacciSequence computes consecutive terms of the Fibonacci sequence.
var FibonacciSequence = Define(Spec{
	Service:   "fibonacci",
	Operation: "sequence",
	Summary:   "Consecutive terms of the Fibonacci sequence, one on each line",
	Description: "Computes F(from) to F(to), exactly, for negative indices too: at most 10,000 terms, as far as the " +
		"memory of the service allows. The result is NDJSON, one term on each line; accept application/json for one " +
		"object, or text/plain for the bare digits, one term on each line.",
	Pure: true,
},
	Example[SequenceRequest, SequenceResult]{
		Summary: "Ten terms",
		Request: SequenceRequest{From: "1", To: "10"},
		Result: SequenceResult{[]SequenceTerm{
			{"1", "1"}, {"2", "1"}, {"3", "2"}, {"4", "3"}, {"5", "5"},
			{"6", "8"}, {"7", "13"}, {"8", "21"}, {"9", "34"}, {"10", "55"},
		}},
	},
	Example[SequenceRequest, SequenceResult]{
		Summary: "Around zero",
		Request: SequenceRequest{From: "-3", To: "2"},
		Result:  SequenceResult{[]SequenceTerm{{"-3", "2"}, {"-2", "-1"}, {"-1", "1"}, {"0", "0"}, {"1", "1"}, {"2", "1"}}},
	},
)

// Validate checks that the indices are there, in order and not too far apart.
func (r SequenceRequest) Validate() error {
	from, err := sequenceIndex("from", r.From)
	if err != nil {
		return err
	}
	to, err := sequenceIndex("to", r.To)
	switch {
	case err != nil:
		return err
	case to < from:
		return Invalid("to", "must not be below from")
	case to-from >= MaxSequenceTerms:
		return Invalid("to", "must be at most %d above from; send the rest in another request", MaxSequenceTerms-1)
	}
	return nil
}

// sequenceIndex returns an index, which has at most 18 digits, so that the difference of
// two does not overflow.
func sequenceIndex(field string, n Integer) (int64, error) {
	const most = 18
	switch {
	case n.IsZero():
		return 0, Invalid(field, "is missing; send the index of a term, such as \"100\"")
	case n.Digits() > most:
		return 0, Invalid(field, "must have at most %d digits", most)
	}
	v, ok := n.Int64()
	if !ok { // only an Integer that was not parsed
		return 0, Invalid(field, "must be a whole number")
	}
	return v, nil
}

// AppendLines appends the terms as NDJSON.
func (r SequenceResult) AppendLines(dst []byte) []byte {
	for _, t := range r.Terms {
		dst = fmt.Appendf(dst, "{\"n\":\"%s\",\"value\":\"%s\"}\n", t.N, t.Value)
	}
	return dst
}

// AppendPlain appends the digits of the terms, one on each line.
func (r SequenceResult) AppendPlain(dst []byte) []byte {
	for i, t := range r.Terms {
		if i > 0 {
			dst = append(dst, '\n')
		}
		dst = append(dst, t.Value...)
	}
	return dst
}
