package daemon

import (
	"context"
	"slices"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/jobs"
	"github.com/seed-649d3d38/heddle/solver"
)

// ServeJobs opens the durable jobs of the broker and answers the jobs service for the
// endpoints, as a part of the runtime.
func (r *Runtime) ServeJobs(ctx context.Context, nc *nats.Conn, endpoints []contract.Descriptor) (*jobs.Store, error) {
	store, err := r.jobsOf(nc)
	if err != nil {
		return nil, err
	}
	service, err := jobs.Serve(context.WithoutCancel(ctx), store, endpoints)
	if err != nil {
		return nil, err
	}
	r.OnStop("jobs service", func(context.Context) error {
		service.Close()
		return nil
	})
	return store, nil
}

// jobsOf opens the durable jobs of the broker as a part of the runtime.
func (r *Runtime) jobsOf(nc *nats.Conn) (*jobs.Store, error) {
	store, err := jobs.Open(nc, jobs.Config{Log: r.Log, Meter: r.Telemetry.Meter})
	if err != nil {
		return nil, err
	}
	r.OnStop("jobs", func(context.Context) error {
		store.Close()
		return nil
	})
	return store, nil
}

// openJobs opens the durable jobs, and answers the jobs service unless nothing but jobs is
// wanted: such an instance may be ended at any time, without a caller that notices.
func (r *Runtime) openJobs(ctx context.Context, nc *nats.Conn, flags HostFlags, endpoints []contract.Descriptor) (*jobs.Store, error) {
	if flags.JobsOnly {
		return r.jobsOf(nc)
	}
	return r.ServeJobs(ctx, nc, endpoints)
}

// Endpoints returns the operations that there may be jobs of: those of the suite, which
// other programs host, and those of the services here.
func Endpoints(services []solver.Service) []contract.Descriptor {
	all := contract.All()
	for _, s := range services {
		for _, op := range s.Operations {
			known := slices.ContainsFunc(all, func(d contract.Descriptor) bool { return d.Name() == op.Endpoint.Name() })
			if !known {
				all = append(all, op.Endpoint)
			}
		}
	}
	return all
}
