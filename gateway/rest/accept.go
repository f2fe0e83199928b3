package rest

import (
	"mime"
	"strconv"
	"strings"
)

// negotiate returns which of the offered media types a service will send to a caller
// with the Accept header (RFC 9110, section 12.5.1), and whether any is acceptable. The
// first offer wins ties and stands for an empty header. The service decides; the
// gateway follows its rules to know an entity tag before the work, and a test holds the
// two against each other.
func negotiate(accept string, offered []string) (media string, acceptable bool) {
	if accept == "" {
		return offered[0], true
	}
	best := 0.0
	for _, offer := range offered {
		if w := weight(accept, offer); w > best {
			media, best = offer, w
		}
	}
	return media, best > 0
}

// weight returns what an Accept header gives to a media type, from 0, not acceptable,
// to 1. The most specific range that matches decides. An item that cannot be read is
// passed over.
func weight(accept, media string) float64 {
	kind, _, _ := strings.Cut(media, "/")
	specificity, result := 0, 0.0
	for item := range strings.SplitSeq(accept, ",") {
		name, parameters, err := mime.ParseMediaType(item)
		if err != nil {
			continue
		}
		var s int
		switch name {
		case media:
			s = 3
		case kind + "/*":
			s = 2
		case "*/*":
			s = 1
		}
		if s > specificity {
			specificity, result = s, quality(parameters)
		}
	}
	return result
}

// quality reads the q parameter of a range; absent means 1, unreadable 0.
func quality(parameters map[string]string) float64 {
	q, ok := parameters["q"]
	if !ok || q == "" {
		return 1
	}
	w, err := strconv.ParseFloat(q, 64)
	if err != nil || !(w >= 0 && w <= 1) {
		return 0
	}
	return w
}
