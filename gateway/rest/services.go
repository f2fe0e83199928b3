package rest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/discovery"
)

// servicesPath is the path of the live view of the services.
const servicesPath = "/" + contract.Version + "/services"

// viewLife is how long a view of the services is shown before it is made anew. Making
// one asks every instance there is.
const viewLife = time.Second

// servicesResult is the body of GET /v1/services.
type servicesResult struct {
	Services []serviceView `json:"services" doc:"The services of the contract in the order of the documentation."`
}

type serviceView struct {
	Name       string         `json:"name" doc:"Name of the service."`
	Operations []string       `json:"operations" doc:"Operations of the contract that the service solves."`
	Versions   []string       `json:"versions" doc:"Versions of the instances, each once, sorted. More than one means that a new one is being rolled out."`
	Instances  []instanceView `json:"instances" doc:"Running copies of the service; none when requests would be answered with unavailable."`
}

type instanceView struct {
	ID        string         `json:"id" doc:"Id of the instance, as in the header Heddle-Instance."`
	Version   string         `json:"version" doc:"Version of the implementation."`
	Started   time.Time      `json:"started" doc:"When the instance came up."`
	Load      *loadView      `json:"load,omitempty" doc:"What the instance carries now; absent when it does not say."`
	Endpoints []endpointView `json:"endpoints" doc:"What the instance has done since it came up, by operation."`
}

type loadView struct {
	Slots      int64   `json:"slots" minimum:"1" doc:"Heavy requests that the instance runs at once."`
	Busy       int64   `json:"busy" minimum:"0" doc:"Slots in use."`
	Waiting    int64   `json:"waiting" minimum:"0" doc:"Requests that wait in the instance, because the service has no lane."`
	Lane       bool    `json:"lane" doc:"Whether the service has a lane, where requests wait for a slot of any instance."`
	LaneDepth  int64   `json:"lane_depth" minimum:"0" doc:"Requests that wait in the lane of the service, all instances together."`
	MeanWaitMS float64 `json:"mean_wait_ms" minimum:"0" doc:"Mean time in milliseconds that a heavy request has waited for its slot since the instance came up."`
}

type endpointView struct {
	Name      string         `json:"name" doc:"Operation."`
	Requests  int            `json:"requests" minimum:"0" doc:"Requests answered."`
	Errors    int            `json:"errors" minimum:"0" doc:"Requests answered with an error."`
	AverageMS float64        `json:"average_ms" minimum:"0" doc:"Mean time of work per request in milliseconds, waiting not included."`
	Data      jsontext.Value `json:"data,omitempty" doc:"What the service adds to its statistics, such as slots, how many of them are busy and how many requests wait; absent when it adds nothing."`
}

// services is the resource that shows which instances are there.
type services struct {
	nc        *nats.Conn
	endpoints []contract.Descriptor

	// turn is held by whoever looks at the view or makes it anew, so that many callers
	// at once ask the instances once. It guards what follows.
	turn  chan struct{}
	view  []byte
	stale time.Time
}

func newServices(nc *nats.Conn, endpoints []contract.Descriptor) *services {
	return &services{nc: nc, endpoints: endpoints, turn: make(chan struct{}, 1)}
}

func (s *services) answer(ctx context.Context, w http.ResponseWriter, r *http.Request) (int, error) {
	if err := requireJSON(r); err != nil {
		return 0, err
	}
	body, err := s.current(ctx)
	if err != nil {
		return 0, err
	}
	h := w.Header()
	h["Cache-Control"] = noStore
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	h["Content-Type"] = typeJSON
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body) // a caller that left cannot be told
	return http.StatusOK, nil
}

// current returns the encoded view, at most [viewLife] old.
func (s *services) current(ctx context.Context) ([]byte, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if time.Now().Before(s.stale) {
		return s.view, nil
	}
	// Others wait for the same answer: that this caller leaves does not end the search.
	instances, err := discovery.Discover(context.WithoutCancel(ctx), s.nc)
	if err != nil {
		return nil, err
	}
	view, err := json.Marshal(arrange(instances, s.endpoints))
	if err != nil {
		return nil, fmt.Errorf("encode services: %w", err)
	}
	s.view, s.stale = view, time.Now().Add(viewLife)
	return view, nil
}

// arrange puts the instances below the services of the contract. Services of others
// on the same broker are nobody's business here.
func arrange(instances []discovery.Instance, endpoints []contract.Descriptor) servicesResult {
	var result servicesResult
	for _, e := range endpoints {
		i := slices.IndexFunc(result.Services, func(s serviceView) bool { return s.Name == e.Service })
		if i < 0 {
			i = len(result.Services)
			result.Services = append(result.Services, serviceView{Name: e.Service})
		}
		result.Services[i].Operations = append(result.Services[i].Operations, e.Operation)
	}
	for i := range result.Services {
		s := &result.Services[i]
		for _, instance := range instances {
			if instance.Service == s.Name {
				s.Instances = append(s.Instances, viewOf(instance))
				s.Versions = append(s.Versions, instance.Version)
			}
		}
		slices.Sort(s.Versions)
		s.Versions = slices.Compact(s.Versions)
	}
	return result
}

func viewOf(i discovery.Instance) instanceView {
	v := instanceView{ID: i.ID, Version: i.Version, Started: i.Started.UTC()}
	if l, ok := i.Load(); ok {
		v.Load = &loadView{
			Slots: l.Slots, Busy: l.Busy, Waiting: l.Waiting, Lane: l.Lane, LaneDepth: int64(l.LaneDepth),
			MeanWaitMS: float64(l.MeanWait()) / float64(time.Millisecond),
		}
	}
	for _, e := range i.Endpoints {
		v.Endpoints = append(v.Endpoints, endpointView{
			Name: e.Name, Requests: e.Requests, Errors: e.Errors,
			AverageMS: float64(e.AverageTime) / float64(time.Millisecond),
			Data:      jsontext.Value(e.Data),
		})
	}
	return v
}

// requireJSON refuses a request that does not accept JSON.
func requireJSON(r *http.Request) error {
	if _, acceptable := negotiate(acceptOf(r, contract.MediaJSON), []string{contract.MediaJSON}); !acceptable {
		return contract.Errorf(contract.CodeNotAcceptable, "this is available as %s only; accept it", contract.MediaJSON)
	}
	return nil
}
