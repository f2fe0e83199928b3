package rest

import "testing"

// FuzzParseRange holds what is read from a Range header within the result.
func FuzzParseRange(f *testing.F) {
	for _, header := range []string{
		"bytes=0-", "bytes=0-0", "bytes=5-9", "bytes=-5", "bytes=-0", "bytes=9-5", "bytes=1-2,4-5", "Bytes= 1-2 ", "lines=1-2", "bytes", "", "=", "bytes=-",
		"bytes=99999999999999999999-", "bytes=-99999999999999999999", "bytes=0-99999999999999999999", "bytes=0x1-2", "bytes=+1-2", "bytes=1--2",
	} {
		f.Add(header, int64(10))
	}
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		from, to, ok := parseRange(header, size)
		if !ok {
			return
		}
		if from < 0 || to > size || from < to && from >= size {
			t.Errorf("%q of %d bytes: %d to %d", header, size, from, to)
		}
	})
}
