// Command pipe hands messages from one program to another, over a broker.
//
//	go run ./examples/pipe hello "and good bye"
//
//	go run ./examples/pipe -server nats://127.0.0.1:4222 -write hello "and good bye"
//	go run ./examples/pipe -server nats://127.0.0.1:4222 -read
//
// It answers two programs of the book: the pipe between two processes, which carries one
// number and has no end and no errors, and the named pipe between unrelated ones, whose
// reader takes 22 bytes whatever was written, and which leaves a file behind. Here a
// subject takes the place of the file name, any number of messages of any size up to
// the limit of a reply arrive whole and in order, the end is marked, and a reader whose
// writer is gone hears of it at once.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/daemon"
	"github.com/seed-649d3d38/heddle/local"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	args := os.Args[1:]
	if len(args) == 0 { // something to look at
		args = []string{"hello", "and good bye"}
	}
	if err := run(ctx, args, os.Getenv("NATS_URL"), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "pipe:", err)
		os.Exit(1)
	}
}

// run is the program without the process around it.
func run(ctx context.Context, args []string, server string, out io.Writer) error {
	flags := flag.NewFlagSet("pipe", flag.ExitOnError)
	broker := flags.String("server", server, "broker to use instead of one in this process")
	onlyWrite := flags.Bool("write", false, "write only, until a reader has come to the end")
	onlyRead := flags.Bool("read", false, "read only")
	_ = flags.Parse(args) // exits instead
	if (*onlyRead || *onlyWrite) && *broker == "" {
		return errors.New("two programs need a broker to meet: name it with -server")
	}
	w := newWriter(flags.Args())
	cfg := local.Config{Server: *broker, Services: daemon.Fixed(w.service())}
	if *onlyRead {
		cfg.Services = nil
	}
	return local.Run(ctx, cfg, func(ctx context.Context, nc *nats.Conn) error {
		if !*onlyWrite {
			return read(ctx, &client.NATS{Conn: nc}, out)
		}
		fmt.Fprintln(out, "waiting for a reader")
		select {
		case <-w.finished:
			return nil
		case <-ctx.Done():
			return errors.New("no reader has come to the end")
		}
	})
}

// read prints the messages up to the end.
func read(ctx context.Context, c client.Caller, out io.Writer) error {
	for position := 0; ; position++ {
		m, err := client.Call(ctx, c, next, place{Position: position})
		switch {
		case err != nil:
			return fmt.Errorf("message %d: %w", position, err)
		case m.End:
			_, err := fmt.Fprintln(out, "the end, after", position, "messages")
			return err
		}
		fmt.Fprintf(out, "%d bytes from %s: %.40s\n", len(m.Text), m.Writer, m.Text)
	}
}
