package weburl

import (
	"strings"
	"unicode/utf8"
)

// joinPath appends a path to a directory, which begins and ends with a slash, and takes
// "." and ".." out on the way.
func joinPath(dir, path string) string {
	out := make([]byte, 0, len(dir)+len(path)+8)
	out = append(out, dir...)
	for more := true; more; {
		segment := path
		if i := strings.IndexAny(path, `/\`); i >= 0 {
			segment, path = path[:i], path[i+1:]
		} else {
			more = false
		}
		switch dots(segment) {
		case 1:
		case 2:
			out = parent(out)
		default:
			out = appendEscaped(out, segment, pathEscapes)
			if more {
				out = append(out, '/')
			}
		}
	}
	return string(out)
}

// dots counts the dots of a segment of one or two of nothing else, plain or as %2e.
// It returns 0 for any other segment.
func dots(segment string) int {
	n := 0
	for segment != "" {
		switch {
		case segment[0] == '.':
			segment = segment[1:]
		case len(segment) >= 3 && segment[:2] == "%2" && segment[2]|0x20 == 'e':
			segment = segment[3:]
		default:
			return 0
		}
		if n++; n > 2 {
			return 0
		}
	}
	return n
}

// parent cuts the last segment of a directory; the root stays.
func parent(dir []byte) []byte {
	for i := len(dir) - 2; i >= 0; i-- {
		if dir[i] == '/' {
			return dir[:i+1]
		}
	}
	return dir
}

// escapeSet says which ASCII characters are written as %XX. All others but printable
// ASCII always are. Percent signs never are: what is escaped already stays so.
type escapeSet [utf8.RuneSelf]bool

var (
	pathEscapes  = newEscapeSet(" \"#<>?^`{}")
	queryEscapes = newEscapeSet(" \"#<>'")
)

func newEscapeSet(chars string) *escapeSet {
	set := new(escapeSet)
	for i := range len(chars) {
		set[chars[i]] = true
	}
	for c := range byte(' ') {
		set[c] = true
	}
	set[0x7f] = true
	return set
}

func escape(s string, set *escapeSet) string {
	return string(appendEscaped(make([]byte, 0, len(s)+8), s, set))
}

func appendEscaped(dst []byte, s string, set *escapeSet) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		if c := s[i]; c < utf8.RuneSelf && !set[c] {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
