package rest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/semaphore"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/bus"
	"github.com/seed-649d3d38/heddle/jobs"
)

// Config says what a gateway serves and how.
type Config struct {
	// Endpoints are the operations, each of which becomes a route. Required.
	Endpoints []contract.Descriptor
	// Jobs are the durable jobs of the broker; nil means that there are none. The caller
	// closes it.
	Jobs *jobs.Store
	// Requester sends the requests. Required; the caller closes it.
	Requester *bus.Requester
	// Conn is asked which instances there are, for GET /v1/services. Required; the
	// caller closes it.
	Conn *nats.Conn
	// Bulk reads large results. Nil means Conn; a connection of its own keeps the
	// replies to small requests from waiting behind them. The caller closes it.
	Bulk *nats.Conn
	// Log gets the causes of internal errors and, at debug level, a line per request.
	// Required.
	Log *slog.Logger
	// Version is the version of the program, for the OpenAPI document.
	Version string

	// LoopbackOnly says that the gateway listens on a loopback address only. It then
	// answers only requests whose Host header names one, so that no web page can reach
	// it under a name of its own (DNS rebinding).
	LoopbackOnly bool
	// AllowedHosts are names, without port, that the Host header may have as well. If
	// there are none and LoopbackOnly is off, every name is allowed.
	AllowedHosts []string

	// Tracer makes spans; nil means that there is no tracing, and trace headers of
	// callers are passed on.
	Tracer trace.Tracer
	// Meter makes metrics; nil means none.
	Meter metric.Meter
}

// Gateway is the HTTP face of the contract. It is made by [New] and safe for
// concurrent use; it has nothing to close, but who shuts its server down calls
// [Gateway.Leave] first.
type Gateway struct {
	mux       *http.ServeMux
	requester *bus.Requester
	streams   *streams
	log       *slog.Logger
	observer  *observer
	guard     *guard
	endpoints []contract.Descriptor
	jobs      *jobRoutes
	leave     context.CancelFunc
}

// New returns a gateway for the endpoints. It returns an error when the configuration
// lacks a required member or an endpoint cannot be offered over HTTP: its types have no
// schema, or it is pure and its request cannot be written as a query.
func New(c Config) (*Gateway, error) {
	if len(c.Endpoints) == 0 || c.Requester == nil || c.Conn == nil || c.Log == nil {
		return nil, errors.New("make gateway: endpoints, requester, connection and log are needed")
	}
	observe, err := newObserver(c.Tracer, c.Meter)
	if err != nil {
		return nil, fmt.Errorf("make gateway: %w", err)
	}
	g := &Gateway{
		mux:       http.NewServeMux(),
		requester: c.Requester,
		streams:   newStreams(cmp.Or(c.Bulk, c.Conn)),
		log:       c.Log,
		observer:  observe,
		guard:     newGuard(c.LoopbackOnly, c.AllowedHosts),
		endpoints: c.Endpoints,
	}
	left, leave := context.WithCancel(context.Background())
	g.leave = leave
	g.jobs = &jobRoutes{
		store: c.Jobs, endpoints: c.Endpoints, streams: g.streams, heartbeat: heartbeat,
		batches: semaphore.NewWeighted(batchJobBytes),
		onLeave: func(f func()) func() bool { return context.AfterFunc(left, f) },
	}
	routes, err := g.routes(c)
	if err != nil {
		return nil, fmt.Errorf("make gateway: %w", err)
	}
	for _, rt := range routes {
		g.mux.HandleFunc(rt.pattern, func(w http.ResponseWriter, r *http.Request) { g.serve(rt, w, r) }) //nolint:contextcheck // the request carries it
	}
	return g, nil
}

// Leave ends what would keep a server from shutting down: streams of events end, and who
// waits for a job is told what it is now. It may be called more than once.
func (g *Gateway) Leave() { g.leave() }

// ServeHTTP answers one request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.mux.ServeHTTP(w, r) }

// route is one path and what is done there.
type route struct {
	// pattern is the path in the form of [http.ServeMux].
	pattern string
	// methods are the allowed ones; none means all.
	methods []string
	// page says that people open the path in a browser, from links of other sites too.
	page bool
	// answer writes the response and returns its status, or returns an error and
	// writes nothing.
	answer func(ctx context.Context, w http.ResponseWriter, r *http.Request) (status int, err error)
}

var reading = []string{http.MethodGet, http.MethodHead}

// routes lists every route of the gateway.
func (g *Gateway) routes(c Config) ([]*route, error) {
	document, err := openAPI(c.Endpoints, c.Version)
	if err != nil {
		return nil, err
	}
	routes := []*route{
		{pattern: "/{$}", methods: reading, page: true, answer: redirectToDocs},
		{pattern: "/openapi.json", methods: reading, answer: document.answer},
		{pattern: servicesPath, methods: reading, answer: newServices(c.Conn, c.Endpoints).answer},
		{pattern: "/", answer: g.answerUnknown},
	}
	for _, endpoint := range c.Endpoints {
		o, err := newOperation(endpoint, g.requester, g.streams, g.observer, g.jobs)
		if err != nil {
			return nil, fmt.Errorf("operation %s: %w", endpoint.Name(), err)
		}
		routes = append(routes, o.route(), o.batchRoute())
	}
	routes = append(routes, g.jobs.routes()...)
	routes = append(routes, g.jobs.scheduleRoutes()...)
	docs, err := docsRoutes()
	return append(routes, docs...), err
}

// serve is the life of every request: observe, answer or refuse, observe.
func (g *Gateway) serve(rt *route, w http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	ctx, span := g.observer.begin(r, rt)
	status, err := g.answer(ctx, rt, w, r)
	var fault *contract.Error
	_, cut := errors.AsType[*cutError](err)
	switch {
	case cut:
		fault = contract.FromError(err)
		status = fault.Code.Status()
	case err != nil:
		fault = contract.FromError(err)
		status = g.refuse(ctx, w, fault)
	}
	g.observer.end(ctx, span, rt, r, status, fault, arrived)
	if g.log.Enabled(ctx, slog.LevelDebug) {
		g.log.DebugContext(ctx, "request", "method", r.Method, "path", r.URL.Path, "status", status, "duration", time.Since(arrived))
	}
	if cut || status == contract.CodeCanceled.Status() {
		// Nobody listens, or the response cannot be brought to its end; end the connection
		// without writing to it.
		panic(http.ErrAbortHandler)
	}
}

// answer guards the route, calls its function and turns a panic into an error.
func (g *Gateway) answer(ctx context.Context, rt *route, w http.ResponseWriter, r *http.Request) (status int, err error) {
	defer func() {
		if p := recover(); p != nil {
			status, err = 0, g.recovered(ctx, p, w, r)
		}
	}()
	if err := g.guard.check(r, rt); err != nil {
		return 0, err
	}
	if rt.methods != nil && !slices.Contains(rt.methods, r.Method) {
		allowed := strings.Join(rt.methods, ", ")
		w.Header()["Allow"] = []string{allowed}
		return 0, contract.Errorf(contract.CodeMethodNotAllowed, "the method %s is not allowed here; use %s", printable(r.Method), allowed)
	}
	return rt.answer(ctx, w, r)
}

// answerUnknown refuses a path that no route has, and says which there are.
func (g *Gateway) answerUnknown(_ context.Context, _ http.ResponseWriter, r *http.Request) (int, error) {
	rest, versioned := strings.CutPrefix(r.URL.Path, "/"+contract.Version+"/")
	service, operation, _ := strings.Cut(rest, "/")
	if !versioned {
		return 0, contract.Errorf(contract.CodeNotFound, "there is nothing at %s; operations are at /%s/{service}/{operation}, their documentation at /docs/", printable(r.URL.Path), contract.Version)
	}
	var services, operations []string
	for _, e := range g.endpoints {
		if !slices.Contains(services, e.Service) {
			services = append(services, e.Service)
		}
		if e.Service == service {
			operations = append(operations, e.Operation)
		}
	}
	if operations == nil {
		return 0, contract.Errorf(contract.CodeNotFound, "there is no service %q; the services are %s", printable(service), strings.Join(services, ", "))
	}
	return 0, contract.Errorf(contract.CodeNotFound, "the service %s has no operation %q; its operations are %s", service, printable(operation), strings.Join(operations, ", "))
}
