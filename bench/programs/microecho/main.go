// Command microecho is the service that Heddle's kit is measured against: an echo
// written by hand with the micro package of nats.go. It reads the request's JSON, as
// any service must, and sends the same bytes back, or, as --encode asks, a result that
// it encodes.
//
//	microecho [--encode] URL SUBJECT
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
)

// body is the request and the result.
type body struct {
	N string `json:"n"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	encode := flag.Bool("encode", false, "Encode a result instead of sending the request back.")
	flag.Parse()
	handler := echo
	if *encode {
		handler = echoEncoded
	}
	if err := run(ctx, flag.Arg(0), flag.Arg(1), handler); err != nil {
		fmt.Fprintln(os.Stderr, "microecho:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url, subject string, handler micro.HandlerFunc) error {
	nc, err := nats.Connect(url)
	if err != nil {
		return err
	}
	defer nc.Close()
	service, err := micro.AddService(nc, micro.Config{Name: "echo", Version: "1.0.0"})
	if err != nil {
		return err
	}
	if err := service.AddEndpoint("echo", handler, micro.WithEndpointSubject(subject)); err != nil {
		return err
	}
	if err := nc.Flush(); err != nil {
		return err
	}
	fmt.Println("ready")
	<-ctx.Done()
	return service.Stop()
}

func echo(r micro.Request) {
	var b body
	if err := json.Unmarshal(r.Data(), &b); err != nil {
		_ = r.Error("400", err.Error(), nil)
		return
	}
	_ = r.Respond(r.Data())
}

func echoEncoded(r micro.Request) {
	var b body
	if err := json.Unmarshal(r.Data(), &b); err != nil {
		_ = r.Error("400", err.Error(), nil)
		return
	}
	_ = r.RespondJSON(b)
}
