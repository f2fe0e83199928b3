package daemon

import (
	"bytes"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/seed-649d3d38/heddle/host"
)

// defaultMemory returns the budget for requests when none is set: half of what the
// process may use, since the Go heap grows beyond what is live and estimates are
// estimates. The limit is the lowest of GOMEMLIMIT, the control group's and the
// machine's memory; where none can be read it is [host.DefaultMemory].
func defaultMemory() int64 {
	limit := min(debug.SetMemoryLimit(-1), groupLimit("/sys/fs/cgroup/memory.max"), machineMemory("/proc/meminfo"))
	if limit == math.MaxInt64 {
		return host.DefaultMemory
	}
	return limit / 2
}

// groupLimit reads a memory limit of control groups, version 2: a number or "max".
func groupLimit(path string) int64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return math.MaxInt64 // not Linux, or no control group
	}
	limit, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
	if err != nil {
		return math.MaxInt64 // "max"
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
