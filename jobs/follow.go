package jobs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-649d3d38/heddle/contract"
)

// followRef names the job that gets the results of a batch: always the same, so that there
// is one however often it is submitted.
func followRef(batch contract.JobRef, then string) contract.JobRef {
	service, operation, _ := strings.Cut(then, ".")
	ref := contract.JobRef{Tenant: batch.Tenant, Service: service, Operation: operation}
	ref.Token = macToken(ref, "\x03"+batch.Key())
	return ref
}

// CheckThen checks that an operation can follow a batch: that it is one of the endpoints
// and takes a [contract.Gathered]. The empty name is no operation, and is right. It returns
// a [*contract.Error] with [contract.CodeInvalidArgument].
func CheckThen(endpoints []contract.Descriptor, then string) error {
	if then == "" {
		return nil
	}
	i := slices.IndexFunc(endpoints, func(d contract.Descriptor) bool { return d.Name() == then })
	if i < 0 {
		return contract.Invalid(contract.HeaderThen, "must be an operation; there is no %s", then)
	}
	if err := validate(endpoints[i], []byte(`{"batch":"echo-say-1","items":[]}`)); err != nil {
		return contract.Invalid(contract.HeaderThen, "must be an operation that takes the results of a batch; %s does not", then)
	}
	return nil
}

// follow submits the job that gets the results of a batch, if that was not done before.
func (s *Store) follow(ctx context.Context, batch contract.JobRef, r *record) error {
	ref, err := contract.ParseJobID(r.Then)
	if err != nil {
		return err
	}
	ref.Tenant = batch.Tenant
	if _, err := s.find(ctx, ref); err == nil {
		return nil
	}
	body, err := json.Marshal(contract.RawGathered{Batch: batch.ID()})
	if err != nil { // a struct of strings always marshals
		return err
	}
	job := Submission{Tenant: ref.Tenant, Body: body, Options: contract.JobOptions{Class: r.Class, Gathered: batch.ID()}}
	_, _, err = s.queue(ctx, ref, job)
	return err
}

// gather returns the request of the job that follows a batch: the lines of the batch in the
// order of its requests.
func (s *Store) gather(ctx context.Context, tenant, id string) ([]byte, error) {
	ref, err := contract.ParseJobID(id)
	if err != nil {
		return nil, err
	}
	ref.Tenant = tenant
	result, err := s.Result(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("read results of batch %s: %w", id, err)
	}
	if result.Size > contract.MaxGathered {
		return nil, contract.Errorf(contract.CodeRequestTooLarge, "the results of the batch %s have %d bytes; an operation that follows is given at most %d", id, result.Size, contract.MaxGathered)
	}
	var text bytes.Buffer
	if err := result.WriteRange(ctx, &text, 0, result.Size); err != nil {
		return nil, fmt.Errorf("read results of batch %s: %w", id, err)
	}
	g := contract.RawGathered{Batch: id, Items: []contract.GatheredItem[json.RawMessage]{}}
	for line := range bytes.Lines(text.Bytes()) {
		l, err := contract.ParseBatchLine(bytes.TrimSuffix(line, []byte("\n")))
		switch {
		case err != nil:
			return nil, err
		case l.Done:
		case l.Error != nil:
			g.Items = append(g.Items, contract.GatheredItem[json.RawMessage]{Index: l.Index, Error: l.Error})
		default:
			g.Items = append(g.Items, contract.GatheredItem[json.RawMessage]{Index: l.Index, Result: (*json.RawMessage)(&l.Result)})
		}
	}
	slices.SortFunc(g.Items, func(a, b contract.GatheredItem[json.RawMessage]) int { return a.Index - b.Index })
	return json.Marshal(g)
}
