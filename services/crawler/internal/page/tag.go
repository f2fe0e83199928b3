package page

import (
	"bytes"
	"strings"
)

// kind says what an element means to the scanner.
type kind uint8

const (
	kindOther kind = iota
	kindA
	kindArea
	kindBase
	kindImg
	kindBlock     // separates words, as a line end does
	kindForeign   // SVG and MathML: another language inside
	kindTitle     // text without tags
	kindRaw       // text without tags that is not shown
	kindScript    // as kindRaw, with its own rules for its end
	kindPlaintext // as kindRaw, without an end
)

// kindOf returns the kind of an element by its name in lower case.
func kindOf(name []byte) kind {
	switch string(name) {
	case "a":
		return kindA
	case "area":
		return kindArea
	case "base":
		return kindBase
	case "img":
		return kindImg
	case "svg", "math":
		return kindForeign
	case "title":
		return kindTitle
	case "script":
		return kindScript
	case "style", "textarea", "xmp", "iframe", "noembed", "noframes":
		return kindRaw
	case "plaintext":
		return kindPlaintext
	case "address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figcaption", "figure",
		"footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre",
		"section", "table", "td", "th", "tr", "ul":
		return kindBlock
	default:
		return kindOther
	}
}

// nameSize holds every name that has a meaning; longer ones have none.
const nameSize = 16

// name gathers a name in lower case.
type name struct {
	buf [nameSize]byte
	n   int
}

func (n *name) add(c byte) {
	if n.n < nameSize {
		n.buf[n.n] = lower(c)
	}
	n.n++
}

// bytes returns the name, or nothing when it is too long to have a meaning.
func (n *name) bytes() []byte {
	if n.n > nameSize {
		return nil
	}
	return n.buf[:n.n]
}

// tag is a start or end tag with the attributes that matter for its kind.
type tag struct {
	name        name
	kind        kind
	closing     bool // an end tag
	selfClosing bool // ends in "/>"

	href, rel, alt value
}

// value is the value of an attribute. The first attribute of a name counts.
type value struct {
	raw     []byte
	present bool
	limit   int
	tooLong bool
}

func (v *value) reset(limit int) {
	v.raw, v.present, v.tooLong, v.limit = v.raw[:0], false, false, limit
}

func (v *value) add(b []byte) {
	if len(v.raw)+len(b) > v.limit {
		v.tooLong = true
		return
	}
	v.raw = append(v.raw, b...)
}

// text returns the value with character references decoded, and whether there is one.
func (v *value) text() (string, bool) {
	if !v.present || v.tooLong {
		return "", false
	}
	return strings.ToValidUTF8(unescapeAttribute(normalize(string(v.raw))), replacement), true
}

// wanted returns where the value of the attribute goes, or nil when it has no meaning
// or came before.
func (t *tag) wanted(attribute []byte) *value {
	var v *value
	switch string(attribute) {
	case "href":
		if t.kind == kindA || t.kind == kindArea || t.kind == kindBase {
			v = &t.href
		}
	case "rel":
		if t.kind == kindA || t.kind == kindArea {
			v = &t.rel
		}
	case "alt":
		if t.kind == kindImg || t.kind == kindArea {
			v = &t.alt
		}
	}
	if v == nil || v.present {
		return nil
	}
	v.present = true
	return v
}

// readTag reads a tag from its name to its end into l.tag, and reports whether it has
// an end.
func (l *lexer) readTag() bool {
	t := &l.tag
	t.name.n = 0
	t.closing, t.selfClosing = false, false
	t.href.reset(MaxHref)
	t.rel.reset(MaxAttribute)
	t.alt.reset(MaxAttribute)
	for {
		c, ok := l.next()
		if !ok {
			return false
		}
		if isSpace(c) || c == '/' || c == '>' {
			l.unread()
			break
		}
		t.name.add(c)
	}
	t.kind = kindOf(t.name.bytes())
	return l.readAttributes()
}

// readAttributes reads the rest of a tag after its name.
func (l *lexer) readAttributes() bool {
	for {
		c, ok := l.next()
		switch {
		case !ok:
			return false
		case isSpace(c):
		case c == '>':
			return true
		case c == '/':
			if c, ok = l.next(); ok && c == '>' {
				l.tag.selfClosing = true
				return true
			}
			if ok {
				l.unread()
			}
		default:
			l.unread()
			if !l.readAttribute() {
				return false
			}
		}
	}
}

// readAttribute reads a name and, if there is one, its value. It returns false at the
// end of the page.
func (l *lexer) readAttribute() bool {
	var n name
	first, _ := l.next()
	n.add(first) // whatever it is, even "="
	for {
		c, ok := l.next()
		if !ok {
			return false
		}
		if isSpace(c) || c == '/' || c == '>' || c == '=' {
			l.unread()
			break
		}
		n.add(c)
	}
	v := l.tag.wanted(n.bytes())
	c, ok := l.skipSpace()
	if !ok {
		return false
	}
	if c != '=' {
		l.unread()
		return true
	}
	if c, ok = l.skipSpace(); !ok {
		return false
	}
	switch c {
	case '"', '\'':
		return l.readQuoted(v, c)
	case '>': // no value after all; the tag ends
		l.unread()
		return true
	default:
		l.unread()
		return l.readUnquoted(v)
	}
}

// skipSpace takes white space and the byte that follows.
func (l *lexer) skipSpace() (byte, bool) {
	for {
		c, ok := l.next()
		if !ok || !isSpace(c) {
			return c, ok
		}
	}
}

func (l *lexer) readQuoted(v *value, quote byte) bool {
	for l.fill() {
		rest := l.window[l.pos:l.end]
		i := bytes.IndexByte(rest, quote)
		if i >= 0 {
			rest = rest[:i]
			l.pos++ // the quote
		}
		l.pos += len(rest)
		if v != nil {
			v.add(rest)
		}
		if i >= 0 {
			return true
		}
	}
	return false
}

func (l *lexer) readUnquoted(v *value) bool {
	for l.fill() {
		rest := l.window[l.pos:l.end]
		i := bytes.IndexAny(rest, " \n\t\r\f>")
		if i >= 0 {
			rest = rest[:i]
		}
		l.pos += len(rest)
		if v != nil {
			v.add(rest)
		}
		if i >= 0 {
			return true
		}
	}
	return false
}
