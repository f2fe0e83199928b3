package contract

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Header names on the NATS wire. NATS compares header names byte by byte, so they
// are written exactly like this; over HTTP they are case-insensitive as usual.
const (
	// HeaderTimeout carries the time a request may still take, relative to its
	// arrival, as a Go duration: "2.5s". Each hop subtracts what it used.
	HeaderTimeout = "Heddle-Timeout"
	// HeaderAccept lists the media types the caller takes, as in RFC 9110.
	HeaderAccept = "Accept"
	// HeaderContentType names the media type of a body; absent means JSON.
	HeaderContentType = "Content-Type"
	// HeaderInstance names, on a reply, the instance that did the work.
	HeaderInstance = "Heddle-Instance"
	// HeaderServerTiming carries, on a reply, the time spent waiting for a slot
	// and working, in milliseconds: "queue;dur=0.012, work;dur=3.4".
	HeaderServerTiming = "Server-Timing"
	// HeaderReply carries, in a lane, the subject on which the caller waits.
	HeaderReply = "Heddle-Reply"
	// HeaderTaken carries, in a lane, the subject on which the instance that handed the
	// request over hears that another one has taken it. If that wants a reply, it is "+"
	// when the request may run and "-" when it must not.
	HeaderTaken = "Heddle-Taken"
	// HeaderContentRange says, on a part of a handle, which bytes it has, as in RFC 9110:
	// "bytes 0-524287/20898810".
	HeaderContentRange = "Content-Range"
	// HeaderDigest carries, on the last part of a handle that was pulled in order, the
	// digest of the whole result, as in RFC 9530.
	HeaderDigest = "Repr-Digest"
	// HeaderError carries, on an error reply, the sentence for people (ADR-32).
	HeaderError = "Nats-Service-Error"
	// HeaderErrorCode carries, on an error reply, the numeric status (ADR-32).
	HeaderErrorCode = "Nats-Service-Error-Code"
)

// Media types of bodies.
const (
	MediaJSON    = "application/json"
	MediaProblem = "application/problem+json"
	MediaText    = "text/plain"
	// MediaNDJSON is JSON values, one on each line.
	MediaNDJSON = "application/x-ndjson"
	// MediaHandle is the media type of a reply that is a [Handle] instead of a result.
	MediaHandle = "application/vnd.heddle.handle+json"
)

// MaxTimeout is the longest time a caller may allow for a request. Longer work is
// a job.
const MaxTimeout = time.Hour

// ParseTimeout reads the value of a [HeaderTimeout] header. It returns an [*Error]
// with [CodeInvalidArgument] unless the value is a positive duration of at most
// [MaxTimeout].
func ParseTimeout(value string) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil || d <= 0 || d > MaxTimeout {
		return 0, Invalid(HeaderTimeout, "must be a duration above 0 and up to %s, such as 2.5s", MaxTimeout)
	}
	return d, nil
}

// FormatTimeout writes a duration as the value of a [HeaderTimeout] header, to the
// microsecond. A shorter one is written as one microsecond, since 0 would not be a
// timeout.
func FormatTimeout(d time.Duration) string {
	return max(d.Round(time.Microsecond), time.Microsecond).String()
}

// AppendServerTiming appends the value of a [HeaderServerTiming] header for a request
// that waited and worked for the given times, in milliseconds to the microsecond. It is
// written by hand because every reply has one.
func AppendServerTiming(dst []byte, queue, work time.Duration) []byte {
	dst = append(dst, "queue;dur="...)
	dst = appendMilliseconds(dst, queue)
	dst = append(dst, ", work;dur="...)
	return appendMilliseconds(dst, work)
}

// appendMilliseconds appends d with three digits after the point; below 0 counts as 0.
func appendMilliseconds(dst []byte, d time.Duration) []byte {
	us := max(0, d.Round(time.Microsecond).Microseconds())
	dst = strconv.AppendInt(dst, us/1000, 10)
	return append(dst, '.', '0'+byte(us/100%10), '0'+byte(us/10%10), '0'+byte(us%10))
}

// ParseServerTiming reads the value of a [HeaderServerTiming] header that
// [AppendServerTiming] wrote. It returns false for any other value.
func ParseServerTiming(value string) (queue, work time.Duration, ok bool) {
	first, second, both := strings.Cut(value, ", ")
	queue, queued := parseMilliseconds(first, "queue;dur=")
	work, worked := parseMilliseconds(second, "work;dur=")
	if !both || !queued || !worked {
		return 0, 0, false
	}
	return queue, work, true
}

// parseMilliseconds reads a number of milliseconds behind its name.
func parseMilliseconds(metric, name string) (time.Duration, bool) {
	number, named := strings.CutPrefix(metric, name)
	if !named || strings.Trim(number, "0123456789.") != "" {
		return 0, false // ParseFloat takes more than a metric has: signs, exponents, names
	}
	ms, err := strconv.ParseFloat(number, 64)
	if err != nil || ms > float64(math.MaxInt64/time.Millisecond) {
		return 0, false
	}
	return time.Duration(math.Round(ms*1000)) * time.Microsecond, true
}
