package page

import (
	"html"
	"strings"
	"unicode/utf8"
)

// unescapeAttribute decodes the character references of an attribute value. In an
// attribute, unlike in text, a name without its semicolon that goes on with a letter,
// a digit or "=" is no reference: "?a=1&copy=2" has the parameter copy (HTML Standard,
// section 13.2.5.73, named character reference state).
func unescapeAttribute(s string) string {
	amp := strings.IndexByte(s, '&')
	if amp < 0 {
		return s
	}
	var out strings.Builder
	out.Grow(len(s))
	for amp >= 0 {
		out.WriteString(s[:amp])
		s = s[amp:]
		n := referenceLength(s)
		out.WriteString(decodeReference(s[:n], s[n:]))
		s = s[n:]
		amp = strings.IndexByte(s, '&')
	}
	out.WriteString(s)
	return out.String()
}

// referenceLength returns the length of the longest possible reference at the start of
// s, which begins with "&": name or number, with its semicolon if there is one.
func referenceLength(s string) int {
	n := 1
	if n < len(s) && s[n] == '#' {
		n++
	}
	for n < len(s) && isAlphanumeric(s[n]) {
		n++
	}
	if n < len(s) && s[n] == ';' {
		n++
	}
	return n
}

// decodeReference decodes ref, which is followed by rest, or returns it as it is.
func decodeReference(ref, rest string) string {
	decoded := html.UnescapeString(ref)
	name, hasSemicolon := strings.CutSuffix(ref, ";")
	switch {
	case strings.HasPrefix(ref, "&#"):
		return decoded
	case hasSemicolon:
		// "&notit;" decodes to "¬it;": only the beginning was a reference. Then the
		// semicolon took no part.
		if decoded == html.UnescapeString(name)+";" {
			return ref
		}
		return decoded
	default:
		// Every name that may lack its semicolon stands for one character, so a longer
		// outcome means that only the beginning was a reference.
		if strings.HasPrefix(rest, "=") || utf8.RuneCountInString(decoded) != 1 {
			return ref
		}
		return decoded
	}
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}
