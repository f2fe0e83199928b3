package client_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
	"github.com/seed-649d3d38/heddle/services/sqrt/root"
)

func TestTally(t *testing.T) {
	t.Parallel()
	s := start(t, fib.Service(), root.Service())
	for name, c := range s.callers() {
		tally := client.NewTally(c)
		requests := slices.Repeat([]contract.TermRequest{{N: "1000"}}, 30)
		if _, err := client.Scatter(t.Context(), 4, client.Remote(tally, contract.FibonacciTerm), slices.Values(requests)); err != nil {
			t.Fatal(err)
		}
		stream, err := client.Open(t.Context(), tally, contract.SqrtInteger, contract.IntegerRootRequest{X: "4"}, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Call(t.Context(), tally, contract.SqrtInteger, contract.IntegerRootRequest{X: "-4"}); !errors.Is(err, contract.CodeInvalidArgument) {
			t.Fatalf("%s: got %v, want %s", name, err, contract.CodeInvalidArgument)
		}
		if n := tally.Requests(); n != 32 {
			t.Errorf("%s: counted %d requests, want 32", name, n)
		}
		counts := tally.Counts()
		if len(counts) != 3 || counts[0].Requests != 30 || counts[1].Requests != 1 || counts[2].Requests != 1 {
			t.Fatalf("%s: got %+v", name, counts)
		}
		if c := counts[0]; c.Service != "fibonacci" || c.Instance == "" || c.Working <= 0 {
			t.Errorf("%s: got %+v, want the work of an instance", name, c)
		}
		if c := counts[1]; c.Service != "sqrt" || c.Instance != "" || c.Working != 0 {
			t.Errorf("%s: got %+v, want a request that failed", name, c)
		}
		var table strings.Builder
		if err := tally.Print(&table); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"SERVICE", counts[0].Instance, "93.8 %", "(failed)", "3.1 %"} {
			if !strings.Contains(table.String(), want) {
				t.Errorf("%s: %q is missing from\n%s", name, want, &table)
			}
		}
	}
}

// answers is a caller whose replies are made up, with times that never change.
type answers struct {
	client.Caller
	origins []client.Origin
}

func (a *answers) Send(context.Context, contract.Spec, []byte, string) (client.Reply, error) {
	origin := a.origins[0]
	a.origins = a.origins[1:]
	return client.Reply{Body: []byte("{}"), Origin: origin}, nil
}

// ExampleTally prints who has done the work.
func ExampleTally() {
	tally := client.NewTally(&answers{origins: []client.Origin{
		{Instance: "left", Timing: "queue;dur=0.500, work;dur=20.000"},
		{Instance: "right", Timing: "queue;dur=0.000, work;dur=30.000"},
		{Instance: "left", Timing: "queue;dur=1.500, work;dur=40.000"},
	}})
	for range 3 {
		if _, err := client.Call(context.Background(), tally, contract.FibonacciTerm, contract.TermRequest{N: "1"}); err != nil {
			fmt.Println(err)
		}
	}
	if err := tally.Print(os.Stdout); err != nil {
		fmt.Println(err)
	}
	fmt.Println(tally.Counts()[0].Working == 60*time.Millisecond)
	// Output:
	// SERVICE    INSTANCE  REQUESTS  SHARE   TOTAL TIME  MEAN TIME  MEAN WAIT
	// fibonacci  left      2         66.7 %  60ms        30ms       1ms
	// fibonacci  right     1         33.3 %  30ms        30ms       0s
	// true
}
