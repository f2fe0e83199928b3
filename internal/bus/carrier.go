package bus

import (
	"strings"

	"github.com/nats-io/nats.go"
)

// Carrier lets OpenTelemetry propagators read and write the header of a NATS message.
// NATS compares header names byte by byte, so names are written in lower case, as the
// trace context standard and the server have them, and read in any case, as other
// clients may have written them. Converting to http.Header would do neither.
//
// A nil Carrier can be read but not written. It is as safe for concurrent use as a map.
type Carrier nats.Header

// Get returns the value of the key, preferring the lower-case name, or "".
func (c Carrier) Get(key string) string {
	if v := c[strings.ToLower(key)]; len(v) > 0 {
		return v[0]
	}
	for name, v := range c {
		if len(v) > 0 && strings.EqualFold(name, key) {
			return v[0]
		}
	}
	return ""
}

// Set stores the value under the lower-case key, in the place of every other spelling.
func (c Carrier) Set(key, value string) {
	for name := range c {
		if strings.EqualFold(name, key) {
			delete(c, name)
		}
	}
	c[strings.ToLower(key)] = []string{value}
}

// Keys returns the names of the header as they are.
func (c Carrier) Keys() []string {
	keys := make([]string, 0, len(c))
	for name := range c {
		keys = append(keys, name)
	}
	return keys
}
