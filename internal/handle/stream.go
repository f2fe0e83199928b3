package handle

import (
	"context"
	"errors"
	"io"
)

// Stream returns the reader as an [io.ReadCloser] whose reads end with ctx. It is also an
// [io.WriterTo], so that [io.Copy] passes the parts on as they are.
func (r *Reader) Stream(ctx context.Context) io.ReadCloser {
	return &stream{reader: r, next: func() ([]byte, error) { return r.Next(ctx) }}
}

type stream struct {
	reader *Reader
	next   func() ([]byte, error)
	rest   []byte // of the part that was begun
}

// Read implements [io.Reader].
func (s *stream) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		var err error
		if s.rest, err = s.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// WriteTo implements [io.WriterTo].
func (s *stream) WriteTo(w io.Writer) (written int64, err error) {
	for {
		if len(s.rest) > 0 {
			n, err := w.Write(s.rest)
			s.rest = s.rest[n:]
			if written += int64(n); err != nil {
				return written, err
			}
		}
		switch s.rest, err = s.next(); {
		case errors.Is(err, io.EOF):
			return written, nil
		case err != nil:
			return written, err
		}
	}
}

// Close implements [io.Closer].
func (s *stream) Close() error {
	s.reader.Close()
	return nil
}
