package fib

import (
	"context"
	"fmt"
	"strings"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/decimal"
	"github.com/seed-649d3d38/heddle/solver"
)

// solveTerm is SolveTerm for hosts: it leaves a term that may be long in its internal form.
func solveTerm(ctx context.Context, request contract.TermRequest) (contract.TermResult, solver.Long, error) {
	if n, ok := index(request.N); !ok || n <= lightIndex || request.Modulus != "" {
		result, err := SolveTerm(ctx, request)
		return result, nil, err
	}
	x, err := computeTerm(ctx, request)
	if err != nil {
		return contract.TermResult{}, nil, err
	}
	return contract.TermResult{}, longTerm{request.N, x}, nil
}

// longTerm is a [contract.TermResult] whose value is not written out.
type longTerm struct {
	n     contract.Integer
	value decimal.Int
}

// Memory implements [solver.Long].
func (t longTerm) Memory() int64 { return t.value.Memory() }

// Encode implements [solver.Long].
func (t longTerm) Encode(media string) solver.Encoded {
	sign := ""
	if t.value.Sign() < 0 {
		sign = "-"
	}
	digits := solver.Appended(t.value.Digits(), t.value.AppendDigits)
	if media == contract.MediaText {
		return solver.Concat(strings.NewReader(sign), digits)
	}
	return solver.Concat(
		strings.NewReader(fmt.Sprintf(`{"n":"%s","value":"%s`, t.n, sign)),
		digits,
		strings.NewReader(fmt.Sprintf(`","digits":%d}`, t.value.Digits())),
	)
}
