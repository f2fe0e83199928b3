package rest

import (
	"strconv"
	"strings"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
)

// preferences are the ones of a Prefer header (RFC 7240) that the gateway honours.
type preferences struct {
	// async asks for a job instead of a result.
	async bool
	// wait is how long the caller would wait for the result, at most
	// [contract.MaxTimeout]; 0 if the caller does not say.
	wait time.Duration
}

// parsePrefer reads the Prefer headers of a request. Preferences are wishes: what is
// unknown or cannot be read is passed over, and of one that is there twice the first counts.
func parsePrefer(headers []string) preferences {
	var p preferences
	waits := false
	for _, header := range headers {
		for _, item := range splitUnquoted(header, ',') {
			preference := splitUnquoted(item, ';')[0] // parameters mean nothing to those known here
			name, value, _ := strings.Cut(preference, "=")
			value = strings.Trim(value, " \t")
			switch strings.ToLower(strings.Trim(name, " \t")) {
			case "respond-async":
				p.async = p.async || value == "" || value == `""`
			case "wait":
				if !waits {
					p.wait, waits = parseWait(value)
				}
			}
		}
	}
	return p
}

// parseWait reads the value of a preference to wait, in seconds.
func parseWait(value string) (wait time.Duration, ok bool) {
	if inside, quoted := strings.CutPrefix(value, `"`); quoted {
		value = strings.TrimSuffix(inside, `"`)
	}
	if value == "" || strings.Trim(value, "0123456789") != "" {
		return 0, false
	}
	seconds, err := strconv.ParseInt(value, 10, 32)
	if err != nil { // more than fits
		return contract.MaxTimeout, true
	}
	return min(time.Duration(seconds)*time.Second, contract.MaxTimeout), true
}

// splitUnquoted splits a header at the separators outside of quoted strings.
func splitUnquoted(text string, separator byte) []string {
	var parts []string
	start, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == separator && !quoted:
			parts = append(parts, text[start:i])
			start = i + 1
		}
	}
	return append(parts, text[start:])
}

// applied is the value of the header Preference-Applied for a job.
func (p preferences) applied() string {
	if p.wait > 0 {
		return "respond-async, wait=" + strconv.FormatInt(int64(p.wait/time.Second), 10)
	}
	return "respond-async"
}
