// Package page reads what one HTML page says about links: its title, its base address
// and its anchors, in one pass over a stream, in memory that does not grow with the
// page.
//
// It is a scanner, not a parser: it builds no tree and runs no scripts, and it never
// fails on what a page holds. It knows nothing of addresses; references come out as
// they are written.
//
//	p, err := page.Scan(strings.NewReader(`<title>Hi</title><a href="/b?x=1&amp;y=2">B</a>`))
//	// p.Title == "Hi", p.Anchors[0] == page.Anchor{Href: "/b?x=1&y=2", Text: "B"}
package page

import (
	"errors"
	"io"
)

// Limits of what is kept of a page.
const (
	// MaxHref is the longest reference, in bytes as written. Longer ones are left out.
	MaxHref = 8192
	// MaxText is the longest text of an anchor or title, in bytes. More is cut off.
	MaxText = 512
	// MaxAttribute is the longest other attribute, in bytes as written. Longer ones
	// count as absent.
	MaxAttribute = 1024
	// MaxSize bounds the memory of all anchors together, in bytes: the one that reaches
	// it is the last, and the page comes out as truncated.
	MaxSize = 2 << 20
)

// anchorOverhead is what an anchor takes besides its characters, roughly.
const anchorOverhead = 64

// Page is what a page says about links.
type Page struct {
	// Title is the text of the first title element.
	Title string
	// Base is the reference of the first base element that has one. It holds for the
	// whole page, also for what comes before it.
	Base string
	// Anchors are the a and area elements that have a reference, in the order of the
	// page.
	Anchors []Anchor
	// Truncated says that the rest of the page was left out because its anchors exceed
	// MaxSize.
	Truncated bool
}

// Anchor is an a or area element with a reference.
type Anchor struct {
	// Href is the reference, with character references decoded.
	Href string
	// Text is the text inside the element, or else the alternative text of the images
	// inside it. White space and control characters are made single spaces. The text
	// is valid UTF-8.
	Text string
	// Rel is the rel attribute, with white space made single spaces.
	Rel string
}

// Scan reads the page from r, which delivers UTF-8; other bytes come out as U+FFFD. It
// takes time in proportion to the length of the page, whatever the page holds. Its
// error is an error of r; what was read up to there is returned with it.
//
// The content of noscript elements counts, because the reader runs no scripts; that of
// comments, scripts, styles, text areas and inner frames does not.
func Scan(r io.Reader) (Page, error) {
	s := scanner{lexer: newLexer(r)}
	for !s.page.Truncated && s.lexer.nextTag() {
		s.flushText()
		s.tag(&s.lexer.tag)
	}
	s.flushText()
	s.closeAnchor()
	if s.lexer.err != nil && !errors.Is(s.lexer.err, io.EOF) {
		return s.page, s.lexer.err
	}
	return s.page, nil
}

// scanner turns tags into a page.
type scanner struct {
	lexer *lexer
	page  Page
	size  int

	hasTitle bool
	hasBase  bool
	foreign  int // depth of svg and math elements

	open bool // the last a element has not ended
	at   int  // its place in page.Anchors
	text text
	alt  text
}

// flushText moves what the lexer has gathered into the open anchor.
func (s *scanner) flushText() {
	if s.open {
		s.text.write(s.lexer.takeText())
	}
}

func (s *scanner) tag(t *tag) {
	if t.closing {
		s.endTag(t)
		return
	}
	switch t.kind {
	case kindA:
		s.closeAnchor() // anchors do not nest
		if href, ok := t.href.text(); ok {
			s.open, s.at = true, len(s.page.Anchors)
			s.lexer.keepText = true
			s.add(Anchor{Href: href, Rel: t.rel.line()})
		}
	case kindArea:
		if href, ok := t.href.text(); ok {
			s.add(Anchor{Href: href, Rel: t.rel.line(), Text: t.alt.line()})
		}
	case kindBase:
		if href, ok := t.href.text(); ok && !s.hasBase {
			s.page.Base, s.hasBase = href, true
		}
	case kindImg:
		if alt, ok := t.alt.text(); ok && s.open {
			s.alt.write(" ")
			s.alt.write(alt)
		}
	case kindBlock:
		s.text.write(" ")
	case kindForeign:
		if !t.selfClosing {
			s.foreign++
		}
	case kindTitle, kindRaw, kindScript, kindPlaintext:
		// In SVG these names are ordinary elements, which may close themselves.
		if s.foreign == 0 || !t.selfClosing {
			s.raw(t.kind)
		}
	case kindOther:
	}
}

func (s *scanner) endTag(t *tag) {
	switch t.kind {
	case kindA:
		s.closeAnchor()
	case kindBlock:
		s.text.write(" ")
	case kindForeign:
		s.foreign = max(0, s.foreign-1)
	}
}

// raw skips the content of an element in which tags have no meaning, and keeps it if
// it is the page's title. The title of a drawing inside the page is not.
func (s *scanner) raw(kind kind) {
	isTitle := kind == kindTitle && s.foreign == 0 && !s.hasTitle
	s.lexer.keepText = isTitle
	s.lexer.skipRaw()
	if isTitle {
		var title text
		title.write(normalize(s.lexer.takeText()))
		s.page.Title, s.hasTitle = title.String(), true
	}
	s.lexer.keepText = s.open
}

func (s *scanner) closeAnchor() {
	if !s.open {
		return
	}
	s.open, s.lexer.keepText = false, false
	text := s.text.String()
	if text == "" {
		text = s.alt.String()
	}
	s.page.Anchors[s.at].Text = text
	s.size += len(text)
	s.text.reset()
	s.alt.reset()
}

// add appends an anchor. The one that exceeds the limit is the last.
func (s *scanner) add(a Anchor) {
	s.size += anchorOverhead + len(a.Href) + len(a.Text) + len(a.Rel)
	s.page.Truncated = s.size > MaxSize
	s.page.Anchors = append(s.page.Anchors, a)
}

// line returns the attribute's value as one line of text, and "" when there is none.
func (v *value) line() string {
	s, ok := v.text()
	if !ok {
		return ""
	}
	var t text
	t.write(s)
	return t.String()
}
