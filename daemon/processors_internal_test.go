package daemon

import (
	"io"
	"runtime"
	"testing"
)

// TestProcessors is for the whole process, so it runs alone.
func TestProcessors(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	for name, c := range map[string]struct {
		flags HostFlags
		slots int
		want  int
	}{
		"more slots than cores":              {HostFlags{}, before + 3, before + 3 + spareProcessors},
		"a slot for each core":               {HostFlags{}, before, before + spareProcessors},
		"no slots that compute":              {HostFlags{}, 0, max(before, spareProcessors)},
		"as GOMAXPROCS or --processors says": {HostFlags{Processors: before + 1}, before, before + 1},
	} {
		r, err := Flags{}.Start(t.Context(), "test", io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		r.setProcessors(c.flags, c.slots)
		if got := runtime.GOMAXPROCS(0); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
		if err := r.stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		runtime.GOMAXPROCS(before)
	}
	runtime.SetDefaultGOMAXPROCS()
}
