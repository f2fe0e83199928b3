package process_test

import (
	"context"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed-649d3d38/heddle/bench/process"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shell starts a shell with the script.
func shell(t *testing.T, script string) *process.Process {
	t.Helper()
	p, err := process.Start(t.Context(), process.Command{Path: "/bin/sh", Args: []string{"-c", script}, Env: []string{"WORD=heddle"}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAConversation(t *testing.T) {
	t.Parallel()
	p := shell(t, `trap 'exit 0' TERM; echo "$WORD"; while read -r line; do echo "got $line" >&2; done`)
	line, err := p.Line(t.Context())
	if err != nil || line != "heddle" {
		t.Fatalf("first line %q, %v", line, err)
	}
	if err := p.Send([]byte("this\n")); err != nil {
		t.Fatal(err)
	}
	if line, err = p.Line(t.Context()); err != nil || line != "got this" {
		t.Errorf("answer %q, %v", line, err)
	}
	if err := p.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestAProgramThatFailsSaysWhy(t *testing.T) {
	t.Parallel()
	p := shell(t, `echo "no room" >&2; exit 3`)
	if line, err := p.Line(t.Context()); err != nil || line != "no room" {
		t.Fatalf("first line %q, %v", line, err)
	}
	_, err := p.Line(t.Context())
	if err == nil || !strings.Contains(err.Error(), "no room") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("the error lacks the cause: %v", err)
	}
	if err := p.Stop(); err != nil {
		t.Errorf("the failure is told twice: %v", err)
	}
}

func TestStopTellsOfAFailure(t *testing.T) {
	t.Parallel()
	p := shell(t, `trap 'echo "cannot save"; exit 4' TERM; echo ready; while read -r _; do :; done`)
	if _, err := p.Line(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(); err == nil || !strings.Contains(err.Error(), "cannot save") || !strings.Contains(err.Error(), "exit status 4") {
		t.Errorf("the error lacks the cause: %v", err)
	}
}

// TestOutputThatNobodyReads writes more than pipes hold; the program ends all the same.
func TestOutputThatNobodyReads(t *testing.T) {
	t.Parallel()
	p := shell(t, `i=0; while [ $i -lt 4000 ]; do echo "a line of output that is some fifty characters long"; i=$((i+1)); done; read -r _`)
	for range 2 {
		if _, err := p.Line(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Send([]byte("end\n")); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := p.Line(t.Context()); err != nil {
			break
		}
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
}

func TestALineIsNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	p := shell(t, `trap 'exit 0' TERM; echo ready; while read -r _; do :; done`)
	if _, err := p.Line(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Line(ctx); err == nil {
		t.Error("a line came from nowhere")
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
}
