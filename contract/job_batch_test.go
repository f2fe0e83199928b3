package contract_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/seed-649d3d38/heddle/contract"
)

// TestBatchJobsOnTheWire pins what batches that are jobs put on the wire.
func TestBatchJobsOnTheWire(t *testing.T) {
	t.Parallel()
	gathered, err := json.Marshal(contract.Gathered[contract.TermResult]{Batch: "fibonacci-term-1", Items: []contract.GatheredItem[contract.TermResult]{
		{Index: 0, Result: &contract.TermResult{N: "10", Value: "55", Digits: 2}}, {Index: 1, Error: contract.Errorf(contract.CodeUpstream, "no")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]string{
		contract.SubmitBatchSubject("fibonacci", "term"): "heddle.v1.jobs.submit.fibonacci.term.batch",
		contract.ItemSubject("fibonacci", "term"):        "heddle.v1.items.fibonacci.term",
		contract.ItemBatchSubject("fibonacci", "term"):   "heddle.v1.items.fibonacci.term.batch",
		contract.ItemLane("fibonacci"):                   "fibonacci-items",
		contract.FormatOpenRange(10, 20):                 "bytes 10-19/*",
		string(gathered):                                 `{"batch":"fibonacci-term-1","items":[{"index":0,"result":{"n":"10","value":"55","digits":2}},{"index":1,"error":{"type":"urn:heddle:error:upstream","title":"Upstream failed","status":502,"detail":"no","code":"upstream"}}]}`,
	} {
		if got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
	if service, ok := contract.ServiceOf(contract.ItemBatchSubject("fibonacci", "term")); !ok || service != "fibonacci" {
		t.Errorf("got the service %q, %v", service, ok)
	}
}

// TestBatchOptions reads the options of a batch that were written, and refuses wrong ones.
func TestBatchOptions(t *testing.T) {
	t.Parallel()
	o := contract.JobOptions{Then: "sum.all", Items: 3, Gathered: "fibonacci-term-1"}
	headers := make(map[string]string)
	o.Headers(func(header, value string) { headers[header] = value })
	if got, err := contract.ParseJobOptions(func(header string) string { return headers[header] }); err != nil || got != o {
		t.Errorf("got %+v, %v", got, err)
	}
	for header, value := range map[string]string{contract.HeaderThen: "sum", contract.HeaderItems: "0", contract.HeaderGathered: "?"} {
		_, err := contract.ParseJobOptions(func(h string) string {
			if h == header {
				return value
			}
			return ""
		})
		if e, ok := errors.AsType[*contract.Error](err); !ok || e.Field != header {
			t.Errorf("%s: %s gave %v", header, value, err)
		}
	}
}

// TestGatheredMustBeWhole refuses results that are out of order, missing or double.
func TestGatheredMustBeWhole(t *testing.T) {
	t.Parallel()
	result, fault := new(contract.TermResult), contract.Errorf(contract.CodeUpstream, "no")
	for name, items := range map[string][]contract.GatheredItem[contract.TermResult]{
		"out of order": {{Index: 1, Result: result}},
		"without both": {{}},
		"with both":    {{Result: result, Error: fault}},
	} {
		if err := (contract.Gathered[contract.TermResult]{Items: items}).Validate(); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if err := (contract.Gathered[contract.TermResult]{Items: []contract.GatheredItem[contract.TermResult]{{Result: result}, {Index: 1, Error: fault}}}).Validate(); err != nil {
		t.Error(err)
	}
}
