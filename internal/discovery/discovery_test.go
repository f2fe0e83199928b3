package discovery_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"go.uber.org/goleak"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/internal/discovery"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDiscover(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.StartIn(t, ""))
	ids := make(map[string]string)
	for _, name := range []string{"weave", "card", "weave"} {
		s := serve(t, nc, name)
		ids[s.Info().ID] = name
	}
	for range 3 {
		if _, err := nc.RequestWithContext(t.Context(), "test.card.run", nil); err != nil {
			t.Fatal(err)
		}
	}
	instances, err := discovery.Discover(t.Context(), nc)
	if err != nil {
		t.Fatal(err)
	}
	if len(instances) != 3 {
		t.Fatalf("found %d instances, want 3: %+v", len(instances), instances)
	}
	for n, want := range []string{"card", "weave", "weave"} {
		i := instances[n]
		if i.Service != want || ids[i.ID] != want {
			t.Errorf("instance %d is %s %s, want one of %s", n, i.Service, i.ID, want)
		}
		if i.Version != "1.2.3" || i.Description != "About "+want || i.Started.IsZero() {
			t.Errorf("%s: version %q, description %q, started %v", want, i.Version, i.Description, i.Started)
		}
		if len(i.Endpoints) != 1 {
			t.Fatalf("%s has %d endpoints, want 1", want, len(i.Endpoints))
		}
	}
	e := instances[0].Endpoints[0]
	if e.Name != "run" || e.Subject != "test.card.run" || e.Requests != 3 || e.Errors != 1 || e.LastError != "400:odd" || e.AverageTime <= 0 {
		t.Errorf("endpoint is %+v", e)
	}
	if string(e.Data) != `{"slots":4}` {
		t.Errorf("data is %s", e.Data)
	}
	if l, ok := instances[0].Load(); !ok || l != (discovery.Load{Slots: 4}) {
		t.Errorf("load is %+v, %v", l, ok)
	}
	if instances[0].ID == instances[1].ID || instances[1].ID >= instances[2].ID {
		t.Errorf("instances are not ordered by id: %+v", instances)
	}
}

// serve adds a service of one endpoint, whose third request fails.
func serve(t *testing.T, nc *nats.Conn, name string) micro.Service {
	t.Helper()
	served := 0
	s, err := micro.AddService(nc, micro.Config{
		Name: name, Version: "1.2.3", Description: "About " + name,
		StatsHandler: func(*micro.Endpoint) any { return map[string]int{"slots": 4} },
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.AddEndpoint("run", micro.HandlerFunc(func(r micro.Request) {
		if served++; served == 3 {
			_ = r.Error("400", "odd", nil)
			return
		}
		_ = r.Respond([]byte("{}"))
	}), micro.WithEndpointSubject("test."+name+".run"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	return s
}

func TestDiscoverNothing(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.StartIn(t, ""))
	instances, err := discovery.Discover(t.Context(), nc)
	if err != nil || instances == nil || len(instances) != 0 {
		t.Errorf("Discover() = %v, %v; want an empty list", instances, err)
	}
}

// TestDiscoverStrangers answers with what is no ADR-32 answer.
func TestDiscoverStrangers(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.StartIn(t, ""))
	good, err := json.Marshal(micro.Info{
		ServiceIdentity: micro.ServiceIdentity{Name: "card", ID: "C1", Version: "1.0.0"},
		Type:            micro.InfoResponseType,
	})
	if err != nil {
		t.Fatal(err)
	}
	answers := []string{"", "not JSON", "[]", `{"id":"X"}`, `{"id":"Y","type":"io.nats.micro.v1.ping_response"}`, `{"type":"io.nats.micro.v1.info_response"}`, string(good)}
	if _, err := nc.Subscribe("$SRV.INFO", func(m *nats.Msg) {
		for _, a := range answers {
			_ = m.Respond([]byte(a))
		}
	}); err != nil {
		t.Fatal(err)
	}
	// STATS is answered too, so that its missing listeners do not end the search.
	if _, err := nc.Subscribe("$SRV.STATS", func(m *nats.Msg) { _ = m.Respond(nil) }); err != nil {
		t.Fatal(err)
	}
	instances, err := discovery.Discover(t.Context(), nc)
	if err != nil || len(instances) != 1 || instances[0].ID != "C1" {
		t.Errorf("Discover() = %+v, %v; want C1 alone", instances, err)
	}
}

func TestDiscoverUnavailable(t *testing.T) {
	t.Parallel()
	b := brokertest.StartIn(t, "")
	t.Run("closed", func(t *testing.T) {
		t.Parallel()
		nc := brokertest.Connect(t, b)
		nc.Close()
		refused(t, nc)
	})
	t.Run("silent", func(t *testing.T) {
		t.Parallel()
		nc := brokertest.Connect(t, b)
		if _, err := nc.Subscribe("$SRV.*", func(*nats.Msg) {}); err != nil {
			t.Fatal(err)
		}
		refused(t, nc)
	})
	t.Run("canceled", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		nc := brokertest.Connect(t, b)
		if _, err := discovery.Discover(ctx, nc); err == nil {
			t.Error("Discover() with a canceled context succeeded")
		}
	})
}

func refused(t *testing.T, nc *nats.Conn) {
	t.Helper()
	_, err := discovery.Discover(t.Context(), nc)
	e, ok := errors.AsType[*contract.Error](err)
	if !ok || e.Code != contract.CodeUnavailable || e.RetryAfter < time.Second {
		t.Errorf("Discover() = %v, want unavailable with a time to wait", err)
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{"none": "", "of another kind": `{"free":1}`, "no JSON": "slots"} {
		i := discovery.Instance{Endpoints: []discovery.Endpoint{{Data: json.RawMessage(data)}}}
		if l, ok := i.Load(); ok {
			t.Errorf("%s: load is %+v", name, l)
		}
	}
	if l, ok := (discovery.Instance{}).Load(); ok {
		t.Errorf("without endpoints the load is %+v", l)
	}
	for _, c := range []struct {
		load discovery.Load
		want time.Duration
	}{{discovery.Load{}, 0}, {discovery.Load{QueueWait: 900, Admitted: 3}, 300}} {
		if got := c.load.MeanWait(); got != c.want {
			t.Errorf("mean wait of %+v is %v, want %v", c.load, got, c.want)
		}
	}
}
