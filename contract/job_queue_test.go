package contract_test

import (
	"errors"
	"testing"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
)

// TestQueuesOnTheWire pins what operators see of queues and how they are steered.
func TestQueuesOnTheWire(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 24, 12, 0, 0, 5000, time.UTC)
	golden(t, "queues.json", map[string]any{
		"kinds":    contract.HealKinds(),
		"subjects": []string{contract.JobsSubject("queues"), contract.JobsSubject("pause"), contract.JobsSubject("resume")},
		"request":  contract.JobQueueRequest{Service: "fibonacci"},
		"all": contract.JobQueues{Queues: []contract.JobQueue{
			{Service: "sqrt", Limit: 100_000, Shares: []contract.JobShare{}},
			{
				Service: "fibonacci", Queued: 3, Taken: 2, Limit: 100_000, Oldest: at, PausedUntil: at.AddDate(10, 0, 0),
				Shares: []contract.JobShare{{Tenant: contract.DefaultTenant, Class: contract.ClassHigh, Queued: 3, Taken: 2, Oldest: at}},
				Healed: map[contract.HealKind]int64{contract.HealRequeued: 1},
			},
		}},
	})
}

func TestQueueRequest(t *testing.T) {
	t.Parallel()
	if err := (contract.JobQueueRequest{Service: "fibonacci"}).Validate(); err != nil {
		t.Error(err)
	}
	for _, service := range []string{"", "Fibonacci", "a.b", "*"} {
		if err := (contract.JobQueueRequest{Service: service}).Validate(); !errors.Is(err, contract.CodeInvalidArgument) {
			t.Errorf("%q: %v", service, err)
		}
	}
}
