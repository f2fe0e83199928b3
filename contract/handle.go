package contract

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
)

// MaxPart is the largest part of a handle in bytes, and the largest result that travels
// in the reply itself. Where the broker's max_payload is smaller, so are both.
const MaxPart = 512 << 10

// HeaderRoom is what the headers of a reply may take of the broker's max_payload, in
// bytes. The largest part is MaxPart or max_payload less this room, whichever is smaller.
const HeaderRoom = 1 << 10

// Handle stands for a result that is too large for a reply. The instance that made the
// result holds it; its caller pulls it in parts with requests ([PartRequest]) to the
// subject. The zero value is no handle.
type Handle struct {
	// Subject takes the requests for parts. Only the instance that holds the result
	// listens there, so that the broker answers at once when it is gone.
	Subject string `json:"subject"`
	// Size is the size of the result in bytes, above 0.
	Size int64 `json:"size"`
	// ContentType is the media type of the result.
	ContentType string `json:"content_type"`
	// Digest is the digest of the result in the form of [FormatDigest], empty while
	// it is not known. Whoever pulls the parts in order gets it with the last one.
	Digest string `json:"digest,omitempty"`
	// IdleMS is the time in milliseconds after which a handle is given up that nobody
	// pulls from.
	IdleMS int64 `json:"idle_ms"`
}

// handleReply is the body of a reply that is a handle.
type handleReply struct {
	Handle Handle `json:"handle"`
}

// AppendReply appends the body of the reply that stands for the result. Its media type is
// [MediaHandle].
func (h Handle) AppendReply(dst []byte) ([]byte, error) {
	body, err := json.Marshal(handleReply{h})
	return append(dst, body...), err
}

// ParseHandle reads the body of a reply whose media type is [MediaHandle]. It returns an
// [*Error] with [CodeUpstream] unless the handle names a subject for handles, a size and
// a media type, so that no reply can send its reader to subjects of another kind.
func ParseHandle(body []byte) (Handle, error) {
	var r handleReply
	err := json.Unmarshal(body, &r)
	h := r.Handle
	if err != nil || !isHandleSubject(h.Subject) || h.Size <= 0 || h.ContentType == "" {
		return Handle{}, Errorf(CodeUpstream, "the service sent a handle that cannot be read").WithCause(err)
	}
	return h, nil
}

// PartRequest asks for a part of a handle, or gives the handle up. The reply to a part is
// its bytes, with [HeaderContentRange] and [HeaderContentType]; the part that holds the
// last byte also has [HeaderDigest] if everything was pulled in order. The part is shorter
// than asked for only at the end of the result.
type PartRequest struct {
	// Offset is the first byte wanted, from 0.
	Offset int64 `json:"offset,omitempty"`
	// Length is the number of bytes wanted, from 1 to [MaxPart].
	Length int64 `json:"length,omitempty"`
	// Release says that nothing more is wanted of the handle, which is then gone; the
	// other members do not count. The reply is an empty JSON object.
	Release bool `json:"release,omitempty"`
}

// Validate checks what can be known without the result.
func (r PartRequest) Validate() error {
	switch {
	case r.Release:
		return nil
	case r.Offset < 0:
		return Invalid("offset", "must be 0 or more")
	case r.Length < 1 || r.Length > MaxPart:
		return Invalid("length", "must lie between 1 and %d", MaxPart)
	}
	return nil
}

// FormatContentRange writes the value of a [HeaderContentRange] header for the bytes from
// and up to, but without, to of so many.
//
//	bytes 0-524287/20898810
func FormatContentRange(from, to, size int64) string {
	b := make([]byte, 0, 64)
	b = strconv.AppendInt(append(b, "bytes "...), from, 10)
	b = strconv.AppendInt(append(b, '-'), to-1, 10)
	b = strconv.AppendInt(append(b, '/'), size, 10)
	return string(b)
}

// FormatDigest writes a SHA-256 digest as the value of a [HeaderDigest] header (RFC 9530).
//
//	sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:
func FormatDigest(sum [32]byte) string {
	var b strings.Builder
	b.WriteString("sha-256=:")
	b.WriteString(base64.StdEncoding.EncodeToString(sum[:]))
	b.WriteByte(':')
	return b.String()
}
