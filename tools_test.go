//go:build tools

package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestStockCommand drives the suite with the stock nats command, as a direct publisher
// does. It needs the command, so it is not part of the tests that run everywhere.
func TestStockCommand(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Files:               []string{filepath.Join("testdata", "natscli.txtar")},
		RequireExplicitExec: true,
		Setup:               func(env *testscript.Env) error { return setup(env, bin) },
		Cmds:                commands,
	})
}

// TestPagesByHand runs the shell scripts of pages, to the letter.
func TestPagesByHand(t *testing.T) {
	t.Parallel()
	for page, c := range map[string]struct {
		scenario string
		scripts  []string
	}{
		"large-results.md": {"largeresult.txtar", []string{"read.sh"}},
		"jobs.md":          {"jobs.txtar", []string{"rest.sh", "publisher.sh", "schedules.sh", "operator.sh"}},
	} {
		text, err := os.ReadFile(filepath.Join("docs", page))
		if err != nil {
			t.Fatal(err)
		}
		testscript.Run(t, testscript.Params{
			Files:               []string{filepath.Join("testdata", c.scenario)},
			RequireExplicitExec: true,
			Setup: func(env *testscript.Env) error {
				for _, name := range c.scripts {
					if err := extract(string(text), name, env.WorkDir); err != nil {
						return err
					}
				}
				return setup(env, bin)
			},
			Cmds: commands,
		})
	}
}

// extract writes the script of a page into a folder.
func extract(page, name, dir string) error {
	_, after, _ := strings.Cut(page, "```sh "+name+"\n")
	script, _, found := strings.Cut(after, "```")
	if !found {
		return fmt.Errorf("the page has no %s", name)
	}
	return os.WriteFile(filepath.Join(dir, name), []byte(script), 0o644)
}

// TestBrowser opens the documentation in a headless browser, which must render it
// without reaching for any other host.
func TestBrowser(t *testing.T) {
	t.Parallel()
	browse := func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 1 {
			ts.Fatalf("usage: browse URL")
		}
		c := exec.CommandContext(t.Context(), "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
			"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic",
			"--user-data-dir="+ts.MkAbs("browser"), "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
			"--virtual-time-budget=10000", "--enable-logging=stderr", "--dump-dom", args[0])
		var page, log strings.Builder
		c.Stdout, c.Stderr = &page, &log
		ts.Check(c.Run())
		_, err := ts.Stdout().Write([]byte(page.String()))
		ts.Check(err)
		for line := range strings.Lines(log.String()) {
			if strings.Contains(line, "CONSOLE") && strings.Contains(line, "rror") || strings.Contains(line, "Content Security Policy") {
				ts.Fatalf("the page complains: %s", line)
			}
		}
	}
	testscript.Run(t, testscript.Params{
		Files:               []string{filepath.Join("testdata", "browser.txtar")},
		RequireExplicitExec: true,
		Setup:               func(env *testscript.Env) error { return setup(env, bin) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start": start, "end": end, "browse": browse,
		},
	})
}
