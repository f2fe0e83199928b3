package pages_test

import (
	"context"
	"runtime"
	"slices"
	"testing"

	"github.com/seed-649d3d38/heddle/decimal/internal/pages"
)

// TestWords asks for lengths on both sides of where huge pages begin and end. What comes
// must be zero, of the right length, and nobody else's, also after memory was freed.
func TestWords(t *testing.T) {
	t.Parallel()
	const page = 1 << 18
	for _, n := range []int{0, 1, page/2 - 1, page / 2, page - 1, page, page + 1, 5*page + 7} {
		for range 3 {
			a, b := pages.Words(n), pages.Words(n)
			if len(a) != n || cap(a) != n {
				t.Fatalf("%d words have length %d and capacity %d", n, len(a), cap(a))
			}
			for i := range a {
				a[i] = ^uint64(0)
			}
			if i := slices.IndexFunc(b, func(v uint64) bool { return v != 0 }); i >= 0 {
				t.Fatalf("%d words: word %d is not zero", n, i)
			}
			if c := pages.Clone(t.Context(), a); !slices.Equal(c, a) || n > 0 && &c[0] == &a[0] {
				t.Fatalf("%d words: the clone is not a copy", n)
			}
		}
	}
}

// TestBytes does the same for bytes.
func TestBytes(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 1<<20 - 1, 1<<20 + 1, 5<<20 + 3} {
		b := pages.Bytes(n)
		if len(b) != n {
			t.Fatalf("%d bytes have length %d", n, len(b))
		}
		if i := slices.IndexFunc(b, func(v byte) bool { return v != 0 }); i >= 0 {
			t.Fatalf("%d bytes: byte %d is not zero", n, i)
		}
	}
}

// TestUndefined fills memory of which nothing else may be a part, whether or not the context
// has ended.
func TestUndefined(t *testing.T) {
	t.Parallel()
	ended, end := context.WithCancel(t.Context())
	end()
	for _, ctx := range []context.Context{t.Context(), ended} {
		var all [][]uint64
		for _, n := range []int{0, 1, 1<<17 - 1, 1 << 17, 1 << 18, 1<<18 + 1, 5<<18 + 7} {
			a := pages.Undefined(ctx, n)
			if len(a) != n || cap(a) != n {
				t.Fatalf("%d words have length %d and capacity %d", n, len(a), cap(a))
			}
			for i := range a {
				a[i] = uint64(n)
			}
			all = append(all, a)
		}
		runtime.GC()
		for _, a := range all {
			if i := slices.IndexFunc(a, func(v uint64) bool { return v != uint64(len(a)) }); i >= 0 {
				t.Fatalf("%d words: word %d is another's", len(a), i)
			}
		}
	}
}
