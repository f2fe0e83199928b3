package host

import (
	"testing"
	"time"
)

// TestShare shows when a job may begin although requests wait.
func TestShare(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := newShare(8)
	due := func(after time.Duration, want bool) {
		t.Helper()
		if now = now.Add(after); s.isDue(now) != want {
			t.Errorf("a job may begin: %v, want %v", !want, want)
		}
	}
	due(0, true)
	s.began(now)
	due(jobPause-1, false) // not two at once
	due(1, true)
	s.began(now)
	due(time.Hour, false) // two of eight slots are a quarter
	s.ended(now, time.Minute)
	due((jobShare-1)*time.Minute-1, false) // the time is the requests'
	due(1, true)
	s.ended(now, time.Millisecond)
	due(jobPause-1, false)
	due(1, true)
	if one := newShare(1); !one.isDue(now) {
		t.Error("an instance with one slot never does a job")
	}
}
