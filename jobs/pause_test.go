package jobs_test

import (
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
)

func TestPause(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	s := open(t, nc)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Pause(t.Context(), echo.Service); err != nil {
		t.Fatal(err)
	}
	hire(t, s, 1, say)
	ref := submit(t, s, `{"text":"42"}`, contract.JobOptions{})
	consumer, err := js.Consumer(t.Context(), contract.WorkStream(echo.Service), contract.WorkConsumer(contract.ClassNormal, contract.DefaultTenant))
	if err != nil {
		t.Fatal(err)
	}
	// The instance has asked for the job and did not get it.
	brokertest.Await(t, "the instance to ask", func() bool {
		info, err := consumer.Info(t.Context())
		return err == nil && info.NumWaiting > 0 && info.NumPending == 1
	})
	if job, err := s.Get(t.Context(), ref); err != nil || job.State != contract.JobQueued {
		t.Fatalf("while paused: %+v, %v", job, err)
	}
	for range 2 {
		if err := s.Resume(t.Context(), echo.Service); err != nil {
			t.Fatal(err)
		}
	}
	if job := await(t, s, ref); job.State != contract.JobSucceeded {
		t.Errorf("after it was resumed: %s", job.State)
	}
}
