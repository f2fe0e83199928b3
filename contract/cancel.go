package contract

import "strings"

// Cancel is what a caller publishes on [CancelSubject] when it does not wait for a reply
// any more. The subject of the reply is known to nobody but the caller, the broker and
// the service, so nobody can cancel the requests of another.
type Cancel struct {
	// Reply is the reply subject of the request, or the beginning of many, ending
	// in ".>".
	Reply string `json:"reply"`
}

// The bounds on the reply subject of a Cancel in bytes. The shorter one is below what
// inboxes of NATS clients have, "_INBOX." and 22 random characters, and far above what
// can be guessed.
const (
	minCancelReply = 20
	maxCancelReply = 256
)

// Validate returns an [*Error] unless the reply subject is one that was made not to be
// guessed: long enough before its wildcard, if it has one.
func (c Cancel) Validate() error {
	fixed := strings.TrimSuffix(c.Reply, ".>")
	switch {
	case len(fixed) < minCancelReply:
		return Invalid("reply", "must have at least %d bytes before a wildcard", minCancelReply)
	case len(c.Reply) > maxCancelReply:
		return Invalid("reply", "must have at most %d bytes", maxCancelReply)
	case strings.ContainsAny(fixed, "*> \t\r\n\x00"):
		return Invalid("reply", "must be a subject without wildcards, or end in \".>\" as its only one")
	}
	for token := range strings.SplitSeq(fixed, ".") {
		if token == "" {
			return Invalid("reply", "must not have empty tokens")
		}
	}
	return nil
}

// Matches reports whether it cancels the request with the reply subject.
func (c Cancel) Matches(reply string) bool {
	prefix, many := strings.CutSuffix(c.Reply, ">")
	return reply == c.Reply || many && len(reply) > len(prefix) && strings.HasPrefix(reply, prefix)
}
