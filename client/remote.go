package client

import (
	"context"

	"github.com/seed-649d3d38/heddle/contract"
)

// Remote returns the endpoint as a function: what [Call] does, in the form that [Go],
// [Scatter] and [Stage] take. A solver has the same form, so one can stand in for the
// other. The function is safe for concurrent use if the caller is.
//
//	term := client.Remote(c, contract.FibonacciTerm)
//	result, err := term(ctx, contract.TermRequest{N: "100"})
func Remote[Req contract.Request, Res any](c Caller, e contract.Endpoint[Req, Res]) func(context.Context, Req) (Res, error) {
	return func(ctx context.Context, request Req) (Res, error) { return Call(ctx, c, e, request) }
}
