package rest

import (
	"slices"
	"strconv"
	"strings"
)

// acceptRanges is the value of the Accept-Ranges header of results.
var acceptRanges = []string{"bytes"}

// current reports whether the entity tag is the one that an If-Range header names, so that
// a range completes what the caller has. Without the header it does; a date says nothing
// about results that never change, so it does not.
func current(ifRange []string, tag string) bool {
	return ifRange == nil || slices.Equal(ifRange, []string{tag})
}

// parseRange reads a Range header (RFC 9110, section 14.2) with one range of bytes of a
// result of the size: from and up to, but without, to. A range that begins at the end or
// beyond it has from ≥ to. Not ok means that the header is to be ignored: it has another
// unit, several ranges or an error.
func parseRange(header string, size int64) (from, to int64, ok bool) {
	unit, spec, _ := strings.Cut(header, "=")
	first, last, isRange := strings.Cut(strings.Trim(spec, " \t"), "-")
	if !strings.EqualFold(unit, "bytes") || !isRange {
		return 0, 0, false
	}
	if first == "" { // the last so many bytes
		n, ok := parsePosition(last)
		if n == 0 {
			return size, size, ok
		}
		return max(size-n, 0), size, ok
	}
	from, ok = parsePosition(first)
	if !ok || last == "" {
		return from, size, ok
	}
	end, ok := parsePosition(last)
	if !ok || end < from {
		return 0, 0, false
	}
	return from, min(end, size-1) + 1, true
}

// parsePosition reads digits. A number beyond 63 bits is beyond every result, so it becomes
// the largest there is.
func parsePosition(text string) (int64, bool) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, _ := strconv.ParseInt(text, 10, 64) // fails only out of range, and n is the largest number then
	return n, true
}
