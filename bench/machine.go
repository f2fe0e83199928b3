package main

import (
	"context"
	"os"
	"runtime"
	"strings"
)

// printMachine prints what the figures depend on besides the programs.
func (b *bench) printMachine(ctx context.Context) error {
	commit, err := command(ctx, b.root, "git", "rev-parse", "--short=12", "HEAD")
	if err != nil {
		commit = "unknown" // a copy without its history
	} else if changes, err := command(ctx, b.root, "git", "status", "--porcelain"); err != nil || changes != "" {
		commit += " with changes"
	}
	return b.printf(`Heddle's measurements: 127.0.0.1, all processes on one machine
cpu      %s, %d cores
memory   %s
system   %s/%s, kernel %s
go       %s
commit   %s
load     %s (running processes on average, before the start; other work makes the figures noisy)

`,
		proc("/proc/cpuinfo", "model name"), runtime.NumCPU(),
		proc("/proc/meminfo", "MemTotal"),
		runtime.GOOS, runtime.GOARCH, firstWord("/proc/sys/kernel/osrelease"),
		runtime.Version(), commit, firstWord("/proc/loadavg"))
}

// unknown stands for what the system does not tell.
const unknown = "unknown"

// proc returns the value of the first line "name: value" of a file of /proc.
func proc(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return unknown
	}
	for line := range strings.Lines(string(text)) {
		key, value, found := strings.Cut(line, ":")
		if found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return unknown
}

// firstWord returns the first word of a file.
func firstWord(file string) string {
	text, err := os.ReadFile(file)
	if words := strings.Fields(string(text)); err == nil && len(words) > 0 {
		return words[0]
	}
	return unknown
}
