package bus_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/broker"
	"github.com/seed-649d3d38/heddle/internal/bus"
)

func ExampleRequester() {
	ctx := context.Background()
	b, err := broker.Start(ctx, broker.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Shutdown()
	nc, err := bus.Connect(ctx, "example", bus.Options{}, slog.New(slog.DiscardHandler), b.InProcess())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer nc.Close()
	r, err := bus.NewRequester(nc)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()

	_, err = r.Do(ctx, &nats.Msg{Subject: "greet", Data: []byte("weaver")}, time.Second)
	fmt.Println(errors.Is(err, contract.CodeUnavailable), errors.Is(err, nats.ErrNoResponders))

	if _, err := nc.Subscribe("greet", func(m *nats.Msg) {
		_ = m.Respond(append([]byte("hello, "), m.Data...))
	}); err != nil {
		fmt.Println(err)
		return
	}
	reply, err := r.Do(ctx, &nats.Msg{Subject: "greet", Data: []byte("weaver")}, time.Second)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(reply.Data))
	// Output:
	// true true
	// hello, weaver
}
