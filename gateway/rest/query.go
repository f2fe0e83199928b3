package rest

import (
	"net/http"
	"net/url"

	"github.com/seed-649d3d38/heddle/contract"
)

// parseQuery reads the query of a request, without its question mark.
func parseQuery(raw string) (url.Values, error) {
	parameters, err := url.ParseQuery(raw)
	if err != nil {
		return nil, contract.Errorf(contract.CodeMalformedRequest, "the query cannot be read; write it as name=value&name=value, with %%-escapes").WithCause(err)
	}
	return parameters, nil
}

// linkNext says where the page behind this one is, if there is one: at the path with the
// same parameters but for the page (RFC 8288).
func linkNext(w http.ResponseWriter, path string, parameters url.Values, next string) {
	if next == "" {
		return
	}
	parameters.Set("page", next)
	w.Header()["Link"] = []string{"<" + path + "?" + parameters.Encode() + `>; rel="next"`}
}
