package host

import (
	"mime"
	"strconv"
	"strings"

	"github.com/seed-649d3d38/heddle/contract"
)

// negotiate chooses the offered media type that an Accept header likes best (RFC 9110,
// section 12.5.1), the first one on a tie. An empty header accepts everything. It
// returns an [*contract.Error] with [contract.CodeNotAcceptable] if nothing will do.
func negotiate(accept string, offers []string) (string, error) {
	if accept == "" {
		return offers[0], nil
	}
	best, weight := "", 0.0
	for _, offer := range offers {
		if q := quality(accept, offer); q > weight {
			best, weight = offer, q
		}
	}
	if best == "" {
		return "", contract.Errorf(contract.CodeNotAcceptable, "the result is available as %s; accept it", strings.Join(offers, " or "))
	}
	return best, nil
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
