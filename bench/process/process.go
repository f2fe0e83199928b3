// Package process runs the programs that are measured: it starts them, reads their
// output by lines, looks at what they use and ends them by their process id. It knows
// nothing of what they do.
//
//	p, err := process.Start(ctx, process.Command{Path: path, Args: args, Env: env})
//	if err != nil {
//		return err
//	}
//	defer p.Stop()
//	line, err := p.Line(ctx)
package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// patience is how long a program may take to end after SIGTERM before it is killed.
	patience = 10 * time.Second

	// keptLines is how many lines wait to be read, and how many of the last ones are
	// shown when the program fails.
	keptLines = 64

	// longestLine is the longest line of output in bytes that can be read.
	longestLine = 1 << 20
)

// Command is a program to start.
type Command struct {
	// Path is the program's file.
	Path string
	// Args are its arguments, without its own name.
	Args []string
	// Env is all of its environment.
	Env []string
}

// Process is a running program. Its methods are for one goroutine.
type Process struct {
	name   string
	cmd    *exec.Cmd
	cancel context.CancelFunc
	stdin  io.WriteCloser
	lines  chan string // closed at the end of the output

	running sync.WaitGroup // what waits for the program and reads its output
	last    []string       // of its output, to be read after running
	told    bool           // the program's failure has been returned
}

// Start starts a program, which the caller ends with [Process.Stop]. The end of ctx
// does not end it: programs that need each other are stopped one after the other.
func Start(ctx context.Context, c Command) (*Process, error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(c.Path), context.Cause(ctx))
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p := &Process{
		name:   filepath.Base(c.Path),
		cmd:    exec.CommandContext(ctx, c.Path, c.Args...),
		cancel: cancel,
		lines:  make(chan string, keptLines),
	}
	p.cmd.Env = c.Env
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = patience
	output, input := io.Pipe()
	p.cmd.Stdout, p.cmd.Stderr = input, input
	stdin, err := p.cmd.StdinPipe()
	if err == nil {
		p.stdin, err = stdin, p.cmd.Start()
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	p.running.Go(func() { p.read(output) })
	p.running.Go(func() {
		_ = p.cmd.Wait() // Stop looks at how the program ended
		_ = input.Close()
	})
	return p, nil
}

// read takes all output until its end, so that the program never waits for a reader.
// Lines nobody asked for are dropped: there is one line for each request, and what a
// program says beyond that is for people.
func (p *Process) read(output io.Reader) {
	defer close(p.lines)
	scanner := bufio.NewScanner(output)
	scanner.Buffer(nil, longestLine)
	for scanner.Scan() {
		line := scanner.Text()
		p.last = append(p.last[max(0, len(p.last)-keptLines+1):], line)
		select {
		case p.lines <- line:
		default:
		}
	}
	_, _ = io.Copy(io.Discard, output) // what follows a line that is too long
}

// Line returns the next line of the program's output, standard output and error
// alike. It returns an error with the last lines when the program has ended.
func (p *Process) Line(ctx context.Context) (string, error) {
	select {
	case line, ok := <-p.lines:
		if ok {
			return line, nil
		}
		return "", errors.Join(fmt.Errorf("%s ended early", p.name), p.Stop())
	case <-ctx.Done():
		return "", fmt.Errorf("wait for %s: %w", p.name, context.Cause(ctx))
	}
}

// Send writes to the program's standard input.
func (p *Process) Send(b []byte) error {
	if _, err := p.stdin.Write(b); err != nil {
		return fmt.Errorf("send to %s: %w", p.name, err)
	}
	return nil
}

// Usage returns what the program uses now. It fails where there is no /proc, that is,
// elsewhere than on Linux.
func (p *Process) Usage() (Usage, error) {
	u, err := readUsage(p.cmd.Process.Pid)
	if err != nil {
		return Usage{}, fmt.Errorf("usage of %s: %w", p.name, err)
	}
	return u, nil
}

// Kill ends the program at once, with SIGKILL, and returns when that was. It waits until the
// program has ended.
func (p *Process) Kill() (time.Time, error) {
	at := time.Now()
	if err := p.cmd.Process.Kill(); err != nil {
		return at, fmt.Errorf("kill %s: %w", p.name, err)
	}
	p.running.Wait()
	p.told = true
	return at, nil
}

// Stop ends the program and waits until it has ended. It returns an error with the
// last lines of its output unless the program reports success; the error is returned
// once, by [Process.Line] if that met it first.
func (p *Process) Stop() error {
	p.cancel()
	p.running.Wait()
	if p.told || p.cmd.ProcessState.Success() {
		return nil
	}
	p.told = true
	return fmt.Errorf("%s: %v; it said:\n%s", p.name, p.cmd.ProcessState, strings.Join(p.last, "\n"))
}
