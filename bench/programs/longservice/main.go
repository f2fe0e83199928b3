// Command longservice hosts the operation with long results.
//
//	longservice URL
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/bench/longtext"
	"github.com/seed-649d3d38/heddle/host"
)

// drainTime is how long readers have at the end.
const drainTime = 5 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "use: longservice URL")
		os.Exit(2)
	}
	if err := run(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "longservice:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url string) error {
	nc, err := nats.Connect(url)
	if err != nil {
		return err
	}
	defer nc.Close()
	h, err := host.Start(ctx, nc, host.Config{Memory: 4 << 30}, longtext.Service())
	if err != nil {
		return err
	}
	fmt.Println("ready")
	<-ctx.Done()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	return h.Drain(drain)
}
