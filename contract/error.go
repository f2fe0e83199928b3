package contract

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Code is the stable, machine-readable kind of an [Error]. A Code is itself an
// error, so callers can write errors.Is(err, contract.CodeUnavailable).
type Code string

// The codes, each with the numeric status it has over HTTP and in the
// Nats-Service-Error-Code header.
const (
	// CodeMalformedRequest (400): the body is not one JSON object: bad syntax,
	// a duplicate member, bytes after the end.
	CodeMalformedRequest Code = "malformed_request"
	// CodeForbidden (403): the request is understood and refused by policy.
	CodeForbidden Code = "forbidden"
	// CodeNotFound (404): there is no such service, operation or resource.
	CodeNotFound Code = "not_found"
	// CodeMethodNotAllowed (405): the resource exists but not for this method.
	CodeMethodNotAllowed Code = "method_not_allowed"
	// CodeNotAcceptable (406): the result has none of the accepted media types.
	CodeNotAcceptable Code = "not_acceptable"
	// CodeConflict (409): the resource is in a state in which this cannot be done.
	CodeConflict Code = "conflict"
	// CodeGone (410): the resource was there and has expired.
	CodeGone Code = "gone"
	// CodeRequestTooLarge (413): the request body is over the operation's limit.
	CodeRequestTooLarge Code = "request_too_large"
	// CodeUnsupportedMediaType (415): the request body is not declared as JSON.
	CodeUnsupportedMediaType Code = "unsupported_media_type"
	// CodeInvalidArgument (422): a member of the request is unknown, missing, of
	// the wrong type or out of range; the error names the field.
	CodeInvalidArgument Code = "invalid_argument"
	// CodeRangeNotSatisfiable (416): the range of bytes that was asked for lies beyond
	// the result.
	CodeRangeNotSatisfiable Code = "range_not_satisfiable"
	// CodeResultTooLarge (422): the instance could not hold the result in its memory.
	CodeResultTooLarge Code = "result_too_large"
	// CodeResourceExhausted (429): slots, queue or memory are full; try later.
	CodeResourceExhausted Code = "resource_exhausted"
	// CodeCanceled (499): the caller left before the result was there.
	CodeCanceled Code = "canceled"
	// CodeInternal (500): a fault of the service. The cause is in its log only.
	CodeInternal Code = "internal"
	// CodeUpstream (502): a third party, such as a crawled site, failed.
	CodeUpstream Code = "upstream"
	// CodeUnavailable (503): no instance is there to answer; try later.
	CodeUnavailable Code = "unavailable"
	// CodeDeadlineExceeded (504): the time the caller allowed ran out.
	CodeDeadlineExceeded Code = "deadline_exceeded"
)

// statusCanceled is the number proxies log for a caller that left; net/http has no
// name for it.
const statusCanceled = 499

// statuses is the one table from code to number. Codes returns its keys in the
// order of the numbers.
var statuses = []struct {
	code   Code
	status int
	title  string
}{
	{CodeMalformedRequest, http.StatusBadRequest, "Malformed request"},
	{CodeForbidden, http.StatusForbidden, "Forbidden"},
	{CodeNotFound, http.StatusNotFound, "Not found"},
	{CodeMethodNotAllowed, http.StatusMethodNotAllowed, "Method not allowed"},
	{CodeNotAcceptable, http.StatusNotAcceptable, "Not acceptable"},
	{CodeConflict, http.StatusConflict, "Conflict"},
	{CodeGone, http.StatusGone, "Gone"},
	{CodeRequestTooLarge, http.StatusRequestEntityTooLarge, "Request too large"},
	{CodeUnsupportedMediaType, http.StatusUnsupportedMediaType, "Unsupported media type"},
	{CodeRangeNotSatisfiable, http.StatusRequestedRangeNotSatisfiable, "Range not satisfiable"},
	{CodeInvalidArgument, http.StatusUnprocessableEntity, "Invalid argument"},
	{CodeResultTooLarge, http.StatusUnprocessableEntity, "Result too large"},
	{CodeResourceExhausted, http.StatusTooManyRequests, "Resource exhausted"},
	{CodeCanceled, statusCanceled, "Canceled"},
	{CodeInternal, http.StatusInternalServerError, "Internal error"},
	{CodeUpstream, http.StatusBadGateway, "Upstream failed"},
	{CodeUnavailable, http.StatusServiceUnavailable, "Unavailable"},
	{CodeDeadlineExceeded, http.StatusGatewayTimeout, "Deadline exceeded"},
}

// Codes returns every code in the order of its number.
func Codes() []Code {
	codes := make([]Code, len(statuses))
	for i, s := range statuses {
		codes[i] = s.code
	}
	return codes
}

// Error makes a Code an error.
func (c Code) Error() string { return string(c) }

// Status returns the code's number; a code this version does not know has 500.
func (c Code) Status() int {
	for _, s := range statuses {
		if s.code == c {
			return s.status
		}
	}
	return http.StatusInternalServerError
}

// Title returns the code in words, for people.
func (c Code) Title() string {
	for _, s := range statuses {
		if s.code == c {
			return s.title
		}
	}
	return "Error"
}

// Error is the one error that crosses a process border. Over the wire it is a
// problem document (RFC 9457) with the additional member "code"; the cause stays
// at home.
type Error struct {
	// Code is what machines branch on.
	Code Code
	// Detail is a sentence for people that says what to change.
	Detail string
	// Field names the member or header at fault, as a path: "values/3".
	Field string
	// RetryAfter, when positive, is how long the caller should wait before trying
	// again. It travels in whole seconds, rounded up.
	RetryAfter time.Duration
	// Reference, on an internal error, finds its cause in the service's log.
	Reference string

	cause error
}

// Errorf returns an [*Error] with the code and a formatted detail.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Invalid returns an [*Error] with [CodeInvalidArgument] for the field. The format
// is a predicate about the field, "must be above 0": the detail begins with the
// field's name.
func Invalid(field, format string, args ...any) *Error {
	return Errorf(CodeInvalidArgument, format, args...).At(field)
}

// At returns a copy of the error that blames the field and names it at the start of
// the detail. Parsers of values use it to leave the naming to their caller: an error
// that already blames a part of the value, such as "3", then blames "values/3".
func (e *Error) At(field string) *Error {
	c := *e
	if e.Field == "" {
		c.Field, c.Detail = field, field+" "+e.Detail
	} else {
		c.Field, c.Detail = field+"/"+e.Field, field+"/"+e.Detail
	}
	return &c
}

// WithCause returns a copy of the error that wraps cause, which is logged by the
// service and never sent.
func (e *Error) WithCause(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// Error renders the error for a log or a terminal, with its cause.
func (e *Error) Error() string {
	s := string(e.Code) + ": " + e.Detail
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap returns the code and the cause, so that errors.Is finds either.
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return []error{e.Code}
	}
	return []error{e.Code, e.cause}
}

// FromError returns err as an [*Error]. It is the one place where errors that are
// not ours become ours: a passed deadline and a cancelled context keep their
// meaning, everything else is [CodeInternal] with err as its cause.
func FromError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return Errorf(CodeDeadlineExceeded, "the time allowed for the request ran out; allow more with the %s header or ask for less", HeaderTimeout).WithCause(err)
	case errors.Is(err, context.Canceled):
		return Errorf(CodeCanceled, "the request was canceled before its result was there").WithCause(err)
	default:
		return Errorf(CodeInternal, "internal error").WithCause(err)
	}
}

// problem is the JSON form of an Error.
type problem struct {
	Type       string `json:"type"`
	Title      string `json:"title"`
	Status     int    `json:"status"`
	Detail     string `json:"detail"`
	Code       Code   `json:"code"`
	Field      string `json:"field,omitempty"`
	RetryAfter int    `json:"retry_after,omitempty"`
	Reference  string `json:"reference,omitempty"`
}

// maxRetrySeconds is the longest wait that a problem document may ask for: one day.
const maxRetrySeconds = 24 * 60 * 60

// problemType starts the "type" member: a name, not an address, so that documents
// do not depend on where the gateway stands.
const problemType = "urn:heddle:error:"

// RetrySeconds returns RetryAfter in whole seconds, rounded up; 0 means unset.
func (e *Error) RetrySeconds() int {
	seconds := e.RetryAfter / time.Second
	if e.RetryAfter%time.Second > 0 {
		seconds++
	}
	return int(max(seconds, 0))
}

// MarshalJSON writes the error as a problem document.
func (e *Error) MarshalJSON() ([]byte, error) {
	return json.Marshal(problem{
		Type: problemType + string(e.Code), Title: e.Code.Title(), Status: e.Code.Status(),
		Detail: e.Detail, Code: e.Code, Field: e.Field,
		RetryAfter: e.RetrySeconds(), Reference: e.Reference,
	})
}

// UnmarshalJSON reads a problem document.
func (e *Error) UnmarshalJSON(data []byte) error {
	var p problem
	if err := json.Unmarshal(data, &p); err != nil {
		return fmt.Errorf("read problem document: %w", err)
	}
	if p.Code == "" {
		return errors.New("read problem document: member code is missing")
	}
	// Whatever a peer says, a wait must be a wait and fit into a Duration.
	retryAfter := time.Duration(min(max(p.RetryAfter, 0), maxRetrySeconds)) * time.Second
	*e = Error{Code: p.Code, Detail: p.Detail, Field: p.Field, RetryAfter: retryAfter, Reference: p.Reference}
	return nil
}
