// Package discovery asks a broker which service instances are there, by the
// service discovery of NATS (ADR-32). It finds every service that speaks it, those of
// other projects too, and it neither caches nor decides what an answer means.
//
//	instances, err := discovery.Discover(ctx, nc)
package discovery

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/seed-649d3d38/heddle/contract"
)

const (
	// firstWait is how long the first answer may take. The broker itself answers at
	// once when no service is there, so only a broken link waits this long.
	firstWait = time.Second

	// quietWindow ends the search: nobody knows how many instances there are, so it
	// is over when none has answered for this long. Answers of instances of one
	// cluster lie a few milliseconds apart; a slow instance is seen the next time.
	quietWindow = 60 * time.Millisecond

	// most bounds the search in a broker that never falls quiet.
	most = 2 * time.Second
)

// Instance is one running copy of a service.
type Instance struct {
	// Service is the name of the service.
	Service string
	// ID is unique among all instances.
	ID string
	// Version is the version of the implementation.
	Version string
	// Description is the service's one line about itself.
	Description string
	// Started is when the instance came up; zero if it did not say.
	Started time.Time
	// Endpoints are the statistics of its endpoints, in the instance's own order.
	Endpoints []Endpoint
}

// Endpoint is what one endpoint of an instance has done since its start.
type Endpoint struct {
	Name    string
	Subject string
	// Requests counts answered requests, Errors those among them that failed.
	Requests, Errors int
	// LastError is the text of the newest error, or empty.
	LastError string
	// AverageTime is the mean time of work per request.
	AverageTime time.Duration
	// Data is what the service adds of its own accord, as JSON; nil if nothing. The
	// kit puts the load of the instance here.
	Data json.RawMessage
}

// Discover asks all services for their INFO and STATS and returns the instances that
// answered, ordered by service and id; none is not an error. It takes as long as
// answers keep coming and 60 ms more, two seconds at most. It returns an
// [*contract.Error] with [contract.CodeUnavailable] when the broker does not answer.
func Discover(ctx context.Context, nc *nats.Conn) ([]Instance, error) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	inbox := nc.NewInbox()
	sub, err := nc.SubscribeSync(inbox)
	if err != nil {
		return nil, unavailable(err)
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only on a closed connection
	for _, verb := range []micro.Verb{micro.InfoVerb, micro.StatsVerb} {
		subject, err := micro.ControlSubject(verb, "", "")
		if err != nil {
			return nil, fmt.Errorf("name discovery subject: %w", err)
		}
		if err := nc.PublishRequest(subject, inbox, nil); err != nil {
			return nil, unavailable(err)
		}
	}
	return gather(ctx, sub)
}

// gather reads answers until it is quiet.
func gather(ctx context.Context, sub *nats.Subscription) ([]Instance, error) {
	found := make(map[string]*Instance)
	wait := firstWait
	for {
		message, err := next(ctx, sub, wait)
		switch {
		case errors.Is(err, nats.ErrNoResponders), errors.Is(err, context.DeadlineExceeded) && wait == quietWindow:
			return sorted(found), nil
		case err != nil:
			return nil, unavailable(err)
		}
		merge(found, message.Data)
		wait = quietWindow
	}
}

// next waits for a message; both ways of running out of time are DeadlineExceeded.
func next(ctx context.Context, sub *nats.Subscription, wait time.Duration) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	return sub.NextMsgWithContext(ctx)
}

// merge adds an answer to what is known of its instance. INFO and STATS of one
// instance come in any order; answers that are neither are not for us.
func merge(found map[string]*Instance, data []byte) {
	var answer struct {
		micro.ServiceIdentity
		Type        string                `json:"type"`
		Description string                `json:"description"`
		Started     time.Time             `json:"started"`
		Endpoints   []micro.EndpointStats `json:"endpoints"`
	}
	if err := json.Unmarshal(data, &answer); err != nil || answer.ID == "" {
		return
	}
	if answer.Type != micro.InfoResponseType && answer.Type != micro.StatsResponseType {
		return
	}
	i := found[answer.ID]
	if i == nil {
		i = &Instance{Service: answer.Name, ID: answer.ID, Version: answer.Version}
		found[answer.ID] = i
	}
	if answer.Type == micro.InfoResponseType {
		i.Description = answer.Description
		return
	}
	i.Started = answer.Started
	i.Endpoints = make([]Endpoint, 0, len(answer.Endpoints))
	for _, e := range answer.Endpoints {
		i.Endpoints = append(i.Endpoints, Endpoint{
			Name: e.Name, Subject: e.Subject,
			Requests: e.NumRequests, Errors: e.NumErrors, LastError: e.LastError,
			AverageTime: e.AverageProcessingTime, Data: e.Data,
		})
	}
}

func sorted(found map[string]*Instance) []Instance {
	instances := make([]Instance, 0, len(found))
	for _, i := range found {
		instances = append(instances, *i)
	}
	slices.SortFunc(instances, func(a, b Instance) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.ID, b.ID))
	})
	return instances
}

func unavailable(err error) error {
	e := contract.Errorf(contract.CodeUnavailable, "the broker does not answer; try again")
	e.RetryAfter = time.Second
	return e.WithCause(err)
}
