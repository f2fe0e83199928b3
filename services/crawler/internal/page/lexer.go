package page

import (
	"bytes"
	"html"
	"io"
)

// windowSize is the part of the page that is in memory, in bytes. Tags may be longer.
const windowSize = 32 << 10

// maxRun bounds the text kept between two tags, in bytes as written.
const maxRun = 8 * MaxText

// lexer cuts a stream into tags, following the tokenizer of the HTML Standard
// (section 13.2.5) byte by byte. Whatever is between tags is skipped, or kept when
// keepText is set.
type lexer struct {
	r        io.Reader
	window   []byte // unread is window[pos:end]
	pos, end int
	err      error // why no more can be read

	tag      tag
	keepText bool
	run      []byte // text since the last takeText
}

func newLexer(r io.Reader) *lexer {
	return &lexer{r: r, window: make([]byte, windowSize)}
}

// fill makes at least one byte available and reports whether there is one.
func (l *lexer) fill() bool {
	if l.pos < l.end {
		return true
	}
	const patience = 100 // reads without result, as in package bufio
	for range patience {
		if l.err != nil {
			return false
		}
		var n int
		n, l.err = l.r.Read(l.window)
		if n > 0 {
			l.pos, l.end = 0, n
			return true
		}
	}
	l.err = io.ErrNoProgress
	return false
}

// next takes one byte. It returns false at the end of the page.
func (l *lexer) next() (byte, bool) {
	if l.pos < l.end || l.fill() {
		l.pos++
		return l.window[l.pos-1], true
	}
	return 0, false
}

// unread gives back the byte that next has just taken.
func (l *lexer) unread() { l.pos-- }

// skipTo takes everything up to the byte c and c itself, and reports whether there was
// one.
func (l *lexer) skipTo(c byte) bool {
	for l.fill() {
		if i := bytes.IndexByte(l.window[l.pos:l.end], c); i >= 0 {
			l.pos += i + 1
			return true
		}
		l.pos = l.end
	}
	return false
}

// skipText takes text up to the next "<" and that too, and reports whether there was
// one.
func (l *lexer) skipText() bool {
	for l.fill() {
		i := bytes.IndexByte(l.window[l.pos:l.end], '<')
		if i >= 0 {
			l.keep(l.window[l.pos : l.pos+i])
			l.pos += i + 1
			return true
		}
		l.keep(l.window[l.pos:l.end])
		l.pos = l.end
	}
	return false
}

// keep adds to the text if it is wanted and as far as there is room. Pages indent their
// text with blanks, which must not take up the room.
func (l *lexer) keep(b []byte) {
	if !l.keepText || len(l.run) == maxRun {
		return
	}
	if trimmed := bytes.TrimLeft(b, " \n\t\r\f"); len(trimmed) < len(b) {
		l.run = append(l.run, ' ')
		b = trimmed
	}
	l.run = append(l.run, b[:min(len(b), maxRun-len(l.run))]...)
}

// takeText returns the text kept since the last call, with character references
// decoded.
func (l *lexer) takeText() string {
	if len(l.run) == 0 {
		return ""
	}
	s := html.UnescapeString(string(l.run))
	l.run = l.run[:0]
	return s
}

// nextTag reads up to the end of the next tag and reports whether there was one; a tag
// that the page's end cuts off is none.
func (l *lexer) nextTag() bool {
	for l.skipText() {
		c, ok := l.next()
		switch {
		case !ok:
			l.keep([]byte("<"))
			return false
		case isLetter(c):
			l.unread()
			return l.readTag()
		case c == '/':
			if c, ok = l.next(); !ok {
				l.keep([]byte("</"))
				return false
			}
			l.unread()
			if isLetter(c) {
				if !l.readTag() {
					return false
				}
				l.tag.closing = true
				return true
			}
			l.skipTo('>') // "</>" or a comment in all but name
		case c == '!':
			l.skipDeclaration()
		case c == '?':
			l.skipTo('>')
		default:
			l.keep([]byte("<"))
			l.unread()
		}
	}
	return false
}

// skipDeclaration takes what begins with "<!": a comment, or a doctype and the like.
func (l *lexer) skipDeclaration() {
	for range len("--") {
		c, ok := l.next()
		if !ok {
			return
		}
		if c != '-' {
			l.unread()
			l.skipTo('>')
			return
		}
	}
	l.skipComment()
}

// skipComment takes the rest of a comment. It ends at "-->", at "--!>", or right at the
// beginning at ">" or "->".
func (l *lexer) skipComment() {
	dashes := 0
	beginning := true // nothing but dashes so far
	for {
		c, ok := l.next()
		if !ok {
			return
		}
		switch {
		case c == '-':
			dashes++
			continue
		case c == '>' && (dashes >= 2 || beginning):
			return
		case c == '!' && dashes >= 2:
			if c, ok = l.next(); !ok || c == '>' {
				return
			}
			l.unread()
		case dashes == 0 && !beginning:
			// Deep inside: nothing can end before the next dash.
			if !l.skipTo('-') {
				return
			}
			dashes = 1
			continue
		}
		dashes, beginning = 0, false
	}
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f'
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}
