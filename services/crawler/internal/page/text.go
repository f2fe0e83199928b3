package page

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// text gathers words: runs of white space and control characters become one space, and
// what exceeds MaxText is dropped.
type text struct {
	buf   []byte
	space bool // white space came since the last word
	full  bool
}

// write appends s. Blanks at the seams of two writes count as one.
func (t *text) write(s string) {
	for _, c := range s {
		if t.full {
			return
		}
		if unicode.IsSpace(c) || unicode.IsControl(c) {
			t.space = true
			continue
		}
		need := utf8.RuneLen(c)
		if t.space && len(t.buf) > 0 {
			need++
		}
		if len(t.buf)+need > MaxText {
			t.full = true
			return
		}
		if t.space && len(t.buf) > 0 {
			t.buf = append(t.buf, ' ')
		}
		t.space = false
		t.buf = utf8.AppendRune(t.buf, c)
	}
}

func (t *text) reset() {
	t.buf, t.space, t.full = t.buf[:0], false, false
}

// String returns the words so far.
func (t *text) String() string { return string(t.buf) }

// replacement stands for characters that cannot be shown.
const replacement = "\uFFFD"

// normal makes all line ends "\n" and NUL a visible character, as a browser does before
// it decodes character references.
var normal = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", replacement)

func normalize(s string) string {
	if !strings.ContainsAny(s, "\r\x00") {
		return s
	}
	return normal.Replace(s)
}
