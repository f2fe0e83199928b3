package jobs_test

import (
	"sync"
	"testing"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
)

func BenchmarkJobs(b *testing.B) {
	s := open(b, brokertest.Connect(b, brokertest.Start(b)))
	hire(b, s, 64, say)
	await(b, s, submit(b, s, `{"text":"0"}`, contract.JobOptions{}))
	var all sync.WaitGroup
	refs := make(chan contract.JobRef, b.N)
	b.ResetTimer()
	for range 64 {
		all.Go(func() {
			for range b.N / 64 {
				refs <- submit(b, s, `{"text":"10"}`, contract.JobOptions{})
			}
		})
	}
	all.Wait()
	close(refs)
	var last []contract.JobRef
	for r := range refs {
		last = append(last, r)
	}
	for _, r := range last[max(0, len(last)-100):] {
		await(b, s, r)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
}
