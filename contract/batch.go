package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

const (
	// MaxChunkItems is the largest number of requests in one chunk over NATS. A reply
	// to so many errors still fits into a message of the default size.
	MaxChunkItems = 2000

	// MaxBatchBody is the largest body of a batch over REST in bytes.
	MaxBatchBody = 8 << 20
)

// BatchLine is one line of the answer to a batch, over NATS and over REST: the result
// or the error of one request, or the last line, which says that there are no more. An
// answer without a last line is not whole.
//
//	{"index":0,"result":{"n":"10","value":"55","digits":2}}
//	{"index":1,"error":{"code":"invalid_argument", …}}
//	{"done":true,"ok":1,"failed":1}
type BatchLine struct {
	// Index is the place of the request in the batch, from 0.
	Index int
	// Result is the result as JSON, nil if there is none.
	Result []byte
	// Error is why there is no result.
	Error *Error
	// Done marks the last line, which has nothing but the counts OK and Failed.
	Done       bool
	OK, Failed int
}

// Append appends the line, with its end, to dst.
func (l BatchLine) Append(dst []byte) []byte {
	switch {
	case l.Done:
		dst = append(dst, `{"done":true,"ok":`...)
		dst = strconv.AppendInt(dst, int64(l.OK), 10)
		dst = append(dst, `,"failed":`...)
		dst = strconv.AppendInt(dst, int64(l.Failed), 10)
	case l.Error != nil:
		problem, err := l.Error.MarshalJSON()
		if err != nil { // a struct of strings and integers always marshals
			problem = []byte("null")
		}
		dst = append(AppendBatchIndex(dst, l.Index), `"error":`...)
		dst = append(dst, problem...)
	default:
		dst = append(AppendBatchIndex(dst, l.Index), `"result":`...)
		dst = append(dst, l.Result...)
	}
	return append(dst, '}', '\n')
}

// AppendBatchIndex appends the beginning that all lines but the last have,
// {"index":7, for writers that encode a result in place.
func AppendBatchIndex(dst []byte, index int) []byte {
	dst = append(dst, `{"index":`...)
	return append(strconv.AppendInt(dst, int64(index), 10), ',')
}

// The beginnings of a line as [BatchLine.Append] writes it.
var (
	lineIndex  = []byte(`{"index":`)
	lineResult = []byte(`,"result":`)
)

// ParseBatchLine reads a line, without its end. The result is a part of the line, not a
// copy, and is not checked. Lines that others write, with their members in another
// order, are read too, only slower. It returns an error if the line is none of the three
// kinds.
func ParseBatchLine(line []byte) (BatchLine, error) {
	if l, ok := parseResult(line); ok {
		return l, nil
	}
	var wire struct {
		Index  *int            `json:"index"`
		Result json.RawMessage `json:"result"`
		Error  *Error          `json:"error"`
		Done   bool            `json:"done"`
		OK     int             `json:"ok"`
		Failed int             `json:"failed"`
	}
	if err := json.Unmarshal(line, &wire); err != nil {
		return BatchLine{}, fmt.Errorf("read batch line: %w", err)
	}
	switch {
	case wire.Done:
		return BatchLine{Done: true, OK: wire.OK, Failed: wire.Failed}, nil
	case wire.Index == nil || *wire.Index < 0 || (wire.Result == nil) == (wire.Error == nil):
		return BatchLine{}, errors.New("read batch line: an index and either a result or an error are needed")
	default:
		return BatchLine{Index: *wire.Index, Result: wire.Result, Error: wire.Error}, nil
	}
}

// parseResult reads the line of a result in the form that Append writes.
func parseResult(line []byte) (BatchLine, bool) {
	rest, ok := bytes.CutPrefix(line, lineIndex)
	if !ok || len(rest) == 0 || rest[len(rest)-1] != '}' {
		return BatchLine{}, false
	}
	index, digits := 0, 0
	for digits < len(rest) && digits < 9 && rest[digits] >= '0' && rest[digits] <= '9' {
		index = index*10 + int(rest[digits]-'0')
		digits++
	}
	result, ok := bytes.CutPrefix(rest[digits:], lineResult)
	if !ok || digits == 0 || len(result) < 2 {
		return BatchLine{}, false
	}
	return BatchLine{Index: index, Result: result[:len(result)-1]}, true
}
