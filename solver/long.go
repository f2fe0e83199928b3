package solver

import (
	"context"
	"fmt"
	"io"

	"github.com/seed-649d3d38/heddle/contract"
)

// Long is a result that may be far too large to be written out at once: the kit keeps it
// in its internal form and has it written part by part, as its caller reads. It is
// returned by solvers that are bound with [BindLong].
type Long interface {
	// Encode returns the result in the media type, which is one that results of the
	// endpoint have. It must not write the result out.
	Encode(media string) Encoded
	// Memory is the number of bytes that the result holds in its internal form. The
	// instance has them reserved until the result was read.
	Memory() int64
}

// Encoded is a text that is written when it is read, such as a result in one media type.
// A [strings.Reader] and a [bytes.Reader] are Encoded; [Appended] and [Concat] make
// others. The kit reads an Encoded by one goroutine at a time.
type Encoded interface {
	// ReadAt writes out the bytes from an offset on, as [io.ReaderAt] describes it. It
	// takes no longer for bytes at the end than for those at the beginning.
	io.ReaderAt
	// Size is the number of bytes in all.
	Size() int64
}

// LongFunc is a solver whose result may be long: a Long that is not nil is the result, and
// the value of type Res does not count.
type LongFunc[Req contract.Request, Res any] func(context.Context, Req) (Res, Long, error)

// BindLong returns an operation like [BindEstimated] does, for a solver whose results may
// be long. A Long must be encoded as the Res would be that it stands for; one that fits
// into a reply is sent like any other result.
func BindLong[Req contract.Request, Res any](e contract.Endpoint[Req, Res], solve LongFunc[Req, Res], estimate func(Req) Cost) Operation {
	op := BindEstimated(e, nil, estimate)
	op.Solve = func(ctx context.Context, request any) (any, error) {
		result, long, err := solve(ctx, *request.(*Req))
		if long != nil {
			return long, err
		}
		return result, err
	}
	return op
}

// Appended returns the text of so many bytes whose bytes [from, to) are what the function
// appends to dst: the digits of a number, for example.
//
//	solver.Appended(x.Digits(), x.AppendDigits)
func Appended(size int, appendRange func(dst []byte, from, to int) []byte) Encoded {
	return appended{size, appendRange}
}

type appended struct {
	size        int
	appendRange func(dst []byte, from, to int) []byte
}

// Size implements [Encoded].
func (a appended) Size() int64 { return int64(a.size) }

// ReadAt implements [Encoded].
func (a appended) ReadAt(p []byte, offset int64) (int, error) {
	n := within(p, offset, a.Size())
	if n > 0 {
		from := int(offset)
		got := a.appendRange(p[:0:n], from, from+n)
		if len(got) != n {
			return 0, fmt.Errorf("write bytes %d to %d of a result: got %d bytes", from, from+n, len(got))
		}
		copy(p, got) // onto itself, unless the function needed room of its own
	}
	return n, ending(n, p)
}

// Concat returns the texts one after the other.
func Concat(texts ...Encoded) Encoded {
	c := concat{texts: texts}
	for _, t := range texts {
		c.size += t.Size()
	}
	return c
}

type concat struct {
	texts []Encoded
	size  int64
}

// Size implements [Encoded].
func (c concat) Size() int64 { return c.size }

// ReadAt implements [Encoded].
func (c concat) ReadAt(p []byte, offset int64) (int, error) {
	want := p[:within(p, offset, c.size)]
	n := 0
	for _, t := range c.texts {
		size := t.Size()
		if offset >= size {
			offset -= size
			continue
		}
		if n == len(want) {
			break
		}
		m, err := t.ReadAt(want[n:min(int64(len(want)), int64(n)+size-offset)], offset)
		n += m
		if err != nil && n < len(want) && int64(m) < size-offset {
			return n, err
		}
		offset = 0
	}
	return n, ending(n, p)
}

// within returns how many of the bytes of p there are at the offset of a text.
func within(p []byte, offset, size int64) int {
	return int(min(int64(len(p)), max(size-offset, 0)))
}

// ending returns what a ReadAt returns that found n bytes for p.
func ending(n int, p []byte) error {
	if n < len(p) {
		return io.EOF
	}
	return nil
}
