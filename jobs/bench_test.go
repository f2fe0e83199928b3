package jobs_test

import (
	"errors"
	"strconv"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

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

// BenchmarkHeal makes passes where many jobs have ended and as many are queued. A pass looks
// at 10,000 of each.
func BenchmarkHeal(b *testing.B) {
	const many = 100_000
	nc := brokertest.Connect(b, brokertest.Start(b))
	s := open(b, nc)
	if err := s.Prepare(b.Context(), echo.Service); err != nil {
		b.Fatal(err)
	}
	s.Hurry()
	js, err := jetstream.New(nc)
	if err != nil {
		b.Fatal(err)
	}
	for i := range many {
		ref := contract.JobRef{Tenant: contract.DefaultTenant, Service: echo.Service, Operation: echo.Operation, Token: strconv.Itoa(i)}
		_, err1 := js.PublishMsgAsync(&nats.Msg{Subject: ref.WorkSubject(contract.ClassNormal), Data: []byte(`{"text":"1"}`)})
		ref.Token = "e" + ref.Token
		_, err2 := js.PublishMsgAsync(&nats.Msg{
			Subject: ref.RecordSubject(), Data: []byte(`{"state":"succeeded"}`), Header: nats.Header{contract.HeaderState: {string(contract.JobSucceeded)}},
		})
		if err := errors.Join(err1, err2); err != nil {
			b.Fatal(err)
		}
		if i%1000 == 0 {
			<-js.PublishAsyncComplete() // a slow broker is not to be left behind
		}
	}
	<-js.PublishAsyncComplete()
	for b.Loop() {
		if err := s.Heal(b.Context(), echo.Service); err != nil {
			b.Fatal(err)
		}
	}
}
