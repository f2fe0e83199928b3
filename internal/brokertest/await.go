package brokertest

import (
	"context"
	"testing"
	"time"
)

const (
	// patience bounds everything that tests wait for here: an election of a cluster
	// takes up to ten seconds on a busy machine.
	patience = 30 * time.Second

	// interval is how often a state is looked at that nobody tells about.
	interval = 5 * time.Millisecond

	// quick is how soon connections of tests come back.
	quick = 10 * time.Millisecond
)

// Await looks at a state until it is reached, and fails the test after half a minute.
// It is for states that no event tells about; prefer events. What says what is waited
// for.
func Await(t testing.TB, what string, reached func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	look := time.NewTicker(interval)
	defer look.Stop()
	for !reached() {
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("waited %v in vain: %s", patience, what)
		}
	}
}
