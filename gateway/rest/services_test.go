package rest_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/gateway/rest"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
	"github.com/seed-649d3d38/heddle/services/sqrt/root"
)

// view is the body of GET /v1/services as a client reads it.
type view struct {
	Services []struct {
		Name       string
		Operations []string
		Versions   []string
		Instances  []struct {
			ID      string
			Version string
			Started time.Time
			Load    *struct {
				Slots, Busy, Waiting int64
				Lane                 *bool
				LaneDepth            *int64   `json:"lane_depth"`
				MeanWaitMS           *float64 `json:"mean_wait_ms"`
			}
			Endpoints []struct {
				Name             string
				Requests, Errors int
				AverageMS        float64 `json:"average_ms"`
				Data             map[string]any
			}
		}
	}
}

func (s *suite) view() view {
	s.Helper()
	r := s.get("/v1/services")
	body := text(s, r)
	var v view
	if err := json.Unmarshal([]byte(body), &v); err != nil || r.StatusCode != http.StatusOK {
		s.Fatalf("status %d: %v: %s", r.StatusCode, err, body)
	}
	if got := r.Header.Get("Cache-Control"); got != "no-store" {
		s.Errorf("Cache-Control is %q", got)
	}
	return v
}

func TestServices(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.host(host.Config{Slots: 3}, fib.Service(), root.Service())
	s.host(host.Config{Slots: 3}, fib.Service())
	stranger, err := micro.AddService(s.services, micro.Config{Name: "stranger", Version: "9.9.9"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stranger.Stop() })
	for range 4 {
		s.get("/v1/fibonacci/term?n=100")
	}
	s.get("/v1/fibonacci/term?n=x")
	instance := s.get("/v1/sqrt/root?x=2").Header.Get("Heddle-Instance")

	v := s.view()
	var names []string
	requests, errors := 0, 0
	for _, service := range v.Services {
		names = append(names, service.Name)
		for _, i := range service.Instances {
			if l := i.Load; l == nil || l.Slots != 3 || l.Busy != 0 || l.Waiting != 0 || l.Lane == nil || l.LaneDepth == nil || l.MeanWaitMS == nil || *l.MeanWaitMS < 0 {
				t.Errorf("%s: load is %+v", service.Name, l)
			}
			if i.ID == "" || i.Version == "" || i.Started.IsZero() || i.Started.After(time.Now()) || len(i.Endpoints) != 2*len(service.Operations) {
				t.Errorf("%s: instance is %+v", service.Name, i)
			}
			for _, e := range i.Endpoints {
				if e.Data["slots"] != 3.0 {
					t.Errorf("%s: data is %v", service.Name, e.Data)
				}
				if service.Name == "fibonacci" {
					requests, errors = requests+e.Requests, errors+e.Errors
				}
			}
		}
	}
	if want := []string{"fibonacci", "sqrt", "crawler"}; !slices.Equal(names, want) {
		t.Fatalf("services are %v, want %v", names, want)
	}
	fibonacci, sqrt, crawler := v.Services[0], v.Services[1], v.Services[2]
	if requests != 5 || errors != 1 || len(fibonacci.Instances) != 2 {
		t.Errorf("fibonacci has %d requests, %d errors, %d instances; want 5, 1, 2", requests, errors, len(fibonacci.Instances))
	}
	if !slices.Equal(fibonacci.Versions, []string{fib.Service().Version}) || !slices.Equal(sqrt.Operations, []string{"root", "integer", "floats"}) {
		t.Errorf("versions %v, operations %v", fibonacci.Versions, sqrt.Operations)
	}
	if len(sqrt.Instances) != 1 || sqrt.Instances[0].ID != instance {
		t.Errorf("sqrt is %+v, want the instance %s that answered", sqrt.Instances, instance)
	}
	if crawler.Instances == nil || len(crawler.Instances) != 0 || crawler.Versions == nil {
		t.Errorf("a service that nobody runs is %+v, want empty lists", crawler)
	}
}

// TestServicesOneSearch holds that many callers at once make the instances answer once.
func TestServicesOneSearch(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.host(host.Config{}, fib.Service())
	var searches atomic.Int64
	if _, err := s.services.Subscribe("$SRV.INFO", func(*nats.Msg) { searches.Add(1) }); err != nil {
		t.Fatal(err)
	}
	if err := s.services.Flush(); err != nil {
		t.Fatal(err)
	}
	const callers = 50
	var asking sync.WaitGroup
	for range callers {
		asking.Go(func() { s.view() })
	}
	asking.Wait()
	if n := searches.Load(); n < 1 || n >= callers {
		t.Errorf("%d callers caused %d searches", callers, n)
	}
}

func TestServicesRefused(t *testing.T) {
	t.Parallel()
	var nc *nats.Conn
	s := start(t, func(c *rest.Config) { nc = c.Conn })
	wantProblem(t, s.get("/v1/services", "Accept", "text/html"), contract.CodeNotAcceptable, "", "application/json only")
	nc.Close()
	r := s.get("/v1/services")
	wantProblem(t, r, contract.CodeUnavailable, "", "broker does not answer")
	if got := r.Header.Get("Retry-After"); got != "1" {
		t.Errorf("Retry-After is %q", got)
	}
}

// TestServicesCallerGone has a caller leave while another one's search is on.
func TestServicesCallerGone(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	searching, answer := make(chan struct{}), make(chan struct{})
	if _, err := s.services.Subscribe("$SRV.INFO", func(m *nats.Msg) {
		close(searching)
		<-answer
		_ = m.Respond([]byte("{}"))
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.services.Subscribe("$SRV.STATS", func(*nats.Msg) {}); err != nil {
		t.Fatal(err)
	}
	if err := s.services.Flush(); err != nil {
		t.Fatal(err)
	}
	var first sync.WaitGroup
	first.Go(func() { s.view() })
	<-searching
	ctx, leave := context.WithCancel(t.Context())
	leave()
	s.aborted(httptest.NewRecorder(), request(t, http.MethodGet, "/v1/services", nil).WithContext(ctx))
	close(answer)
	first.Wait()
}
