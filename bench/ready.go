package main

import (
	"encoding/json"
	"strings"
)

// readyWord begins the line with which the programs of this module say that they
// serve; where they do follows.
const readyWord = "ready"

// saysReady reads that line.
func saysReady(line string) (where string, ok bool) {
	word, where, _ := strings.Cut(line, " ")
	return where, word == readyWord
}

// logsReady reads the line of a JSON log with which Heddle's programs say that they
// serve, and where they do over HTTP if they do.
func logsReady(line string) (address string, ok bool) {
	var record struct{ Msg, HTTP string }
	err := json.Unmarshal([]byte(line), &record)
	return record.HTTP, err == nil && record.Msg == "ready"
}

// banner reads one address of what "heddle up" prints, such as
//
//	HTTP   http://127.0.0.1:8080   gateway
func banner(word string) func(line string) (address string, ok bool) {
	return func(line string) (string, bool) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != word {
			return "", false
		}
		return strings.TrimPrefix(f[1], "http://"), true
	}
}
