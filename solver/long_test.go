package solver_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/solver"
)

// repunit is the result of the example: a number of nothing but ones, as short in memory
// as it is long on paper.
type repunit struct{ digits int }

// Memory implements [solver.Long].
func (repunit) Memory() int64 { return 8 }

// Encode implements [solver.Long].
func (r repunit) Encode(media string) solver.Encoded {
	value := solver.Appended(r.digits, func(dst []byte, from, to int) []byte {
		return append(dst, bytes.Repeat([]byte("1"), to-from)...)
	})
	if media == contract.MediaText {
		return value
	}
	return solver.Concat(
		strings.NewReader(`{"value":"`), value, strings.NewReader(fmt.Sprintf(`","digits":%d}`, r.digits)))
}

type repunitRequest struct {
	Digits int `json:"digits"`
}

func (r repunitRequest) Validate() error {
	if r.Digits < 1 {
		return contract.Invalid("digits", "must be at least 1")
	}
	return nil
}

type repunitResult struct {
	Value  string `json:"value"`
	Digits int    `json:"digits"`
}

func (r repunitResult) AppendPlain(dst []byte) []byte { return append(dst, r.Value...) }

var repunitOf = contract.Define[repunitRequest, repunitResult](contract.Spec{Service: "repunit", Operation: "of", Summary: "A number of ones"})

// ExampleBindLong binds a solver whose result is written while it is read: a text of any
// length takes no more memory than a part of it.
func ExampleBindLong() {
	op := solver.BindLong(repunitOf,
		func(_ context.Context, r repunitRequest) (repunitResult, solver.Long, error) {
			return repunitResult{}, repunit{r.Digits}, nil
		},
		func(repunitRequest) solver.Cost { return solver.Cost{} })

	result, err := op.Solve(context.Background(), &repunitRequest{Digits: 1_000_000_000_000})
	if err != nil {
		fmt.Println(err)
		return
	}
	text := result.(solver.Long).Encode(contract.MediaJSON)
	part := make([]byte, 26)
	_, err = text.ReadAt(part, text.Size()-int64(len(part)))
	fmt.Printf("%d bytes, the last ones %s, %v\n", text.Size(), part, err)
	// Output: 1000000000035 bytes, the last ones 1","digits":1000000000000}, <nil>
}

func TestBindLong(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	op := solver.BindLong(repunitOf,
		func(_ context.Context, r repunitRequest) (repunitResult, solver.Long, error) {
			switch r.Digits {
			case 1:
				return repunitResult{Value: "1", Digits: 1}, nil, nil
			case 2:
				return repunitResult{}, nil, broken
			}
			return repunitResult{}, repunit{r.Digits}, nil
		},
		func(r repunitRequest) solver.Cost { return solver.Cost{Memory: int64(r.Digits)} })
	if got, err := op.Solve(t.Context(), &repunitRequest{Digits: 1}); err != nil || got != (repunitResult{Value: "1", Digits: 1}) {
		t.Errorf("without a Long: %v, %v", got, err)
	}
	if got, err := op.Solve(t.Context(), &repunitRequest{Digits: 2}); !errors.Is(err, broken) {
		t.Errorf("an error: %v, %v", got, err)
	}
	if got, err := op.Solve(t.Context(), &repunitRequest{Digits: 3}); err != nil || got != (repunit{3}) {
		t.Errorf("with a Long: %v, %v", got, err)
	}
	if op.Estimate(&repunitRequest{Digits: 5}).Memory != 5 || op.Validate(&repunitRequest{}) == nil {
		t.Error("the operation does not estimate or validate")
	}
}

// letters has the letters of the alphabet as often as it takes.
func letters(size int) solver.Encoded {
	return solver.Appended(size, func(dst []byte, from, to int) []byte {
		for i := from; i < to; i++ {
			dst = append(dst, byte('a'+i%26))
		}
		return dst
	})
}

// TestReadAt holds the readers to what io.ReaderAt promises.
func TestReadAt(t *testing.T) {
	t.Parallel()
	whole, err := io.ReadAll(io.NewSectionReader(letters(100), 0, 100))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text solver.Encoded
		want string
	}{
		"appended":        {letters(100), string(whole)},
		"appended, empty": {letters(0), ""},
		"concat":          {solver.Concat(strings.NewReader("<"), letters(30), strings.NewReader(""), letters(0), letters(3), strings.NewReader(">>")), "<" + string(whole[:30]) + "abc>>"},
		"concat of none":  {solver.Concat(), ""},
		"nested":          {solver.Concat(solver.Concat(letters(2), letters(2)), letters(1)), "ababa"},
	} {
		if c.text.Size() != int64(len(c.want)) {
			t.Errorf("%s: size %d, want %d", name, c.text.Size(), len(c.want))
		}
		if err := iotest.TestReader(io.NewSectionReader(c.text, 0, c.text.Size()), []byte(c.want)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for from := range len(c.want) + 2 {
			for length := range len(c.want) + 2 {
				p := make([]byte, length)
				n, err := c.text.ReadAt(p, int64(from))
				want := c.want[min(from, len(c.want)):min(from+length, len(c.want))]
				if string(p[:n]) != want || (err == nil) != (n == length) || err != nil && !errors.Is(err, io.EOF) {
					t.Fatalf("%s: %d bytes at %d: %q, %v; want %q", name, length, from, p[:n], err, want)
				}
			}
		}
	}
}

func TestReadAtFails(t *testing.T) {
	t.Parallel()
	short := solver.Appended(10, func(dst []byte, _, _ int) []byte { return append(dst, "abc"...) })
	for name, text := range map[string]solver.Encoded{
		"appended": short,
		"concat":   solver.Concat(strings.NewReader("<"), short, strings.NewReader(">")),
	} {
		if n, err := text.ReadAt(make([]byte, 5), 0); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: a function that appends too little went unnoticed: %d, %v", name, n, err)
		}
	}
}

// TestAppendedElsewhere reads from a function that does not use the room it is given.
func TestAppendedElsewhere(t *testing.T) {
	t.Parallel()
	text := solver.Appended(4, func(_ []byte, from, to int) []byte { return []byte("abcd")[from:to] })
	p := make([]byte, 2)
	if n, err := text.ReadAt(p, 1); n != 2 || err != nil || string(p) != "bc" {
		t.Errorf("got %q, %d, %v", p, n, err)
	}
}
