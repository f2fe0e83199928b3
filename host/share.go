package host

import (
	"sync"
	"time"
)

// Requests go before jobs: a slot that gets free while requests wait, here or in the lane,
// is theirs. A job that runs is not interrupted for that. So that jobs go on when requests
// never end, these get no more than three quarters of an instance's time while they wait.
const (
	// jobShare is the part of the slots that jobs may hold at once while requests wait,
	// at least one, and the part of its time for which one of these is a job's.
	jobShare = 4

	// jobPause is the shortest time between the beginnings of two jobs while requests
	// wait.
	jobPause = time.Second

	// lanePatience is how long a slot stays free for a request of the lane. The broker
	// answers sooner, so there is none that could come.
	lanePatience = 50 * time.Millisecond
)

// share counts the jobs in the slots of a service and says when the next one may begin
// although requests wait.
type share struct {
	most int // jobs at once

	mu      sync.Mutex
	running int
	next    time.Time // when one more may begin
}

func newShare(slots int) *share { return &share{most: max(1, slots/jobShare)} }

// isDue reports whether a job may begin although requests wait.
func (s *share) isDue(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running < s.most && !now.Before(s.next)
}

func (s *share) began(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running++
	s.next = now.Add(jobPause)
}

// ended notes the end of a job that had a slot for so long. The time until the next one is
// the requests', if there are any.
func (s *share) ended(now time.Time, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	s.next = now.Add(max(jobPause, (jobShare-1)*took))
}

// requestsFirst reports whether requests wait that a free slot is for.
func (s *service) requestsFirst() bool {
	return s.gate.waiting.Load() > 0 || s.lane != nil && s.lane.Waiting() && !s.gate.idleFor(lanePatience)
}

// roomForJobs returns the number of jobs to ask for, as [jobs.RunnerConfig] has it.
func (s *service) roomForJobs() int {
	switch {
	case !s.requestsFirst():
		return s.gate.idle()
	case s.share.isDue(time.Now()):
		return 1 // it has to be here when a slot gets free
	default:
		return -1
	}
}

// tryJob takes a slot for a job if there is one for it.
func (s *service) tryJob() bool {
	now := time.Now()
	if s.requestsFirst() && !s.share.isDue(now) || !s.gate.try() {
		return false
	}
	s.share.began(now)
	return true
}

// releaseJob gives back the slots of a job that had them for so long.
func (s *service) releaseJob(slots int64, took time.Duration) {
	s.share.ended(time.Now(), took)
	s.gate.release(slots)
}
