package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-649d3d38/heddle/bench/process"
)

// bench is one run of the program: where it prints and the programs it has built.
type bench struct {
	out    io.Writer
	extent extent
	self   string   // this program's file, for roles
	root   string   // the folder of the module heddle
	dir    string   // for built programs and data; removed at the end
	env    []string // of all programs

	folders []string // outside dir, removed at the end
	brokers int      // with JetStream that were started, to name their folders
}

// heddle is the module whose programs are measured.
const heddle = "github.com/seed-649d3d38/heddle"

// newBench builds the programs: the given packages of the suite, and all of this module.
func newBench(ctx context.Context, out io.Writer, e extent, suite []string) (*bench, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	root, err := command(ctx, "", "go", "list", "-m", "-f", "{{.Dir}}", heddle)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "heddle-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{out: out, extent: e, self: self, root: root, dir: dir, env: neutral(os.Environ())}
	if err := b.build(ctx, suite); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *bench) close() error {
	err := os.RemoveAll(b.dir)
	for _, dir := range b.folders {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return err
}

// build builds the suite's packages, in their own module, and the programs of this one.
func (b *bench) build(ctx context.Context, suite []string) error {
	into := []string{"build", "-o", b.dir + string(filepath.Separator)}
	if len(suite) > 0 {
		if _, err := command(ctx, b.root, "go", append(into, suite...)...); err != nil {
			return err
		}
	}
	_, err := command(ctx, "", "go", append(into, "./programs/...")...)
	return err
}

// command runs a program and returns what it prints, without space around it.
func command(ctx context.Context, dir, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(c.Args, " "), err, stderr.Bytes())
	}
	return string(bytes.TrimSpace(out)), nil
}

// neutral returns the environment without the variables that change how the programs
// behave, so that a run measures what the programs do by themselves.
func neutral(env []string) []string {
	return slices.DeleteFunc(env, func(variable string) bool {
		for _, prefix := range []string{"NATS_", "HEDDLE_", "OTEL_", "GOGC=", "GOMEMLIMIT=", "GOMAXPROCS=", "GODEBUG="} {
			if strings.HasPrefix(variable, prefix) {
				return true
			}
		}
		return false
	})
}

// program returns the command that starts a program that was built.
func (b *bench) program(name string, args ...string) process.Command {
	return process.Command{Path: filepath.Join(b.dir, name), Args: args, Env: b.env}
}

// role returns the command that starts this program in a role.
func (b *bench) role(name string, args ...string) process.Command {
	return process.Command{Path: b.self, Args: append([]string{roleWord, name}, args...), Env: b.env}
}

// with returns the command with a variable in its environment.
func with(c process.Command, variable string) process.Command {
	c.Env = append(slices.Clip(c.Env), variable)
	return c
}

// stage is the set of processes of one measurement.
type stage struct{ processes []*process.Process }

// start starts a program and returns it with its first line for which ready returns
// true.
func (s *stage) start(ctx context.Context, c process.Command, ready func(line string) (where string, ok bool)) (*process.Process, string, error) {
	p, err := process.Start(ctx, c)
	if err != nil {
		return nil, "", err
	}
	s.processes = append(s.processes, p)
	for {
		line, err := p.Line(ctx)
		if err != nil {
			return nil, "", err
		}
		if where, ok := ready(line); ok {
			return p, where, nil
		}
	}
}

// stop ends all processes, the last one first, and returns the errors of those that
// failed. It may be called again.
func (s *stage) stop() error {
	var errs []error
	for _, p := range slices.Backward(s.processes) {
		errs = append(errs, p.Stop())
	}
	s.processes = nil
	return errors.Join(errs...)
}
