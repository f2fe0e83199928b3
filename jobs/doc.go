// Package jobs keeps durable jobs on JetStream: it stores what is submitted, hands it to
// instances that have room, commits one result and answers what became of it. It solves
// nothing and knows no slots: package host does, with a [Runner] for each service.
//
// What it promises: a job that was accepted is stored. It runs at least once, at most one
// result is committed, and it ends in exactly one terminal state. How much a power cut can
// undo of that depends on the broker's settings; docs/jobs.md says which.
//
// # Shape
//
// A job is one message in the work stream of its service, under a subject of its own,
// which makes it unique while it is queued. Nothing else is written when it is submitted.
// The record, a document in a key-value bucket, is written by who works on the job: once
// it has run for a moment, and when it ends, together with its result if that is small.
// Every write compares the revision of the record, so the write that ends a job is the
// one commit. Only then is the message acknowledged.
//
//	queued    a message, and no record or one that says queued
//	running   a message, and usually a record that says running
//	ended     no message, and a record in a terminal state until it expires
//
// An instance holds a job by acknowledging progress every half second. If it stops, the
// broker gives the message to another one. The record of a running job names the delivery
// it belongs to, so that one that was frozen and wakes up cannot take the job back.
//
// A schedule is one message as well, of which the broker stores a copy whenever it is due. A
// [Service] makes a job of that. Its token follows from the schedule and the time, so it is
// one job however often the copy is delivered.
//
// What is left half-written when somebody dies in the middle of it is put right by those who
// serve jobs, in turns; see [Store.Heal].
//
//	store, err := jobs.Open(nc, jobs.Config{})
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//	job, err := store.Submit(ctx, jobs.Submission{Endpoint: contract.FibonacciTerm.Descriptor(), Body: body})
package jobs
