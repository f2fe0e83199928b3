package main

import (
	"strings"
	"testing"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
)

func TestPrintQueues(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	var out strings.Builder
	err := printQueues(&out, []contract.JobQueue{
		{Service: "fibonacci", Queued: 12, Taken: 3, Limit: 100_000, Oldest: now.Add(-90 * time.Second), PausedUntil: now.AddDate(10, 0, 0), Healed: map[contract.HealKind]int64{contract.HealLate: 2, contract.HealLost: 1}},
		{Service: "sqrt", Limit: 100_000},
	}, now)
	want := `SERVICE    STATE   QUEUED  TAKEN   LIMIT  OLDEST  HEALED
fibonacci  paused      12      3  100000   1m30s       3
sqrt       open         0      0  100000       -       0
`
	if err != nil || out.String() != want {
		t.Errorf("got %v\n%s\nwant\n%s", err, out.String(), want)
	}
}
