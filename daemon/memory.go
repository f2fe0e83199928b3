package daemon

import (
	"bytes"
	"context"
	"math"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/seed-649d3d38/heddle/host"
)

// headroom is the part of a container's memory, one of so many, that the Go runtime must
// not fill: what it does not count, such as the program itself and the kernel's buffers,
// and what it needs above its limit for a moment.
const headroom = 10

// limitMemory has the runtime collect harder before the process reaches the limit of its
// container. A lower GOMEMLIMIT stays; one that is the container's whole limit, as
// Kubernetes passes it on, is too high.
func (r *Runtime) limitMemory() {
	group := groupLimit(groupsFile, groupsDir)
	before := debug.SetMemoryLimit(-1)
	if group == math.MaxInt64 || group-group/headroom >= before {
		return
	}
	debug.SetMemoryLimit(group - group/headroom)
	r.OnStop("memory limit", func(context.Context) error {
		debug.SetMemoryLimit(before)
		return nil
	})
}

// defaultMemory returns the budget for requests when none is set: half of what the
// process may use, since the Go heap grows beyond what is live and estimates are
// estimates. The limit is the lowest of the runtime's, the control group's and the
// machine's memory; where none can be read it is [host.DefaultMemory].
func defaultMemory() int64 {
	limit := min(debug.SetMemoryLimit(-1), groupLimit(groupsFile, groupsDir), machineMemory("/proc/meminfo"))
	if limit == math.MaxInt64 {
		return host.DefaultMemory
	}
	return limit / 2
}

// Where Linux says which control groups the process is in, and what their limits are.
const (
	groupsFile = "/proc/self/cgroup"
	groupsDir  = "/sys/fs/cgroup"
)

// unlimited is about what version 1 writes for no limit: the largest number of pages.
const unlimited = 1 << 62

// groupLimit returns the memory limit of the process's control group and of those above
// it, of version 1 or 2; [math.MaxInt64] if there is none. A container sees its own group
// at the root of the file system, whatever path the process has by its list of groups, so
// paths that are not there are passed over.
func groupLimit(list, dir string) int64 {
	text, err := os.ReadFile(list)
	if err != nil {
		return math.MaxInt64 // not Linux
	}
	limit := int64(math.MaxInt64)
	for line := range strings.Lines(string(text)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3) // number:controllers:path
		if len(f) != 3 {
			continue
		}
		root, file := dir, "memory.max"
		if f[1] == "memory" {
			root, file = filepath.Join(dir, "memory"), "memory.limit_in_bytes"
		} else if f[1] != "" {
			continue
		}
		for group := path.Clean("/" + f[2]); ; group = path.Dir(group) {
			limit = min(limit, limitIn(filepath.Join(root, group, file)))
			if group == "/" {
				break
			}
		}
	}
	return limit
}

// limitIn reads a limit: a number of bytes, or "max".
func limitIn(file string) int64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return math.MaxInt64
	}
	limit, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
	if err != nil || limit >= unlimited {
		return math.MaxInt64
	}
	return limit
}

// machineMemory reads the line "MemTotal: 24735732 kB" of Linux's meminfo.
func machineMemory(path string) int64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return math.MaxInt64
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "MemTotal:" {
			if kib, err := strconv.ParseInt(f[1], 10, 64); err == nil {
				return kib << 10
			}
		}
	}
	return math.MaxInt64
}
