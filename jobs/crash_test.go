package jobs_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
)

// TestCrashes kills an instance at each point of its work on a job. Another one ends the
// job, once.
func TestCrashes(t *testing.T) {
	t.Parallel()
	for point, c := range map[string]struct{ executions, attempts int }{
		"delivery":     {1, 1},
		"running":      {2, 2},
		"handler":      {2, 2},
		"handled":      {2, 2},
		"stored":       {1, 1},
		"acknowledged": {1, 1},
	} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			b := brokertest.Listen(t)
			nc := b.Connect()
			s := open(t, nc)
			log := filepath.Join(t.TempDir(), "log")
			ref := submit(t, s, `{"text":"42"}`, contract.JobOptions{})
			first := start(t, "instance", "URL="+b.URL, "LOG="+log, "WORK=300ms", "POINT="+point)
			_ = first.cmd.Wait()
			start(t, "instance", "URL="+b.URL, "LOG="+log, "WORK=10ms", "POINT=")
			job := await(t, s, ref)
			if job.State != contract.JobSucceeded || job.Attempt != c.attempts || string(job.Result.Value) != `{"text":"42"}` {
				t.Errorf("got %+v", job)
			}
			js, err := jetstream.New(nc)
			if err != nil {
				t.Fatal(err)
			}
			brokertest.Await(t, "the job is acknowledged", func() bool {
				work, err := js.Stream(t.Context(), contract.WorkStream(echo.Service))
				return err == nil && work.CachedInfo().State.Msgs == 0
			})
			executed, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			if n := bytes.Count(executed, []byte("\n")); n != c.executions {
				t.Errorf("%d executions, want %d", n, c.executions)
			}
		})
	}
}
