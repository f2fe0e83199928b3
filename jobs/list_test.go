package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/jobs"
)

// list returns the ids of all jobs that match, page by page.
func list(t testing.TB, s *jobs.Store, q contract.JobQuery) (ids []string) {
	t.Helper()
	for {
		page, err := s.List(t.Context(), q, "other", echo.Service)
		if err != nil {
			t.Fatalf("list %+v: %v", q, err)
		}
		if q.Limit > 0 && len(page.Jobs) > q.Limit {
			t.Fatalf("list %+v: a page of %d jobs", q, len(page.Jobs))
		}
		for _, job := range page.Jobs {
			if q.State != "" && job.State != q.State {
				t.Errorf("list %+v: job %s is %s", q, job.ID, job.State)
			}
			if job.Result != nil && (job.Result.Value != nil || job.Result.Text != "") {
				t.Errorf("list %+v: job %s has its result with it", q, job.ID)
			}
			ids = append(ids, job.ID)
		}
		if page.Next == "" {
			return ids
		}
		q.Page = page.Next
	}
}

// byText works as the request says.
func byText(ctx context.Context, a *jobs.Attempt) ([]byte, error) {
	var r echoRequest
	if err := json.Unmarshal(a.Message().Data, &r); err != nil {
		return nil, err
	}
	switch r.Text {
	case "hold":
		<-ctx.Done()
		return nil, ctx.Err()
	case "fail":
		return nil, contract.Invalid("text", "must be another one")
	default:
		return a.Message().Data, nil
	}
}

// awaitState waits until a job is in the state.
func awaitState(t testing.TB, s *jobs.Store, ref contract.JobRef, state contract.JobState) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for event, err := range s.Watch(ctx, ref) {
		if err != nil {
			t.Fatalf("waited in vain for job %s to be %s: %v", ref.ID(), state, err)
		}
		if event.Job.State == state {
			return
		}
	}
	t.Fatalf("job %s ended before it was %s", ref.ID(), state)
}

func TestListWithoutAnything(t *testing.T) {
	t.Parallel()
	s := open(t, brokertest.Connect(t, brokertest.Start(t)))
	for _, state := range append(contract.JobStates(), "") {
		if ids := list(t, s, contract.JobQuery{State: state}); ids != nil {
			t.Errorf("state %q: %v", state, ids)
		}
	}
}

func TestListQueuedWithoutInstances(t *testing.T) {
	t.Parallel()
	s := open(t, brokertest.Connect(t, brokertest.Start(t)))
	var want []string
	for i := range 300 { // more than one window
		o := contract.JobOptions{}
		if i%3 == 0 {
			o.Class = contract.ClassHigh
		}
		want = append(want, submit(t, s, fmt.Sprintf(`{"text":"%d"}`, i), o).ID())
	}
	slices.Reverse(want)
	for _, q := range []contract.JobQuery{
		{}, {Limit: 7}, {State: contract.JobQueued}, {State: contract.JobQueued, Limit: 100},
		{Service: echo.Service, Operation: echo.Operation, Limit: 299},
	} {
		if ids := list(t, s, q); !slices.Equal(ids, want) {
			t.Errorf("%+v: got %d jobs, %v", q, len(ids), ids)
		}
	}
	for _, q := range []contract.JobQuery{
		{State: contract.JobRunning}, {State: contract.JobFailed}, {Service: "other"},
		{Service: echo.Service, Operation: "shout"},
	} {
		if ids := list(t, s, q); ids != nil {
			t.Errorf("%+v: got %v", q, ids)
		}
	}
}

func TestListStates(t *testing.T) {
	t.Parallel()
	s := open(t, brokertest.Connect(t, brokertest.Start(t)))
	c := hire(t, s, 2, byText)
	var changed, succeeded []string // in the order of their last changes
	for i := range 20 {
		ref := submit(t, s, fmt.Sprintf(`{"text":"%d"}`, i), contract.JobOptions{})
		await(t, s, ref)
		succeeded = append(succeeded, ref.ID())
	}
	failed := submit(t, s, `{"text":"fail"}`, contract.JobOptions{})
	await(t, s, failed)
	canceled := submit(t, s, `{"text":"hold"}`, contract.JobOptions{})
	awaitState(t, s, canceled, contract.JobRunning)
	if _, err := s.Cancel(t.Context(), canceled); err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		ref := submit(t, s, fmt.Sprintf(`{"text":"%d"}`, i), contract.JobOptions{})
		await(t, s, ref)
		succeeded = append(succeeded, ref.ID())
	}
	changed = append(changed, succeeded[:20]...)
	changed = append(changed, failed.ID(), canceled.ID())
	changed = append(changed, succeeded[20:]...)
	var running []string
	for range 2 {
		ref := submit(t, s, `{"text":"hold"}`, contract.JobOptions{})
		awaitState(t, s, ref, contract.JobRunning)
		running = append(running, ref.ID())
	}
	queued := []string{submit(t, s, `{"text":"hold"}`, contract.JobOptions{}).ID()}
	changed = append(append(changed, running...), queued...)
	for q, want := range map[contract.JobQuery][]string{
		{}:                                     changed,
		{Limit: 3}:                             changed,
		{Limit: 1000, Service: echo.Service}:   changed,
		{State: contract.JobSucceeded}:         succeeded,
		{State: contract.JobFailed}:            {failed.ID()},
		{State: contract.JobCanceled}:          {canceled.ID()},
		{State: contract.JobRunning, Limit: 1}: running,
		{State: contract.JobQueued}:            queued,
	} {
		want = slices.Clone(want)
		slices.Reverse(want)
		if ids := list(t, s, q); !slices.Equal(ids, want) {
			t.Errorf("%+v: got %v\nwant %v", q, ids, want)
		}
	}
	c.dismiss()
	if _, err := s.Retry(t.Context(), failed); err != nil {
		t.Fatal(err)
	}
	if ids := list(t, s, contract.JobQuery{State: contract.JobFailed}); ids != nil {
		t.Errorf("after the retry: failed are %v", ids)
	}
	if ids := list(t, s, contract.JobQuery{Limit: 1}); ids[0] != failed.ID() {
		t.Errorf("after the retry: the newest is %v", ids[0])
	}
}

func TestListRefusesPages(t *testing.T) {
	t.Parallel()
	s := open(t, brokertest.Connect(t, brokertest.Start(t)))
	for range 2 {
		submit(t, s, `{"text":"x"}`, contract.JobOptions{})
	}
	first, err := s.List(t.Context(), contract.JobQuery{Limit: 1}, echo.Service)
	if err != nil || first.Next == "" {
		t.Fatalf("first page: %+v, %v", first, err)
	}
	for _, q := range []contract.JobQuery{
		{Page: "?"}, {Page: "AAAA"}, {Page: first.Next[1:]}, {Page: first.Next + "AA"}, {Page: first.Next[:len(first.Next)-2]},
		{Page: first.Next, State: contract.JobQueued}, {Page: first.Next, Service: echo.Service},
	} {
		_, err := s.List(t.Context(), q, echo.Service)
		if f, ok := errors.AsType[*contract.Error](err); !ok || f.Code != contract.CodeInvalidArgument {
			t.Errorf("%+v: %v", q, err)
		}
	}
}
