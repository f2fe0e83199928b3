package solver

import (
	"context"

	"github.com/seed-649d3d38/heddle/contract"
)

// progressKey is the key of the listener to progress in a context.
type progressKey struct{}

// WithProgress returns a context whose work reports its progress to the function, which
// may be called by several goroutines at once and must not block. The kit calls it.
func WithProgress(ctx context.Context, report func(contract.Progress)) context.Context {
	return context.WithValue(ctx, progressKey{}, report)
}

// Report says how far the work under the context has come. Where nobody listens, as with
// plain requests, it does nothing; a listener keeps no more than some reports a second, so
// a solver may call it as often as it looks at its context.
func Report(ctx context.Context, p contract.Progress) {
	if report, ok := ctx.Value(progressKey{}).(func(contract.Progress)); ok {
		report(p)
	}
}

// ReportShare says which share of the work under the context is done, from 0 to 1, for work
// that has no better unit. It is reported in percent.
func ReportShare(ctx context.Context, done float64) {
	Report(ctx, contract.Progress{Done: int64(100 * done), Total: 100, Unit: "%"})
}
