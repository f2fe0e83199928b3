package process

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process uses.
type Usage struct {
	// CPU is the processor time, user and system, since the process began. The kernel
	// counts it in steps of 10 ms.
	CPU time.Duration
	// Resident is the memory in bytes that is in RAM (VmRSS), the pages of the
	// program's file and of shared libraries included.
	Resident int64
	// Anonymous is the part of Resident that is no file's (RssAnon): heap, stacks,
	// changed data.
	Anonymous int64
	// Peak is the most memory in bytes that was ever in RAM (VmHWM).
	Peak int64
}

// tick is the unit of processor time in /proc: USER_HZ is 100 on every architecture
// that Go runs on (proc(5), sysconf(_SC_CLK_TCK)).
const tick = 10 * time.Millisecond

func readUsage(pid int) (Usage, error) {
	dir := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return Usage{}, err
	}
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return Usage{}, err
	}
	var u Usage
	if u.CPU, err = parseStat(string(stat)); err != nil {
		return Usage{}, err
	}
	if u.Resident, err = parseStatus(string(status), "VmRSS"); err != nil {
		return Usage{}, err
	}
	if u.Anonymous, err = parseStatus(string(status), "RssAnon"); err != nil {
		return Usage{}, err
	}
	u.Peak, err = parseStatus(string(status), "VmHWM")
	return u, err
}

// parseStat reads the processor time from /proc/<pid>/stat: utime and stime are fields
// 14 and 15 (proc_pid_stat(5)). The second field, the program's name in parentheses,
// may hold spaces and parentheses.
func parseStat(stat string) (time.Duration, error) {
	const nameField, utime, stime = 2, 14, 15
	f := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(f) < stime-nameField {
		return 0, fmt.Errorf("stat has %d fields after the name", len(f))
	}
	user, err := strconv.ParseInt(f[utime-nameField-1], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("utime: %w", err)
	}
	system, err := strconv.ParseInt(f[stime-nameField-1], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("stime: %w", err)
	}
	return time.Duration(user+system) * tick, nil
}

// parseStatus reads one size of /proc/<pid>/status, such as "VmRSS:	   13204 kB", in
// bytes.
func parseStatus(status, name string) (int64, error) {
	for line := range strings.Lines(status) {
		value, found := strings.CutPrefix(line, name+":")
		if !found {
			continue
		}
		kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		return kib << 10, nil
	}
	return 0, fmt.Errorf("status has no %s", name)
}
