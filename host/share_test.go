package host_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/broker"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/jobs"
)

// mixed is an instance with one slot that has jobs and requests to do. The texts of jobs
// begin with a 9, those of requests do not.
type mixed struct {
	*site
	broker *broker.Broker
	store  *jobs.Store
	crowd  *crowd
	refs   []contract.JobRef
}

func openMixed(t *testing.T, jobsQueued int) *mixed {
	t.Helper()
	b := brokertest.Start(t)
	nc := brokertest.Connect(t, b)
	store, err := jobs.Open(nc, jobs.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	m := &mixed{broker: b, store: store}
	m.site = openSite(t, nc, host.Config{Slots: 1, Jobs: store})
	m.crowd = newCrowd(t, brokertest.Connect(t, b))
	for i := range jobsQueued {
		m.refs = append(m.refs, submitEcho(t, store, echo.Descriptor(), "9"+strconv.Itoa(1000+i)))
	}
	return m
}

func isJob(text string) bool { return strings.HasPrefix(text, "9") && len(text) == 5 }

// awaitJobs waits until all jobs have ended.
func (m *mixed) awaitJobs(t *testing.T) {
	for _, ref := range m.refs {
		if job := ended(t, m.store, ref); job.State != contract.JobSucceeded {
			t.Errorf("got %+v", job)
		}
	}
}

// TestRequestsGoBeforeJobs has requests come to an instance that has a queue of jobs. They
// wait for the job that runs, and not for the others.
func TestRequestsGoBeforeJobs(t *testing.T) {
	t.Parallel()
	const requests = 8
	for name, endpoint := range operations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := openMixed(t, 20)
			if text := m.begins(); !isJob(text) {
				t.Fatalf("request %s begins", text)
			}
			m.crowd.send(endpoint, requests)
			awaitDepth(t, m.crowd.nc, requests)
			var order []string
			for begun := 0; begun < requests; {
				m.end <- struct{}{}
				text := m.begins()
				order = append(order, text)
				if !isJob(text) {
					begun++
				}
			}
			// On a machine that is slow it may be the turn of a job meanwhile.
			if others := len(order) - requests; others > 2 {
				t.Errorf("%d jobs began before the last request that waited: %v", others, order)
			}
			m.free()
			m.crowd.await(requests)
			m.awaitJobs(t)
		})
	}
}

// TestJobsGoOn floods an instance with requests. Jobs have a share all the same, and it is
// a small one.
func TestJobsGoOn(t *testing.T) {
	t.Parallel()
	const waiting, wanted = 300, 3 // many, since some are always between instance and broker
	m := openMixed(t, wanted)
	if text := m.begins(); !isJob(text) {
		t.Fatalf("request %s begins", text)
	}
	m.crowd.send(sing.Descriptor(), waiting)
	awaitDepth(t, m.crowd.nc, waiting)
	m.end <- struct{}{}
	ended := time.Now()
	for done := 1; done < wanted; {
		text := m.begins()
		if isJob(text) {
			if pause := time.Since(ended); pause < 900*time.Millisecond {
				t.Errorf("%v after the last job another one begins, while requests wait", pause)
			}
			done++
		} else {
			m.crowd.send(sing.Descriptor(), 1)
			m.crowd.await(m.crowd.sent - 2*waiting)
		}
		m.end <- struct{}{}
		if isJob(text) {
			ended = time.Now()
		}
	}
	m.free()
	m.crowd.await(m.crowd.sent)
	m.awaitJobs(t)
}

// awaitOffered waits until the broker has offered the requests of the lane to all instances
// that asked for some. The answer comes to this one after what was offered to it.
func (s *site) awaitOffered() {
	s.t.Helper()
	js, err := jetstream.New(s.nc)
	if err != nil {
		s.t.Fatal(err)
	}
	brokertest.Await(s.t, "nobody asks the lane for requests", func() bool {
		stream, err := js.Stream(s.t.Context(), contract.LaneStream(echo.Service))
		if err != nil {
			s.t.Fatal(err)
		}
		consumers, asked := stream.ListConsumers(s.t.Context()), 0
		for c := range consumers.Info() {
			asked += c.NumWaiting
		}
		return consumers.Err() == nil && asked == 0
	})
}

// TestRequestsOfOthersGoFirst has two instances with one slot, full of jobs. Once one of them
// has learned of a request that the other one handed over, that is the next thing it does.
func TestRequestsOfOthersGoFirst(t *testing.T) {
	t.Parallel()
	m := openMixed(t, 20)
	second := openSite(t, brokertest.Connect(t, m.broker), host.Config{Slots: 1, Jobs: m.store})
	for _, s := range []*site{m.site, second} {
		if text := s.begins(); !isJob(text) {
			t.Fatalf("request %s begins", text)
		}
	}
	for range 5 {
		m.crowd.send(sing.Descriptor(), 1)
		awaitDepth(t, m.crowd.nc, 1)
		begun := 0
		for isTurn := true; isTurn; begun++ {
			second.awaitOffered()
			second.end <- struct{}{}
			isTurn = isJob(second.begins())
		}
		if begun > 2 {
			t.Errorf("the request was number %d", begun)
		}
		second.end <- struct{}{}
		if text := second.begins(); !isJob(text) {
			t.Errorf("request %s begins, and none was sent", text)
		}
	}
	m.free()
	second.free()
	m.awaitJobs(t)
}
