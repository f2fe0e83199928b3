package main_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/seed-649d3d38/heddle/internal/booktest"
)

// TestBook runs the commands of docs/book.md that need a running suite and compares what
// they print. Those of the examples are run by the tests of the examples.
func TestBook(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "book.txtar")
	write(t, file, `start suite heddle up --http 127.0.0.1:0 --nats 127.0.0.1:0 --admin 127.0.0.1:0 --data $WORK/data
show
end suite
`)
	commands := booktest.Read(t, filepath.Join("docs", "book.md"))
	testscript.Run(t, testscript.Params{
		Files:               []string{file},
		RequireExplicitExec: true,
		Setup:               func(env *testscript.Env) error { return setup(env, bin) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start": start, "end": end,
			"show": func(ts *testscript.TestScript, _ bool, _ []string) {
				for _, c := range commands {
					if c.Words[0] == "go" {
						continue
					}
					got, err := try(t.Context(), ts, c.Words)
					if err != nil || !c.Matches(got) {
						t.Errorf("%q prints, with the error %v,\n%s\nand the page says\n%s", c.Words, err, got, c.Output)
					}
				}
			},
		},
	})
}

// TestBookShowsExamples finds that the page and the folder have the same examples.
func TestBookShowsExamples(t *testing.T) {
	t.Parallel()
	var shown []string
	for _, c := range booktest.Read(t, filepath.Join("docs", "book.md")) {
		if name, ok := strings.CutPrefix(strings.Join(c.Words, " "), "go run ./examples/"); ok {
			name, _, _ = strings.Cut(name, " ")
			shown = append(shown, name)
		}
	}
	folders, err := os.ReadDir("examples")
	if err != nil {
		t.Fatal(err)
	}
	var there []string
	for _, f := range folders {
		there = append(there, f.Name())
	}
	slices.Sort(shown)
	if shown = slices.Compact(shown); !slices.Equal(shown, there) {
		t.Errorf("the page shows %q, and there are %q", shown, there)
	}
}

// try runs a command of the page and returns all that it prints. Curl and nats are done
// without, since a bare machine has neither.
func try(ctx context.Context, ts *testscript.TestScript, command []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	switch {
	case command[0] == "heddle":
		return execute(ctx, ts, command[1:])
	case len(command) == 3 && slices.Equal(command[:2], []string{"curl", "-s"}):
		return fetch(ctx, strings.Replace(command[2], "127.0.0.1:8080", ts.Getenv("HTTP"), 1))
	case len(command) == 5 && slices.Equal(command[:3], []string{"nats", "req", "--raw"}):
		return request(ctx, ts.Getenv("NATS"), command[3], command[4])
	}
	return "", errors.New("the test does not know how to run this")
}

// execute runs heddle. How it ends does not matter, what it prints does.
func execute(ctx context.Context, ts *testscript.TestScript, args []string) (string, error) {
	c := exec.CommandContext(ctx, filepath.Join(bin, "heddle"), args...)
	c.Env = append(os.Environ(), "HOME="+ts.Getenv("HOME"), "NATS_URL="+ts.Getenv("NATS"))
	output, err := c.CombinedOutput()
	if _, ended := errors.AsType[*exec.ExitError](err); ended {
		err = ctx.Err()
	}
	return string(output), err
}

func fetch(ctx context.Context, address string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return fmt.Sprintf("%s\n", body), err
}

func request(ctx context.Context, server, subject, body string) (string, error) {
	nc, err := nats.Connect(server)
	if err != nil {
		return "", err
	}
	defer nc.Close()
	reply, err := nc.RequestWithContext(ctx, subject, []byte(body))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s\n", reply.Data), nil
}
