package daemon

import (
	"context"
	"runtime"
)

// spareProcessors is how many threads may run Go code beyond one for each slot that
// computes: one that waits at the network and one that dispatches. With none to spare,
// when all slots compute, a light request waits until the runtime takes a thread from a
// solver, ten milliseconds or more; the kernel gives a thread that has slept its turn at
// once. The measurements have the figures (bench: lane).
const spareProcessors = 2

// setProcessors lets more threads run Go code than there are slots that compute. What the
// flag or the environment variable GOMAXPROCS says is done; without it Go has counted the
// cores that the machine and the control group's limit allow. The number of slots follows
// that count, so the spare threads take turns with the solvers and need no more processor
// time than there is.
func (r *Runtime) setProcessors(flags HostFlags, slots int) {
	want := flags.Processors
	if want <= 0 {
		want = max(slots+spareProcessors, runtime.GOMAXPROCS(0))
	}
	if want == runtime.GOMAXPROCS(0) {
		return
	}
	runtime.GOMAXPROCS(want)
	r.OnStop("processors", func(context.Context) error {
		if flags.Processors <= 0 {
			runtime.SetDefaultGOMAXPROCS()
		}
		return nil
	})
}
