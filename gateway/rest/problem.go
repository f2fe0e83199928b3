package rest

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nats-io/nuid"

	"github.com/seed-649d3d38/heddle/contract"
)

// Header values that many responses share. They are assigned to a response's header as
// they are, which saves an allocation each, and must never be changed.
var (
	typeProblem = []string{contract.MediaProblem}
	typeJSON    = []string{contract.MediaJSON}
	noStore     = []string{"no-store"}
)

// refuse answers with a problem document (RFC 9457) and returns its status. A caller
// that is gone gets nothing: serve ends its connection.
func (g *Gateway) refuse(ctx context.Context, w http.ResponseWriter, fault *contract.Error) int {
	status := fault.Code.Status()
	if fault.Code == contract.CodeCanceled {
		return status
	}
	if fault.Code == contract.CodeInternal && fault.Reference == "" {
		fault = g.logInternal(ctx, fault)
	}
	body, err := fault.MarshalJSON()
	if err != nil { // a struct of strings and integers always marshals
		g.log.ErrorContext(ctx, "encode problem", "error", err)
	}
	writeProblem(w, status, fault.RetrySeconds(), body)
	return status
}

// writeProblem writes a problem document that is already encoded.
func writeProblem(w http.ResponseWriter, status, retrySeconds int, body []byte) {
	h := w.Header()
	h["Content-Type"] = typeProblem
	h["Cache-Control"] = noStore
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	if retrySeconds > 0 {
		h["Retry-After"] = []string{strconv.Itoa(retrySeconds)}
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a caller that left cannot be told
}

// logInternal logs an internal error with its cause and returns what a caller may know
// of it: a reference to the log.
func (g *Gateway) logInternal(ctx context.Context, fault *contract.Error, attributes ...any) *contract.Error {
	public := contract.Errorf(contract.CodeInternal, "internal error; its cause is in the gateway's log under the reference")
	public.Reference = nuid.Next()
	attributes = append(attributes, "reference", public.Reference, "error", fault)
	g.log.ErrorContext(ctx, "request failed", attributes...)
	return public
}

// recovered turns a panic into an internal error. When the response has been begun
// (Content-Type is always the last thing set before) it cannot be turned any more, and
// the connection is ended, so that the caller sees that the response is not whole.
func (g *Gateway) recovered(ctx context.Context, p any, w http.ResponseWriter, r *http.Request) error {
	if p == http.ErrAbortHandler { //nolint:errorlint // a panic value, as net/http compares it
		panic(p)
	}
	fault := contract.FromError(fmt.Errorf("panic: %v", p))
	fault = g.logInternal(ctx, fault, "method", r.Method, "path", r.URL.Path, "stack", string(debug.Stack()))
	if w.Header()["Content-Type"] != nil {
		panic(http.ErrAbortHandler)
	}
	return fault
}

// printable shortens text from a request and replaces what is not for a terminal, so
// that it can stand in a detail.
func printable(text string) string {
	const most = 80
	clean := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
	if runes := []rune(clean); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return clean
}
