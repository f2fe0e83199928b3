package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

//go:embed peer/gmp.c
var gmpSource []byte

//go:embed peer/floats.c
var floatsSource []byte

// peers are the paths of the C programs.
type peers struct{ gmp, floats string }

// buildPeers compiles the C programs into a temporary directory.
func buildPeers(ctx context.Context) (p peers, clean func(), err error) {
	dir, err := os.MkdirTemp("", "decimal-peer")
	if err != nil {
		return peers{}, nil, err
	}
	clean = func() { os.RemoveAll(dir) }
	p.gmp, err = compile(ctx, dir, "gmp", gmpSource, "-O2", "-lgmp")
	if err == nil {
		p.floats, err = compile(ctx, dir, "floats", floatsSource, "-O3", "-march=native", "-mprefer-vector-width=512", "-fno-math-errno", "-lm")
	}
	if err != nil {
		clean()
		return peers{}, nil, err
	}
	return p, clean, nil
}

func compile(ctx context.Context, dir, name string, source []byte, flags ...string) (string, error) {
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path+".c", source, 0o600); err != nil {
		return "", err
	}
	args := append([]string{"-o", path, path + ".c"}, flags...)
	if out, err := exec.CommandContext(ctx, "cc", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	return path, nil
}

// sample is the cost of one repetition in nanoseconds, the memory of the process at its
// peak above what it had at the start, and the result's hash.
type sample struct {
	cpu, wall float64
	peak      float64
	hash      string
}

// runProgram runs a program that prints a sample: processor time, elapsed time, hash, and
// if it knows it, the bytes at the peak.
func runProgram(ctx context.Context, path string, args ...string) (sample, error) {
	out, err := exec.CommandContext(ctx, path, args...).Output()
	if err != nil {
		return sample{}, fmt.Errorf("run %s: %w", filepath.Base(path), err)
	}
	fields := strings.Fields(string(out))
	if len(fields) != 3 && len(fields) != 4 {
		return sample{}, fmt.Errorf("run %s: unexpected output %q", filepath.Base(path), out)
	}
	s := sample{hash: fields[2]}
	numbers := []*float64{&s.cpu, &s.wall, nil, &s.peak}
	for i, field := range fields {
		if numbers[i] == nil {
			continue
		}
		if *numbers[i], err = strconv.ParseFloat(field, 64); err != nil {
			return sample{}, fmt.Errorf("run %s: %w", filepath.Base(path), err)
		}
	}
	return s, nil
}
