package contract

import (
	"encoding/json"
	"strings"
)

// Headers of batches that are jobs.
const (
	// HeaderItems says of a queued job that it is a batch of so many requests. Whoever
	// stores the batch writes it; submissions do not carry it.
	HeaderItems = "Heddle-Items"

	// HeaderThen names, on the submission of a batch as a job, the operation that gets the
	// results of the batch, as <service>.<operation>.
	HeaderThen = "Heddle-Then"

	// HeaderGathered names, on a queued job, the batch whose results are its request: the
	// job has a [Gathered] in place of the message's body.
	HeaderGathered = "Heddle-Gathered"
)

// The bounds of batches that are jobs.
const (
	// MaxBatchJobBody is the largest body in bytes of a batch that becomes a job.
	MaxBatchJobBody = 32 << 20

	// MaxBatchJobItems is the largest number of requests in it.
	MaxBatchJobItems = 1_000_000

	// MaxGathered is the size in bytes of the largest results that a follow-up is given.
	MaxGathered = 32 << 20
)

// JobItems count the requests of a batch that is a job.
type JobItems struct {
	// Total is the number of requests; OK and Failed count those that have an outcome
	// which is stored.
	Total  int `json:"total"`
	OK     int `json:"ok"`
	Failed int `json:"failed"`
}

// SubmitBatchSubject returns the subject on which the jobs service takes a batch of
// requests of the operation as one job; tokens may be wildcards.
//
//	heddle.v1.jobs.submit.<service>.<operation>.batch
func SubmitBatchSubject(service, operation string) string {
	return SubmitSubject(service, operation) + ".batch"
}

// Gathered is the request of an operation that follows a batch: what came of each of its
// requests, in their order. An operation that can be named in [HeaderThen] is declared
// with it.
//
//	var Sum = contract.Define[contract.Gathered[TermResult], SumResult](…)
type Gathered[Res any] struct {
	// Batch is the id of the job that was the batch.
	Batch string              `json:"batch"`
	Items []GatheredItem[Res] `json:"items"`
}

// GatheredItem is what came of one request of a batch: its result or its error.
type GatheredItem[Res any] struct {
	Index  int    `json:"index"`
	Result *Res   `json:"result,omitempty"`
	Error  *Error `json:"error,omitempty"`
}

// Validate checks that every request has its outcome.
func (g Gathered[Res]) Validate() error {
	for i, item := range g.Items {
		switch {
		case item.Index != i:
			return Invalid("items", "must be in order: the one at %d has the index %d", i, item.Index)
		case (item.Result == nil) == (item.Error == nil):
			return Invalid("items", "must have either a result or an error each; the one at %d does not", i)
		}
	}
	return nil
}

// RawGathered is a [Gathered] of results that are not looked into.
type RawGathered = Gathered[json.RawMessage]

// ItemSubject returns the subject on which instances that take nothing but jobs get the
// requests of batches that are jobs. Others get them on [Subject].
//
//	heddle.v1.items.<service>.<operation>
func ItemSubject(service, operation string) string {
	return Subject(itemsWord+"."+service, operation)
}

// ItemBatchSubject returns the subject of chunks beside [ItemSubject].
//
//	heddle.v1.items.<service>.<operation>.batch
func ItemBatchSubject(service, operation string) string {
	return ItemSubject(service, operation) + ".batch"
}

// ItemLane returns the name under which the instances that take nothing but jobs have a
// lane of their own. No service has such a name.
//
//	<service>-items
func ItemLane(service string) string { return service + "-" + itemsWord }

// FormatOpenRange writes the value of a [HeaderContentRange] header for the bytes from and
// up to, but without, to of the lines of a batch that may get more.
//
//	bytes 0-524287/*
func FormatOpenRange(from, to int64) string {
	text := FormatContentRange(from, to, 0)
	return text[:len(text)-1] + "*"
}

// itemsWord is the token of subjects of items where others have the service.
const itemsWord = "items"

// parseOperation reads <service>.<operation>.
func parseOperation(text string) (service, operation string, ok bool) {
	service, operation, ok = strings.Cut(text, ".")
	return service, operation, ok && name.MatchString(service) && name.MatchString(operation)
}
