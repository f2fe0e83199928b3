package rest

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

// Equal requests of a pure operation have equal results for ever, so a result may be
// kept for ever, by everybody, for each form that Accept asks for.
var (
	keepForEver = []string{"public, max-age=31536000, immutable"}
	varyAccept  = []string{"Accept"}
)

func markCacheable(h http.Header, tag string, cache []string) {
	h["Cache-Control"] = cache
	h["Vary"] = varyAccept
	h["Etag"] = []string{tag}
}

// heldTag returns the entity tag of the result if the caller says that it has that
// already, and "" otherwise. It is known before the work, from the request alone. "*"
// matches nothing here, since whether the request has a result at all is not known.
func (o *operation) heldTag(r *http.Request, request []byte, accept string) string {
	held := r.Header["If-None-Match"]
	if held == nil {
		return ""
	}
	media, acceptable := negotiate(accept, o.media)
	if !acceptable {
		return ""
	}
	if tag := entityTag(o.subject, request, media); anyTag(held, tag) {
		return tag
	}
	return ""
}

// entityTag returns the strong entity tag of the result that the request has in the
// media type. The subject holds the contract's version.
func entityTag(subject string, request []byte, media string) string {
	hash := sha256.New()
	hash.Write([]byte(subject))
	hash.Write([]byte{0})
	hash.Write([]byte(media))
	hash.Write([]byte{0})
	hash.Write(request)
	var sum [sha256.Size]byte
	const length = 16 // bytes; 128 bits do not collide by accident
	return `"` + base64.RawURLEncoding.EncodeToString(hash.Sum(sum[:0])[:length]) + `"`
}

// anyTag reports whether one of the If-None-Match headers lists the tag. The comparison
// is the weak one, as RFC 9110 (section 13.1.2) has it. Where a header breaks the
// syntax, its rest is ignored: at worst the result is sent again.
func anyTag(headers []string, tag string) bool {
	for _, rest := range headers {
		for rest != "" {
			rest = strings.TrimLeft(rest, " \t,")
			rest = strings.TrimPrefix(rest, "W/")
			if !strings.HasPrefix(rest, `"`) {
				break
			}
			end := strings.IndexByte(rest[1:], '"')
			if end < 0 {
				break
			}
			if rest[:end+2] == tag {
				return true
			}
			rest = rest[end+2:]
		}
	}
	return false
}

// acceptOf returns the request's Accept header, empty if it asks for nothing but the form
// that is given without being asked.
func acceptOf(r *http.Request, usual string) string {
	values := r.Header["Accept"]
	switch {
	case len(values) == 0:
		return ""
	case len(values) > 1:
		return strings.Join(values, ", ")
	case values[0] == "*/*" || values[0] == usual:
		return ""
	default:
		return values[0]
	}
}
