package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/seed-649d3d38/heddle/bench/figure"
	"github.com/seed-649d3d38/heddle/bench/process"
	"github.com/seed-649d3d38/heddle/contract"
)

// startGoal is for the time in milliseconds from the start of "heddle up" to ready.
var startGoal = figure.Goal{Order: figure.AtMost, Must: 500}

// readyPatience is how long a program may take to get ready before that is an error.
const readyPatience = 30 * time.Second

// start times the starts of programs, then reads the memory of idle ones.
func (b *bench) start(ctx context.Context) error {
	var starts suiteStarts
	var version, bare figure.Series
	for range b.extent.starts {
		took, err := b.timeVersion(ctx)
		if err != nil {
			return err
		}
		version = append(version, took)
		if took, err = b.timeBroker(ctx); err != nil {
			return err
		}
		bare = append(bare, took)
		if err := b.timeSuite(ctx, &starts); err != nil {
			return err
		}
	}
	if err := b.printStarts(version, bare, starts); err != nil {
		return err
	}
	return b.idle(ctx)
}

// suiteStarts are times in milliseconds since the start of "heddle up".
type suiteStarts struct{ banner, ready, answer figure.Series }

// timeVersion times the least a program of Heddle's size does: start, print its
// version, end.
func (b *bench) timeVersion(ctx context.Context) (float64, error) {
	begun := time.Now()
	_, err := command(ctx, b.dir, b.program("heddle").Path, "version")
	return since(begun), err
}

// timeBroker times the start of the embedded broker alone.
func (b *bench) timeBroker(ctx context.Context) (_ float64, err error) {
	dir, err := os.MkdirTemp(b.dir, "data-")
	if err != nil {
		return 0, err
	}
	var s stage
	defer func() { err = errors.Join(err, s.stop()) }()
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	begun := time.Now()
	_, _, err = s.start(ctx, b.role("broker", dir), saysReady)
	return since(begun), err
}

// timeSuite times the start of all of Heddle in one process, on an empty data folder.
func (b *bench) timeSuite(ctx context.Context, times *suiteStarts) (err error) {
	dir, err := os.MkdirTemp(b.dir, "data-")
	if err != nil {
		return err
	}
	var s stage
	defer func() { err = errors.Join(err, s.stop()) }()
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	begun := time.Now()
	p, address, err := s.start(ctx, b.program("heddle", "up", "--data", dir, "--http", anyPort, "--nats", anyPort, "--admin", anyPort), banner("HTTP"))
	if err != nil {
		return err
	}
	times.banner = append(times.banner, since(begun))
	admin, err := nextLine(ctx, p, banner("Admin"))
	if err != nil {
		return err
	}
	if err := awaitReady(ctx, "http://"+admin+"/readyz"); err != nil {
		return err
	}
	times.ready = append(times.ready, since(begun))
	if err := call(ctx, address, contract.FibonacciTerm.Route(), requestBody); err != nil {
		return err
	}
	times.answer = append(times.answer, since(begun))
	return nil
}

func since(begun time.Time) float64 { return milliseconds(time.Since(begun)) }

// nextLine returns the value of the next line that has one.
func nextLine(ctx context.Context, p *process.Process, read func(string) (string, bool)) (string, error) {
	for {
		line, err := p.Line(ctx)
		if err != nil {
			return "", err
		}
		if value, ok := read(line); ok {
			return value, nil
		}
	}
}

// readyPause is the time between two looks at a readiness probe.
const readyPause = time.Millisecond

// awaitReady asks a readiness probe until it says yes.
func awaitReady(ctx context.Context, url string) error {
	for {
		status, body, err := fetch(ctx, http.MethodGet, url, "")
		if err != nil || status == http.StatusOK {
			return err
		}
		select {
		case <-time.After(readyPause):
		case <-ctx.Done():
			return fmt.Errorf("%s still says %s", url, body)
		}
	}
}

// call sends one request to a gateway and requires a result.
func call(ctx context.Context, address, path, request string) error {
	status, body, err := fetch(ctx, http.MethodPost, "http://"+address+path, request)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("POST %s: status %d: %s", path, status, body)
	}
	return err
}

func fetch(ctx context.Context, method, url, body string) (status int, answer []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Content-Type", contract.MediaJSON)
	r.Close = true // the program is stopped soon
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

func (b *bench) printStarts(version, broker figure.Series, starts suiteStarts) error {
	if err := b.printf("start: milliseconds since the start of the process, %d starts of each, empty data folder\n\n", b.extent.starts); err != nil {
		return err
	}
	t := figure.NewTable("program", "median", "min–max")
	for _, row := range []struct {
		name   string
		series figure.Series
	}{
		{"heddle version, to its end", version},
		{"embedded broker alone, to listening", broker},
		{"heddle up, to the banner", starts.banner},
		{"heddle up, to /readyz", starts.ready},
		{"heddle up, to the first answer over REST", starts.answer},
	} {
		t.Add(row.name, figure.Number(row.series.Median(), 0), row.series.Spread(0))
	}
	if err := t.Print(b.out); err != nil {
		return err
	}
	var goals figure.Goals
	goals.Add("heddle up: ms to /readyz", starts.ready, startGoal, 0)
	goals.Add("heddle up: ms to the first answer", starts.answer, startGoal, 0)
	return goals.Print(b.out)
}
