package client_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
)

// TestBatchJob submits a batch before there is an instance and reads its items as they come.
func TestBatchJob(t *testing.T) {
	t.Parallel()
	c, begin := startJobs(t)
	ctx, cancel := context.WithTimeout(t.Context(), jobPatience)
	defer cancel()
	requests := []contract.TermRequest{{N: "10"}, {N: "x"}, {N: "12"}, {N: "100000"}}
	job, err := client.SubmitBatch(ctx, c, contract.FibonacciTerm, requests, contract.JobOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if doc, err := job.Get(ctx); err != nil || doc.State != contract.JobQueued || doc.Items.Total != len(requests) {
		t.Errorf("before there is an instance: %+v, %v", doc, err)
	}
	begin(fib.Service())
	seen := make(map[int]bool)
	for item, err := range job.Items(ctx) {
		switch {
		case err != nil:
			t.Fatal(err)
		case (item.Err == nil) != (item.Index != 1):
			t.Errorf("got %+v", item)
		case item.Index == 2 && item.Result.Value != "144":
			t.Errorf("F(12) is %s", item.Result.Value)
		}
		seen[item.Index] = true
	}
	if len(seen) != len(requests) {
		t.Errorf("got the items %v", seen)
	}
}

// TestBatchJobErrors holds what callers are told of batches that are none, or do not end well.
func TestBatchJobErrors(t *testing.T) {
	t.Parallel()
	c, _ := startJobs(t)
	ctx, cancel := context.WithTimeout(t.Context(), jobPatience)
	defer cancel()
	if _, err := client.SubmitBatch(ctx, c, contract.FibonacciTerm, nil, contract.JobOptions{}); !errors.Is(err, contract.CodeMalformedRequest) {
		t.Errorf("no requests: %v", err)
	}
	if _, err := client.SubmitBatch(ctx, c, contract.FibonacciTerm, []contract.TermRequest{{N: contract.Integer(strings.Repeat("1", 2<<20))}}, contract.JobOptions{}); !errors.Is(err, contract.CodeRequestTooLarge) {
		t.Errorf("more than a message: %v", err)
	}
	if _, err := client.SubmitBatch(ctx, c, contract.FibonacciTerm, []contract.TermRequest{{N: "1"}}, contract.JobOptions{Then: "sqrt.root"}); !errors.Is(err, contract.CodeInvalidArgument) {
		t.Errorf("to be followed by what cannot: %v", err)
	}
	job, err := client.SubmitBatch(ctx, c, contract.FibonacciTerm, []contract.TermRequest{{N: "1"}}, contract.JobOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := job.Cancel(ctx); err != nil {
		t.Fatal(err)
	}
	for item, err := range job.Items(ctx) {
		if !errors.Is(err, contract.CodeCanceled) {
			t.Errorf("of a canceled batch: %+v, %v", item, err)
		}
	}
}
