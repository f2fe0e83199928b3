// Command microwork does work as a plain micro service: one request after the other, and
// the broker gives the requests to the instances at random.
//
//	microwork URL SUBJECT
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/seed-649d3d38/heddle/bench/work"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "use: microwork URL SUBJECT")
		os.Exit(2)
	}
	if err := run(ctx, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "microwork:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url, subject string) error {
	nc, err := nats.Connect(url)
	if err != nil {
		return err
	}
	defer nc.Close()
	service, err := micro.AddService(nc, micro.Config{Name: "work", Version: "1.0.0"})
	if err != nil {
		return err
	}
	handler := func(r micro.Request) {
		var request work.Request
		result, err := work.Result{}, json.Unmarshal(r.Data(), &request)
		if err == nil {
			result, err = work.Do(ctx, request)
		}
		if err != nil {
			_ = r.Error("500", err.Error(), nil)
			return
		}
		_ = r.RespondJSON(result)
	}
	if err := service.AddEndpoint("do", micro.HandlerFunc(handler), micro.WithEndpointSubject(subject)); err != nil {
		return err
	}
	if err := nc.Flush(); err != nil {
		return err
	}
	fmt.Println("ready")
	<-ctx.Done()
	return service.Stop()
}
