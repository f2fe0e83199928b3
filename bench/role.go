package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/bench/load"
	"github.com/seed-649d3d38/heddle/bench/process"
	"github.com/seed-649d3d38/heddle/internal/broker"
)

// roleWord is the hidden subcommand with which the program starts itself: the broker
// and the load are processes of their own, as they are in life.
const roleWord = "role"

// play plays one role until ctx or the input ends.
func play(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	switch {
	case len(args) == 1 && args[0] == "broker":
		return playBroker(ctx, broker.Config{Listen: anyPort}, in, out)
	case len(args) == 2 && args[0] == "broker":
		return playBroker(ctx, broker.Config{Listen: anyPort, Dir: args[1]}, in, out)
	case len(args) == 1 && args[0] == "http-load":
		return playLoad(ctx, in, out, load.HTTP)
	case len(args) == 1 && args[0] == "batches":
		return playLoad(ctx, in, out, load.Batches)
	case len(args) == 2 && args[0] == "nats-requests":
		return playClient(ctx, args[1], in, out, load.Requests)
	case len(args) == 2 && args[0] == "nats-pipeline":
		return playClient(ctx, args[1], in, out, load.Pipeline)
	case len(args) == 2 && args[0] == "nats-burst":
		return playClient(ctx, args[1], in, out, load.Send)
	case len(args) == 2 && args[0] == "jobs-submit":
		return playClient(ctx, args[1], in, out, load.SubmitJobs)
	case len(args) == 2 && args[0] == "jobs-wait":
		return playClient(ctx, args[1], in, out, load.WaitJobs)
	case len(args) == 2 && args[0] == "jobs-hear":
		return playClient(ctx, args[1], in, out, load.HearJobs)
	case len(args) == 2 && args[0] == "jobs-pile":
		return playClient(ctx, args[1], in, out, load.PileJobs)
	case len(args) == 2 && args[0] == "jobs-fair":
		return playClient(ctx, args[1], in, out, load.FairJobs)
	case len(args) == 2 && args[0] == "jobs-await":
		return playClient(ctx, args[1], in, out, load.AwaitJobs)
	case len(args) == 1 && args[0] == "asynq-submit":
		return playLoad(ctx, in, out, load.SubmitTasks)
	case len(args) == 1 && args[0] == "river-submit":
		return playLoad(ctx, in, out, load.SubmitRiver)
	case len(args) == 2 && args[0] == "asynq-burst":
		return playLoad(ctx, in, out, func(ctx context.Context, b load.Burst) (load.Outcome, error) {
			return load.Enqueue(ctx, args[1], b)
		})
	default:
		return fmt.Errorf("there is no role %q", args)
	}
}

// playClient makes runs over one connection to the broker.
func playClient[R, O any](ctx context.Context, url string, in io.Reader, out io.Writer, send func(context.Context, *nats.Conn, R) (O, error)) error {
	nc, err := nats.Connect(url)
	if err != nil {
		return err
	}
	defer nc.Close()
	return playLoad(ctx, in, out, func(ctx context.Context, run R) (O, error) {
		return send(ctx, nc, run)
	})
}

// anyPort lets the system choose the port.
const anyPort = "127.0.0.1:0"

// playBroker runs the broker that is embedded in heddle. At each line it collects garbage,
// gives the system back what is free, and says so.
func playBroker(ctx context.Context, cfg broker.Config, in io.Reader, out io.Writer) error {
	b, err := broker.Start(ctx, cfg)
	if err != nil {
		return err
	}
	defer b.Shutdown()
	if _, err := fmt.Fprintln(out, readyWord, b.URL()); err != nil {
		return err
	}
	// The end of ctx does not end a read. The goroutine ends with the program or its input.
	go func() {
		for lines := bufio.NewScanner(in); lines.Scan(); {
			debug.FreeOSMemory()
			fmt.Fprintln(out, freedWord)
		}
	}()
	<-ctx.Done()
	return nil
}

// freedWord is the line with which a broker says that it has collected its garbage.
const freedWord = "freed"

// playLoad makes one run after the other: a JSON line in, a JSON line out.
func playLoad[R, O any](ctx context.Context, in io.Reader, out io.Writer, send func(context.Context, R) (O, error)) error {
	if _, err := fmt.Fprintln(out, readyWord); err != nil {
		return err
	}
	// The end of ctx does not end a read, the end of the input does.
	runs := make(chan R)
	ended := make(chan error, 1)
	go func() {
		defer close(runs)
		ended <- readRuns(ctx, in, runs)
	}()
	encoder := json.NewEncoder(out)
	for {
		select {
		case <-ctx.Done():
			return nil
		case run, ok := <-runs:
			if !ok {
				return <-ended
			}
			result, err := send(ctx, run)
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				return err
			}
			if err := encoder.Encode(result); err != nil {
				return err
			}
		}
	}
}

// readRuns passes on the runs that are asked for until the input or ctx ends.
func readRuns[R any](ctx context.Context, in io.Reader, runs chan<- R) error {
	decoder := json.NewDecoder(in)
	for {
		var run R
		if err := decoder.Decode(&run); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("read run: %w", err)
		}
		select {
		case runs <- run:
		case <-ctx.Done():
			return nil
		}
	}
}

// order has a process in the role of a load make a run.
func order(ctx context.Context, p *process.Process, run load.Run) (load.Result, error) {
	return orderAny[load.Result](ctx, p, run)
}

// orderBurst has a process in the role of a load send a burst.
func orderBurst(ctx context.Context, p *process.Process, burst load.Burst) (load.Outcome, error) {
	return orderAny[load.Outcome](ctx, p, burst)
}

func orderAny[O any](ctx context.Context, p *process.Process, run any) (o O, err error) {
	line, err := json.Marshal(run)
	if err != nil {
		return o, err
	}
	if err := p.Send(append(line, '\n')); err != nil {
		return o, err
	}
	answer, err := p.Line(ctx)
	if err != nil {
		return o, err
	}
	if err := json.Unmarshal([]byte(answer), &o); err != nil {
		return o, fmt.Errorf("the load says %q", answer)
	}
	return o, nil
}
