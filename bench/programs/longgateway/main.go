// Command longgateway is Heddle's gateway for the operation with long results, which the
// gateway program does not know. It sets up package rest as that program does.
//
//	longgateway URL
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/bench/longtext"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/gateway/rest"
	"github.com/seed-649d3d38/heddle/internal/bus"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "use: longgateway URL")
		os.Exit(2)
	}
	debug.SetGCPercent(400)
	if err := run(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "longgateway:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url string) error {
	nc, err := nats.Connect(url)
	if err != nil {
		return err
	}
	defer nc.Close()
	bulk, err := nats.Connect(url)
	if err != nil {
		return err
	}
	defer bulk.Close()
	requester, err := bus.NewRequester(nc)
	if err != nil {
		return err
	}
	defer requester.Close()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	handler, err := rest.New(rest.Config{
		Endpoints: []contract.Descriptor{longtext.Endpoint.Descriptor()},
		Requester: requester, Conn: nc, Bulk: bulk, Log: log, LoopbackOnly: true,
	})
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := rest.NewServer(handler, log)
	context.AfterFunc(ctx, func() { _ = server.Close() })
	fmt.Println("ready", l.Addr())
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
