package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/seed-649d3d38/heddle/bench/figure"
	"github.com/seed-649d3d38/heddle/bench/process"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/decimal"
)

// The goals of large results: how much longer a term takes over REST than in the same
// process, and the largest memory of the service in bytes for each digit of the largest
// term.
var (
	largeTime   = figure.Goal{Order: figure.AtMost, Must: 3, Aim: 1.5}
	largeMemory = figure.Goal{Order: figure.AtMost, Must: 14}
	largeIdle   = figure.Goal{Order: figure.AtMost, Must: 30}
)

// largeTerms are the indices of the terms.
var largeTerms = []int64{1_000_000, 10_000_000, 100_000_000}

// largeRest is how long the service rests before its memory is read again: more than it
// waits until it gives memory back.
const largeRest = 30 * time.Second

// large compares terms as text over REST with the same computed and written out here.
func (b *bench) large(ctx context.Context) (err error) {
	var s stage
	defer func() { err = errors.Join(err, s.stop()) }()
	_, url, err := s.start(ctx, b.role("broker"), saysReady)
	if err != nil {
		return err
	}
	service, _, err := s.start(ctx, b.program("fibonacci", "--server", url, "--log-format", "json"), logsReady)
	if err != nil {
		return err
	}
	_, address, err := s.start(ctx, b.program("gateway", "--server", url, "--http", anyPort, "--log-format", "json"), logsReady)
	if err != nil {
		return err
	}
	rows := make([]*largeRow, len(largeTerms))
	for i, n := range largeTerms {
		rows[i] = &largeRow{n: n, address: address}
		if err := rows[i].measure(ctx, b.extent.largeRounds); err != nil {
			return fmt.Errorf("F(%d): %w", n, err)
		}
	}
	memory, err := readLargeMemory(ctx, service, b.extent.rest)
	if err != nil {
		return err
	}
	return errors.Join(b.printLarge(rows, memory), s.stop())
}

// largeRow is one term and the times in milliseconds it took, over REST and here.
type largeRow struct {
	n          int64
	address    string
	digits     int
	text       []byte // of the term computed here
	rest, here figure.Series
}

// measure takes both times in turn. The first round builds tables and touches memory, and
// does not count.
func (r *largeRow) measure(ctx context.Context, rounds int) error {
	for round := range rounds + 1 {
		here, err := r.compute(ctx)
		if err != nil {
			return err
		}
		rest, err := r.fetch(ctx)
		if err != nil {
			return err
		}
		if round > 0 {
			r.here, r.rest = append(r.here, here), append(r.rest, rest)
		}
	}
	r.text = nil
	return nil
}

func (r *largeRow) compute(ctx context.Context) (float64, error) {
	begun := time.Now()
	x, err := decimal.Fibonacci(ctx, r.n)
	if err != nil {
		return 0, err
	}
	r.text = x.AppendDecimal(r.text[:0])
	r.digits = len(r.text)
	return since(begun), nil
}

// fetch reads the term over REST and compares every byte.
func (r *largeRow) fetch(ctx context.Context) (float64, error) {
	target := "http://" + r.address + contract.FibonacciTerm.Route() + "?n=" + strconv.FormatInt(r.n, 10)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Accept", contract.MediaText)
	begun := time.Now()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("status %d", response.StatusCode)
	}
	got := make([]byte, 256<<10)
	at := 0
	for {
		n, err := response.Body.Read(got)
		if at+n > len(r.text) || string(got[:n]) != string(r.text[at:at+n]) {
			return 0, fmt.Errorf("the result differs from byte %d to %d on", at, at+n)
		}
		at += n
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, err
		}
	}
	took := since(begun)
	if at != len(r.text) {
		return 0, fmt.Errorf("%d bytes, want %d", at, len(r.text))
	}
	return took, nil
}

// largeUse is the memory of the service in bytes: at its peak, and after some rest.
type largeUse struct{ peak, rested int64 }

func readLargeMemory(ctx context.Context, service *process.Process, rest time.Duration) (largeUse, error) {
	select {
	case <-time.After(rest):
	case <-ctx.Done():
		return largeUse{}, context.Cause(ctx)
	}
	u, err := service.Usage()
	return largeUse{u.Peak, u.Resident}, err
}

func (b *bench) printLarge(rows []*largeRow, memory largeUse) error {
	if err := b.printf("large: F(n) as text over REST, and computed and written out in one process, %d rounds\n\n", b.extent.largeRounds); err != nil {
		return err
	}
	t := figure.NewTable("n", "digits", "REST ms", "min–max", "one process ms", "min–max", "ratio", "min–max")
	var goals figure.Goals
	for _, r := range rows {
		ratio := r.rest.Over(r.here)
		t.Add(strconv.FormatInt(r.n, 10), strconv.Itoa(r.digits),
			figure.Number(r.rest.Median(), 1), r.rest.Spread(1), figure.Number(r.here.Median(), 1), r.here.Spread(1),
			figure.Number(ratio.Median(), 2), ratio.Spread(2))
		goal := largeTime
		if r.n < largeTerms[len(largeTerms)-1] {
			goal.Aim = 0 // the aim is for the largest
		}
		goals.Add(fmt.Sprintf("F(%d) over REST / in one process", r.n), ratio, goal, 2)
	}
	if err := t.Print(b.out); err != nil {
		return err
	}
	perDigit := float64(memory.peak) / float64(rows[len(rows)-1].digits)
	goals.Add("fibonacci: bytes at the peak for each digit of the largest term", figure.Series{perDigit}, largeMemory, 1)
	goals.Add(fmt.Sprintf("fibonacci: MB resident %v later", b.extent.rest), figure.Series{megabytes(memory.rested)}, largeIdle, 1)
	return goals.Print(b.out)
}
