package host

import (
	"mime"
	"strconv"
	"strings"

	"github.com/seed-649d3d38/heddle/contract"
)

// media is the form in which a result is rendered.
type media int

const (
	mediaJSON media = iota
	mediaText
)

// negotiate chooses the form of a result from an Accept header (RFC 9110, section
// 12.5.1). An empty header accepts everything; JSON wins ties. It returns an
// [*contract.Error] with [contract.CodeNotAcceptable] if no form will do.
func negotiate(accept string, hasPlain bool) (media, error) {
	if accept == "" {
		return mediaJSON, nil
	}
	json := quality(accept, contract.MediaJSON)
	text := 0.0
	if hasPlain {
		text = quality(accept, contract.MediaText)
	}
	switch {
	case json == 0 && text == 0 && hasPlain:
		return 0, contract.Errorf(contract.CodeNotAcceptable, "the result is available as %s and %s only; accept one of them", contract.MediaJSON, contract.MediaText)
	case json == 0 && text == 0:
		return 0, contract.Errorf(contract.CodeNotAcceptable, "the result is available as %s only; accept it", contract.MediaJSON)
	case text > json:
		return mediaText, nil
	default:
		return mediaJSON, nil
	}
}

// quality returns the weight that an Accept header gives to a media type, 0 if it is
// not acceptable. The most specific range that matches decides.
func quality(accept, mediaType string) float64 {
	kind, _, _ := strings.Cut(mediaType, "/")
	best, weight := 0, 0.0
	for item := range strings.SplitSeq(accept, ",") {
		t, params, err := mime.ParseMediaType(item)
		if err != nil {
			continue
		}
		specific := map[string]int{mediaType: 3, kind + "/*": 2, "*/*": 1}[t]
		if specific > best {
			best, weight = specific, itemWeight(params["q"])
		}
	}
	return weight
}

// itemWeight reads the q parameter of one range; absent means 1, unreadable 0.
func itemWeight(q string) float64 {
	if q == "" {
		return 1
	}
	w, err := strconv.ParseFloat(q, 64)
	if err != nil || w < 0 || w > 1 {
		return 0
	}
	return w
}
