package host

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/discovery"
	"github.com/seed-649d3d38/heddle/internal/schema"
)

// Load is what an endpoint's statistics say beyond ADR-32, in the member "data". It
// describes the instance, so it is the same for all endpoints of a service.
type Load = discovery.Load

// announce subscribes the three verbs of ADR-32, each for all services, for this
// one's name and for this instance. They have no queue group: every instance answers.
func (s *service) announce(ctx context.Context) error {
	verbs := []struct {
		verb   micro.Verb
		answer func() any
	}{
		{micro.PingVerb, func() any { return s.ping() }},
		{micro.InfoVerb, func() any { return s.info() }},
		{micro.StatsVerb, func() any { return s.stats(ctx) }},
	}
	kinds := [][2]string{{"", ""}, {s.identity.Name, ""}, {s.identity.Name, s.identity.ID}}
	for _, v := range verbs {
		for _, kind := range kinds {
			subject, err := micro.ControlSubject(v.verb, kind[0], kind[1])
			if err != nil {
				return fmt.Errorf("name discovery subject: %w", err)
			}
			sub, err := s.host.nc.Subscribe(subject, func(m *nats.Msg) { s.discover(m, v.answer()) })
			if err != nil {
				return fmt.Errorf("subscribe to %s: %w", subject, err)
			}
			s.verbs = append(s.verbs, sub)
		}
	}
	return nil
}

// discover answers one discovery request.
func (s *service) discover(m *nats.Msg, answer any) {
	body, err := json.Marshal(answer)
	if err == nil {
		err = m.Respond(body)
	}
	if err != nil {
		s.host.log.Error("answer service discovery", "subject", m.Subject, "error", err)
	}
}

func (s *service) ping() micro.Ping {
	return micro.Ping{ServiceIdentity: s.identity, Type: micro.PingResponseType}
}

func (s *service) info() micro.Info {
	info := micro.Info{
		ServiceIdentity: s.identity,
		Type:            micro.InfoResponseType,
		Description:     s.spec.Description,
	}
	for _, e := range s.endpoints {
		info.Endpoints = append(info.Endpoints, micro.EndpointInfo{
			Name:       e.name,
			Subject:    e.subject,
			QueueGroup: contract.QueueGroup(e.spec.Service),
			Metadata:   e.metadata,
		})
	}
	return info
}

func (s *service) stats(ctx context.Context) micro.Stats {
	stats := micro.Stats{
		ServiceIdentity: s.identity,
		Type:            micro.StatsResponseType,
		Started:         s.started,
	}
	load, err := json.Marshal(s.load(ctx))
	if err != nil { // a struct of integers always marshals
		s.host.log.Error("describe load", "error", err)
	}
	for _, e := range s.endpoints {
		stats.Endpoints = append(stats.Endpoints, e.stats.snapshot(e, load))
	}
	return stats
}

func (s *service) load(ctx context.Context) Load {
	lane := s.lane.State(ctx)
	handles, handleMemory := s.handles.count()
	return Load{
		Slots: s.gate.slots, Busy: s.gate.busy.Load(), Waiting: s.gate.waiting.Load(),
		Lane: lane.Open, LaneDepth: lane.Depth, QueueWait: s.gate.waited.Load(), Admitted: s.gate.admitted.Load(),
		MemoryBudget: s.host.memory.budget, MemoryReserved: s.host.memory.reserved.Load(),
		Handles: handles, HandleMemory: handleMemory,
	}
}

// metadata describes an endpoint to service discovery; ADR-32 allows strings only.
func metadata(e contract.Descriptor) (map[string]string, error) {
	request, err := schema.Request(e.Request)
	if err != nil {
		return nil, fmt.Errorf("describe request: %w", err)
	}
	result, err := schema.Result(e.Result)
	if err != nil {
		return nil, fmt.Errorf("describe result: %w", err)
	}
	requestText, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("describe request: %w", err)
	}
	resultText, err := json.Marshal(result)
	if err != nil {
		return nil, fmt.Errorf("describe result: %w", err)
	}
	return map[string]string{
		"summary":        e.Summary,
		"description":    e.Description,
		"pure":           strconv.FormatBool(e.Pure),
		"request_schema": string(requestText),
		"result_schema":  string(resultText),
	}, nil
}
