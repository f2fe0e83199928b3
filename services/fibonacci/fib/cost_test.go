package fib_test

import (
	"strings"
	"testing"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
	"github.com/seed-649d3d38/heddle/solver"
)

// estimate returns what the service tells its host about a request.
func estimate(request contract.TermRequest) solver.Cost {
	return fib.Service().Operations[0].Estimate(&request)
}

// TestEstimatedSizes compares the estimates with the results. An estimate that is too
// small lets work begin whose reply cannot be sent; one that is much too large refuses
// what could be.
func TestEstimatedSizes(t *testing.T) {
	t.Parallel()
	const slack = 16
	for _, n := range []contract.Integer{"0", "1", "-2", "10", "93", "-94", "100", "1000", "-2000"} {
		request := contract.TermRequest{N: n}
		cost, size := estimate(request), int64(len(encode(t, solve(t, request))))
		if cost.Result < size || cost.Result > size+slack {
			t.Errorf("n = %s: estimated result of %d bytes, has %d", n, cost.Result, size)
		}
		if cost.Memory < size-64 {
			t.Errorf("n = %s: estimated memory of %d bytes is less than the result of %d", n, cost.Memory, size)
		}
	}
	long := contract.Integer(strings.Repeat("9", 500))
	request := contract.TermRequest{N: long, Modulus: long}
	if cost, size := estimate(request), int64(len(encode(t, solve(t, request)))); cost.Result < size {
		t.Errorf("with a modulus: estimated result of %d bytes, has %d", cost.Result, size)
	}
}

func TestLightRequests(t *testing.T) {
	t.Parallel()
	digits := func(n int) contract.Integer { return contract.Integer(strings.Repeat("9", n)) }
	for _, c := range []struct {
		request contract.TermRequest
		light   bool
	}{
		{contract.TermRequest{N: "0"}, true},
		{contract.TermRequest{N: "-1000"}, true},
		{contract.TermRequest{N: "2000"}, true},
		{contract.TermRequest{N: "2001"}, false},
		{contract.TermRequest{N: "1000000"}, false},
		{contract.TermRequest{N: digits(100), Modulus: digits(19)}, true},
		{contract.TermRequest{N: digits(101), Modulus: digits(19)}, false},
		{contract.TermRequest{N: digits(100), Modulus: digits(20)}, false},
		{contract.TermRequest{N: digits(10_000), Modulus: digits(10_000)}, false},
	} {
		if got := estimate(c.request).Light; got != c.light {
			t.Errorf("n = %.20s, modulus = %.20s: light is %t, want %t", c.request.N, c.request.Modulus, got, c.light)
		}
	}
}
