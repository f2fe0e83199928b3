package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/bus"
	"github.com/seed-649d3d38/heddle/internal/discovery"
)

// servicesCommand lists the instances that are running, of any project that speaks the
// service discovery of NATS.
type servicesCommand struct {
	Bus bus.Options `embed:""`
}

// Run implements the command.
func (c *servicesCommand) Run(ctx context.Context, s streams) error {
	nc, err := connectNow(ctx, c.Bus)
	if err != nil {
		return err
	}
	defer nc.Close()
	instances, err := discovery.Discover(ctx, nc)
	if err != nil {
		return err
	}
	if len(instances) == 0 {
		return contract.Errorf(contract.CodeUnavailable, "no service is running; start some with: heddle worker fibonacci sqrt crawler")
	}
	return printInstances(s.out, instances)
}

// printInstances prints one line for each operation of each instance, and an empty line
// between services.
func printInstances(out io.Writer, instances []discovery.Instance) error {
	rows := [][]string{{"SERVICE", "VERSION", "INSTANCE", "BUSY", "WAITING", "MEAN WAIT", "OPERATION", "REQUESTS", "ERRORS", "MEAN WORK"}}
	for n, i := range instances {
		if n > 0 && i.Service != instances[n-1].Service {
			rows = append(rows, nil)
		}
		about := append([]string{i.Service, i.Version, i.ID}, loadCells(i)...)
		for _, e := range i.Endpoints {
			if e.Requests == 0 && strings.HasSuffix(e.Name, contract.BatchName("")) {
				continue // every operation has one, and here it says nothing
			}
			rows = append(rows, append(about, e.Name, strconv.Itoa(e.Requests), strconv.Itoa(e.Errors), shortTime(e.AverageTime)))
			about = make([]string, len(about)) // once is enough
		}
	}
	return printColumns(out, rows, "SERVICE", "VERSION", "INSTANCE", "OPERATION")
}

// loadCells returns what an instance carries: slots in use, what waits and how long.
func loadCells(i discovery.Instance) []string {
	l, ok := i.Load()
	if !ok {
		return []string{"-", "-", "-"}
	}
	waiting := fmt.Sprintf("%d in lane", l.LaneDepth)
	if !l.Lane {
		waiting = fmt.Sprintf("%d here", l.Waiting)
	}
	return []string{fmt.Sprintf("%d of %d", l.Busy, l.Slots), waiting, shortTime(l.MeanWait())}
}

// shortTime writes a time with three digits or so, such as 12.3ms.
func shortTime(d time.Duration) string {
	step := time.Duration(1)
	for d/step >= 1000 {
		step *= 10
	}
	return d.Round(step).String()
}

// printColumns prints rows, the first of which names the columns. The named columns are
// aligned to the left, the others, which hold figures, to the right. An empty row is an
// empty line.
func printColumns(out io.Writer, rows [][]string, left ...string) error {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for c, cell := range row {
			widths[c] = max(widths[c], utf8.RuneCountInString(cell))
		}
	}
	var text strings.Builder
	for _, row := range rows {
		cells := make([]string, len(row))
		for c, cell := range row {
			space := strings.Repeat(" ", widths[c]-utf8.RuneCountInString(cell))
			if slices.Contains(left, rows[0][c]) {
				cells[c] = cell + space
			} else {
				cells[c] = space + cell
			}
		}
		text.WriteString(strings.TrimRight(strings.Join(cells, "  "), " ") + "\n")
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// connectPatience is how long a command that a person waits for tries to connect.
const connectPatience = 2 * time.Second

// connectNow connects to a broker that should be up already.
func connectNow(ctx context.Context, o bus.Options) (*nats.Conn, error) {
	ctx, stop := context.WithTimeout(ctx, connectPatience)
	defer stop()
	nc, err := bus.Connect(ctx, "heddle", o, slog.New(slog.DiscardHandler))
	return nc, noBroker(err)
}

// noBroker says what to do where no broker has answered in time.
func noBroker(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return contract.Errorf(contract.CodeUnavailable, "no broker answers; start one with: heddle up, or name yours with --server").WithCause(err)
	}
	return err
}
