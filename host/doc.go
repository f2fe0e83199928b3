// Package host is the service kit: it hosts solvers as services on NATS.
//
// For every operation of a [solver.Service] it subscribes to the operation's subject
// in the service's queue group, decodes and validates requests, admits them to slots
// and memory, sets their deadline, catches panics, writes replies and error replies,
// answers service discovery (ADR-32: `nats micro ls`, `info`, `stats`) and drains
// without losing a request.
//
// It does not own the connection, flags, signals or exporters; package daemon does.
//
//	h, err := host.Start(ctx, nc, host.Config{Log: log}, fib.Service())
//	if err != nil {
//		return err
//	}
//	<-ctx.Done()
//	return h.Drain(shutdownCtx)
//
// # How a request is run
//
// The subscription's one dispatcher goroutine decodes a request and asks the solver
// for its cost. Light requests are solved right there: measured against a goroutine
// each, that halves the processor time of small work. Heavy requests get a goroutine
// that waits for a slot, in order of arrival, and then for its estimated memory; the
// dispatcher never blocks. As many requests may wait as [Config.Queue] says, further
// ones are refused with [contract.CodeResourceExhausted] at once. A request whose
// time runs out, waiting or working, is answered [contract.CodeDeadlineExceeded] at
// that moment.
//
// # Large results
//
// A result that does not fit into one part ([contract.MaxPart]) is held, inside the
// memory budget, until its caller has pulled it ([contract.Handle]); the reply says
// where. One subscription writes the parts of all results that a service holds, in the
// order in which they are asked for.
package host
