package page

// skipRaw reads the content of the element that the last tag has opened, in which no
// tag counts but the element's own end tag, and that end tag. The content is kept when
// keepText is set.
func (l *lexer) skipRaw() {
	switch l.tag.kind {
	case kindPlaintext:
		for l.skipText() {
		}
	case kindScript:
		l.skipScript()
	default:
		opened := l.tag.name
		for l.skipText() {
			if l.endTagFollows(&opened) {
				l.readAttributes()
				return
			}
		}
	}
}

// endTagFollows reports whether "/", the name and the end of a name come next, and
// takes the first two if so. Otherwise it takes, and keeps, only as much of them as is
// there.
func (l *lexer) endTagFollows(opened *name) bool {
	before := len(l.run)
	l.keep([]byte("<"))
	c, ok := l.next()
	if !ok || c != '/' {
		l.giveBack(ok)
		return false
	}
	l.keep([]byte("/"))
	if !l.nameFollows(opened) {
		return false
	}
	l.run = l.run[:before]
	return true
}

// nameFollows reports whether the name comes next as a whole, and takes and keeps as
// much of it as is there.
func (l *lexer) nameFollows(want *name) bool {
	for _, w := range want.bytes() {
		c, ok := l.next()
		if !ok || lower(c) != w {
			l.giveBack(ok)
			return false
		}
		l.keep([]byte{c})
	}
	c, ok := l.next()
	if ok {
		l.unread()
	}
	return ok && (isSpace(c) || c == '/' || c == '>')
}

// giveBack unreads the outcome of a call of next, if it was a byte.
func (l *lexer) giveBack(ok bool) { //nolint:revive // an outcome, not a mode
	if ok {
		l.unread()
	}
}

// script is the name that matters inside script elements.
var script = name{buf: [nameSize]byte{'s', 'c', 'r', 'i', 'p', 't'}, n: len("script")}

// skipScript reads the content of a script element. Scripts were once hidden from old
// browsers by a comment around them, and inside such a comment a script element may
// nest: its end tag does not end the outer one (HTML Standard, sections 13.2.5.15 and
// following, script data states).
func (l *lexer) skipScript() {
	const (
		plain  = iota
		hidden // inside <!-- … -->
		nested // and inside <script … there
	)
	state := plain
	dashes := 0 // of the run of dashes at the current place
	for {
		c, ok := l.next()
		if !ok {
			return
		}
		switch {
		case c == '-':
			dashes++
			continue
		case c == '>' && dashes >= 2:
			state = plain
		case c == '<' && state == plain:
			switch c, ok = l.next(); {
			case ok && c == '!':
				if l.dashesFollow() {
					state, dashes = hidden, 2
					continue
				}
			case ok && c == '/':
				if l.nameFollows(&script) {
					l.readAttributes()
					return
				}
			default:
				l.giveBack(ok)
			}
		case c == '<':
			c, ok = l.next()
			closing := ok && c == '/'
			if !closing {
				l.giveBack(ok)
			}
			switch {
			case closing && l.nameFollows(&script):
				if state == hidden {
					l.readAttributes()
					return
				}
				state = hidden
			case !closing && state == hidden && l.nameFollows(&script):
				state = nested
			}
		case state == plain:
			// Nothing matters here but "<".
			if !l.skipTo('<') {
				return
			}
			l.unread()
		}
		dashes = 0
	}
}

// dashesFollow takes "--" if it comes next, or else as much of it as is there.
func (l *lexer) dashesFollow() bool {
	for range len("--") {
		if c, ok := l.next(); !ok || c != '-' {
			l.giveBack(ok)
			return false
		}
	}
	return true
}
