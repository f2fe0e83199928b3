package jobs_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/jobs"
)

// model is what is known of all jobs without asking the broker, beside an instance with
// one slot whose work ends when the model says so.
type model struct {
	t       *testing.T
	s       *jobs.Store
	crew    *crew // nil while there is no instance
	hire    func() *crew
	jobs    []*modelJob
	running *modelJob
	began   chan contract.JobRef
	ends    chan error // what becomes of the work under way
}

// modelJob is what a job must be.
type modelJob struct {
	ref     contract.JobRef
	text    string
	key     string
	tenant  string
	state   contract.JobState
	attempt int
}

// with returns the jobs in one of the states, and may be asked for one of them.
func (m *model) with(t *rapid.T, states ...contract.JobState) *modelJob {
	var some []*modelJob
	for _, j := range m.jobs {
		if slices.Contains(states, j.state) {
			some = append(some, j)
		}
	}
	if len(some) == 0 {
		t.Skip("no such job")
	}
	return rapid.SampledFrom(some).Draw(t, "job")
}

// Submit submits a job, sometimes under a key.
func (m *model) Submit(t *rapid.T) {
	j := &modelJob{text: strconv.Itoa(len(m.jobs)), state: contract.JobQueued}
	j.tenant = rapid.SampledFrom([]string{contract.DefaultTenant, "acme"}).Draw(t, "tenant")
	if rapid.Bool().Draw(t, "with a key") {
		j.key = j.text
	}
	job, isNew, err := m.submit(j, j.text)
	if err != nil || !isNew {
		t.Fatalf("submit: new %v, %v", isNew, err)
	}
	if j.ref, err = contract.ParseJobID(job.ID); err != nil {
		t.Fatal(err)
	}
	j.ref.Tenant = j.tenant
	m.jobs = append(m.jobs, j)
	m.begin(t)
}

func (m *model) submit(j *modelJob, text string) (contract.Job, bool, error) {
	return m.s.Submit(m.t.Context(), jobs.Submission{
		Tenant: j.tenant, Endpoint: echo, Body: []byte(`{"text":"` + text + `"}`), Options: contract.JobOptions{Key: j.key},
	})
}

// Repeat submits a job again under its key, or another one under it.
func (m *model) Repeat(t *rapid.T) {
	j := m.with(t, contract.JobStates()...)
	if j.key == "" {
		t.Skip("it has no key")
	}
	job, isNew, err := m.submit(j, j.text)
	if err != nil || isNew || job.ID != j.ref.ID() {
		t.Fatalf("submit again: %s, new %v, %v", job.ID, isNew, err)
	}
	if _, _, err := m.submit(j, "other"); code(err) != contract.CodeInvalidArgument {
		t.Fatalf("submit another: %v", err)
	}
}

// Come brings the instance.
func (m *model) Come(t *rapid.T) {
	if m.crew != nil {
		t.Skip("it is there")
	}
	m.crew = m.hire()
	m.begin(t)
}

// Go takes the instance away. It hands its job back.
func (m *model) Go(t *rapid.T) {
	if m.crew == nil {
		t.Skip("it is not there")
	}
	m.crew.dismiss()
	m.crew = nil
	if j := m.running; j != nil {
		j.state, m.running = contract.JobQueued, nil
		j.attempt--
	}
}

// Succeed ends the work under way well.
func (m *model) Succeed(t *rapid.T) { m.finish(t, nil, contract.JobSucceeded) }

// Fail ends it badly, for good.
func (m *model) Fail(t *rapid.T) {
	m.finish(t, contract.Errorf(contract.CodeInvalidArgument, "never"), contract.JobFailed)
}

func (m *model) finish(t *rapid.T, with error, state contract.JobState) {
	j := m.running
	if j == nil {
		t.Skip("nothing is under way")
	}
	m.ends <- with
	j.state, m.running = state, nil
	m.check(t, j)
	m.begin(t)
}

// Cancel cancels a job, whatever it is.
func (m *model) Cancel(t *rapid.T) {
	j := m.with(t, contract.JobStates()...)
	_, err := m.s.Cancel(m.t.Context(), j.ref)
	if wrong := j.state == contract.JobSucceeded || j.state == contract.JobFailed; wrong != (code(err) == contract.CodeConflict) {
		t.Fatalf("cancel of a job that is %s: %v", j.state, err)
	} else if wrong {
		return
	}
	j.state = contract.JobCanceled
	if m.running == j {
		m.running = nil
	}
	m.begin(t)
}

// Retry queues a job again, whatever it is.
func (m *model) Retry(t *rapid.T) {
	j := m.with(t, contract.JobStates()...)
	_, err := m.s.Retry(m.t.Context(), j.ref)
	if right := j.state == contract.JobFailed || j.state == contract.JobCanceled; right != (err == nil) || !right && code(err) != contract.CodeConflict {
		t.Fatalf("retry of a job that is %s: %v", j.state, err)
	} else if !right {
		return
	}
	j.state, j.attempt = contract.JobQueued, 0
	m.begin(t)
}

// begin waits until the instance works on a job, if there is one for it.
func (m *model) begin(t *rapid.T) {
	idle := m.crew != nil && m.running == nil
	if !idle || !slices.ContainsFunc(m.jobs, func(j *modelJob) bool { return j.state == contract.JobQueued }) {
		return
	}
	for m.running == nil {
		select {
		case ref := <-m.began:
			j := m.jobs[slices.IndexFunc(m.jobs, func(j *modelJob) bool { return j.ref == ref })]
			if j.state == contract.JobCanceled {
				continue // in the moment in which it was canceled
			}
			if j.state != contract.JobQueued {
				t.Fatalf("job %s began, which is %s", ref.ID(), j.state)
			}
			m.running = j
			j.state = contract.JobRunning
			j.attempt++
		case <-time.After(patience):
			t.Fatalf("waited in vain for one of the queued jobs to begin")
		}
	}
}

// Check compares all jobs with what the broker says of them.
func (m *model) Check(t *rapid.T) {
	for _, j := range m.jobs {
		m.check(t, j)
	}
}

func (m *model) check(t *rapid.T, j *modelJob) {
	var job contract.Job
	var err error
	brokertest.Await(m.t, fmt.Sprintf("job %s is %s in attempt %d", j.ref.ID(), j.state, j.attempt), func() bool {
		job, err = m.s.Get(m.t.Context(), j.ref)
		// Of an attempt that was just beginning when the job was canceled, nothing was written.
		counted := job.Attempt == j.attempt || j.state == contract.JobCanceled
		return err != nil || job.State == j.state && counted
	})
	if err != nil || job.State == contract.JobSucceeded && string(job.Result.Value) != `{"text":"`+j.text+`"}` {
		t.Fatalf("got %+v, %v", job, err)
	}
}

// TestModel does anything that can be done to jobs in any order, and compares what they
// are with what they should be.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		b := brokertest.Start(t)
		defer b.Shutdown()
		nc := brokertest.Connect(t, b)
		defer nc.Close()
		s, err := jobs.Open(nc, jobs.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		m := &model{t: t, s: s, began: make(chan contract.JobRef, 100), ends: make(chan error)}
		m.hire = func() *crew {
			return hire(t, s, 1, func(ctx context.Context, a *jobs.Attempt) ([]byte, error) {
				m.began <- a.Ref()
				select {
				case err := <-m.ends:
					return a.Message().Data, err
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			})
		}
		defer func() {
			if m.crew != nil {
				m.crew.dismiss()
			}
		}()
		rt.Repeat(map[string]func(*rapid.T){
			"submit": m.Submit, "repeat": m.Repeat, "come": m.Come, "go": m.Go, "succeed": m.Succeed,
			"fail": m.Fail, "cancel": m.Cancel, "retry": m.Retry, "check": m.Check, "": func(*rapid.T) {},
		})
		m.Check(rt)
	})
}
