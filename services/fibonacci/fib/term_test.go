package fib_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
)

// testing.T and rapid.T both are one.
type fataler interface {
	Helper()
	Context() context.Context
	Fatalf(format string, args ...any)
}

// solve returns the result of a request that must have one.
func solve(t fataler, request contract.TermRequest) contract.TermResult {
	t.Helper()
	if err := request.Validate(); err != nil {
		t.Fatalf("request %.60v: %v", request, err)
	}
	result, err := fib.SolveTerm(t.Context(), request)
	if err != nil {
		t.Fatalf("solve %.60v: %v", request, err)
	}
	if result.N != request.N {
		t.Fatalf("the result is for n = %.60s, not for %.60s", result.N, request.N)
	}
	if digits := len(strings.TrimPrefix(string(result.Value), "-")); result.Digits != digits {
		t.Fatalf("F(%.60s): digits = %d, want %d", result.N, result.Digits, digits)
	}
	return result
}

// term returns F(n) as a big.Int.
func term(t fataler, n int64) *big.Int {
	t.Helper()
	return solve(t, contract.TermRequest{N: contract.NewInteger(n)}).Value.Big()
}

func TestTerms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ n, want contract.Integer }{
		{"0", "0"}, {"1", "1"}, {"2", "1"}, {"3", "2"}, {"4", "3"}, {"5", "5"}, {"6", "8"}, {"7", "13"},
		{"8", "21"}, {"9", "34"}, {"10", "55"}, {"17", "1597"}, {"18", "2584"}, {"19", "4181"},
		{"78", "8944394323791464"},     // the last one below 2^53
		{"79", "14472334024676221"},    // the first one a JSON number may lose
		{"92", "7540113804746346429"},  // the last one in an int64
		{"93", "12200160415121876738"}, // the last one in a uint64
		{"94", "19740274219868223167"}, // the first one beyond
		{"100", "354224848179261915075"},
		{"300", "222232244629420445529739893461909967206666939096499764990979600"},
		{"-1", "1"}, {"-2", "-1"}, {"-3", "2"}, {"-4", "-3"}, {"-8", "-21"},
		{"-93", "12200160415121876738"}, {"-94", "-19740274219868223167"},
	} {
		if got := solve(t, contract.TermRequest{N: c.n}).Value; got != c.want {
			t.Errorf("F(%s) = %s, want %s", c.n, got, c.want)
		}
	}
}

// TestLargeTerms compares with hashes of digits that GMP has computed, in binary.
func TestLargeTerms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n      contract.Integer
		sha256 string
	}{
		{"1000", "30ad6e2a0cbbd0a636a53ce8df4f703ece426736cf4777519f1c5cffbea2e220"},
		{"10000", "e9c83559a05641cfd86d6c192c53fdfda87b8e53470b63dc19d1d0d7526e987a"},
		{"100000", "9fe22f691a91170da9006226d479ad986b2f92021b7045ecfb0a5091b641b802"},
		{"1000000", "aef6e8c19df607aa07940f2abde8460d1b34c18df1a6f46b5fc04dfe9be51706"},
		{"10000000", "dee686d8c2407fb7fae2c58f8096d07baa790709d489454691af77d29cf3fb4d"},
	} {
		sum := sha256.Sum256([]byte(solve(t, contract.TermRequest{N: c.n}).Value))
		if got := hex.EncodeToString(sum[:]); got != c.sha256 {
			t.Errorf("F(%s): SHA-256 %s, want %s", c.n, got, c.sha256)
		}
	}
}

// TestAddition checks F(m+n) = F(m) F(n+1) + F(m-1) F(n), which holds for all integers.
func TestAddition(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		index := rapid.Int64Range(-20_000, 20_000)
		m, n := index.Draw(t, "m"), index.Draw(t, "n")
		want := new(big.Int).Mul(term(t, m), term(t, n+1))
		want.Add(want, new(big.Int).Mul(term(t, m-1), term(t, n)))
		if term(t, m+n).Cmp(want) != 0 {
			t.Fatalf("F(%d+%d) does not follow from F(%[1]d) and F(%[2]d)", m, n)
		}
	})
}

// TestNegativeIndices checks F(-n) = (-1)^(n+1) F(n), with a modulus too.
func TestNegativeIndices(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, 5000).Draw(t, "n")
		want := term(t, n)
		if n%2 == 0 {
			want.Neg(want)
		}
		if got := term(t, -n); got.Cmp(want) != 0 {
			t.Fatalf("F(%d) = %s, want %s", -n, got, want)
		}
		m := rapid.Int64Range(1, 1000).Draw(t, "m")
		want.Mod(want, big.NewInt(m))
		got := solve(t, contract.TermRequest{N: contract.NewInteger(-n), Modulus: contract.NewInteger(m)})
		if got.Value.Big().Cmp(want) != 0 {
			t.Fatalf("F(%d) mod %d = %s, want %s", -n, m, got.Value, want)
		}
	})
}

func TestModulusReducesTheTerm(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(-5000, 5000).Draw(t, "n")
		m := rapid.StringMatching(`[1-9][0-9]{0,60}`).Draw(t, "m")
		got := solve(t, contract.TermRequest{N: contract.NewInteger(n), Modulus: contract.Integer(m)})
		want := term(t, n)
		want.Mod(want, contract.Integer(m).Big())
		if string(got.Value) != want.String() {
			t.Fatalf("F(%d) mod %s = %s, want %s", n, m, got.Value, want)
		}
	})
}

// TestLastDigitsRepeat uses the periods of the last k digits (OEIS A096363) to check
// indices far beyond any other way of checking.
func TestLastDigitsRepeat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		modulus contract.Integer
		period  int64
	}{{"10", 60}, {"100", 300}, {"1000", 1500}, {"10000", 15_000}, {"100000", 150_000}} {
		for _, size := range []int{1, 19, 20, 500, contract.MaxTermDigits} {
			n := contract.Integer(strings.Repeat("7", size))
			got := solve(t, contract.TermRequest{N: n, Modulus: c.modulus}).Value
			reduced := new(big.Int).Mod(n.Big(), big.NewInt(c.period))
			want := solve(t, contract.TermRequest{N: contract.Integer(reduced.String()), Modulus: c.modulus}).Value
			if got != want {
				t.Errorf("%d digits, modulo %s: %s, want %s as for n = %s", size, c.modulus, got, want, reduced)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, request := range map[string]contract.TermRequest{
		"one above the limit": {N: contract.NewInteger(fib.MaxIndex + 1)},
		"one below the limit": {N: contract.NewInteger(-fib.MaxIndex - 1)},
		"beyond 64 bits":      {N: "18446744073709551617"},
		"ten thousand digits": {N: contract.Integer(strings.Repeat("9", contract.MaxTermDigits))},
	} {
		if err := request.Validate(); err != nil {
			t.Errorf("%s: Validate: %v", name, err)
		}
		_, err := fib.SolveTerm(t.Context(), request)
		e := contract.FromError(err)
		if e.Code != contract.CodeInvalidArgument || e.Field != "n" || !strings.Contains(e.Detail, strconv.Itoa(fib.MaxIndex)) {
			t.Errorf("%s: %v, want an invalid n and the limit", name, err)
		}
		if !estimate(request).Light {
			t.Errorf("%s: the refusal should not wait for a slot", name)
		}
	}
}

func TestCanceledWork(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	long := contract.Integer(strings.Repeat("9", contract.MaxTermDigits))
	for _, request := range []contract.TermRequest{
		{N: contract.NewInteger(fib.MaxIndex)},
		{N: long, Modulus: "10"},
		{N: long, Modulus: long},
	} {
		result, err := fib.SolveTerm(ctx, request)
		if !errors.Is(err, context.Canceled) || contract.FromError(err).Code != contract.CodeCanceled {
			t.Errorf("a result of %d digits and %v, want it canceled", result.Digits, err)
		}
	}
}

// TestEveryInputHasItsAnswer is about programs that lose or confuse inputs when there are
// more or fewer of them than workers, when some are equal, or when one is 0. Four callers
// share the solver.
func TestEveryInputHasItsAnswer(t *testing.T) {
	t.Parallel()
	many, manyWant := make([]int64, 1000), make([]string, 1000)
	for i := range many {
		many[i] = int64(i % 200)
		manyWant[i] = term(t, many[i]).String()
	}
	for _, c := range []struct {
		name   string
		inputs []int64
		want   []string
	}{
		{"three", []int64{3, 10, 5}, []string{"2", "55", "5"}},
		{"four", []int64{3, 10, 5, 7}, []string{"2", "55", "5", "13"}},
		{"five", []int64{4, 3, 8, 6, 10}, []string{"3", "2", "21", "8", "55"}},
		{"nine", []int64{8, 10, 19, 6, 17, 18, 4, 7, 9}, []string{"21", "55", "4181", "8", "1597", "2584", "3", "13", "34"}},
		{"zero among them", []int64{3, 0, 4}, []string{"2", "0", "3"}},
		{"equal ones", []int64{7, 7, 2, 7}, []string{"13", "13", "1", "13"}},
		{"beyond 4300 digits", []int64{20_578, 20_577}, []string{term(t, 20_578).String(), term(t, 20_577).String()}},
		{"one", []int64{10}, []string{"55"}},
		{"none", nil, nil},
		{"a thousand", many, manyWant},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			answers := make([]contract.TermResult, len(c.inputs))
			next := make(chan int)
			var callers sync.WaitGroup
			for range 4 {
				callers.Go(func() {
					for i := range next {
						result, err := fib.SolveTerm(t.Context(), contract.TermRequest{N: contract.NewInteger(c.inputs[i])})
						if err != nil {
							t.Errorf("input %d: %v", i, err)
						}
						answers[i] = result
					}
				})
			}
			for i := range c.inputs {
				next <- i
			}
			close(next)
			callers.Wait()
			for i, answer := range answers {
				if string(answer.Value) != c.want[i] || answer.N != contract.NewInteger(c.inputs[i]) {
					t.Errorf("input %d: F(%s) = %s, want F(%d) = %s", i, answer.N, answer.Value, c.inputs[i], c.want[i])
				}
			}
		})
	}
}

func BenchmarkSolveTerm(b *testing.B) {
	for _, request := range []contract.TermRequest{
		{N: "10"}, {N: "93"}, {N: "100"}, {N: "1000"}, {N: "2000"}, {N: "10000"}, {N: "100000"},
		{N: "1000000000000000000", Modulus: "1000000007"},
	} {
		b.Run(fmt.Sprintf("n=%s/modulus=%s", request.N, request.Modulus), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := fib.SolveTerm(b.Context(), request); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
