package contract_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/seed-649d3d38/heddle/contract"
)

// sampleLines are one line of each kind.
func sampleLines() []contract.BatchLine {
	return []contract.BatchLine{
		{Index: 0, Result: []byte(`{"n":"10","value":"55","digits":2}`)},
		{Index: 1, Error: contract.Invalid("n", "is missing")},
		{Done: true, OK: 1, Failed: 1},
	}
}

func TestBatchOnTheWire(t *testing.T) {
	t.Parallel()
	var lines []string
	for _, l := range sampleLines() {
		lines = append(lines, string(l.Append(nil)))
	}
	golden(t, "batch.json", map[string]any{
		"lines":   lines,
		"cancel":  contract.Cancel{Reply: "_INBOX.Xqf7pVvWf0qzYxU1n4Nd2B.7"},
		"subject": contract.CancelSubject("fibonacci"),
		"name":    contract.BatchName("term"),
		"lane":    contract.LaneSubject("fibonacci", contract.BatchName("term")),
	})
}

func TestParseBatchLine(t *testing.T) {
	t.Parallel()
	for _, want := range sampleLines() {
		line := bytes.TrimSuffix(want.Append(nil), []byte("\n"))
		got, err := contract.ParseBatchLine(line)
		if err != nil || string(got.Append(nil)) != string(line)+"\n" {
			t.Errorf("%s: got %+v, %v", line, got, err)
		}
	}
	got, err := contract.ParseBatchLine([]byte(` { "result" : {"a": 1} , "index" : 3 } `))
	if err != nil || got.Index != 3 || string(got.Result) != `{"a": 1}` {
		t.Errorf("another writer's line: got %+v, %v", got, err)
	}
	for _, bad := range []string{
		"", "{}", "null", "[]", `{"index":}`, `{"index":1}`, `{"index":-1,"result":{}}`, `{"index":1,"result":`, `{"index":1,"result":}`,
		`{"result":1,"index":1,"error":{"code":"internal"}}`, `{"index":1,"error":{}}`, `{"done":false}`, `{"index":99999999999999999999,"result":1}`,
	} {
		if got, err := contract.ParseBatchLine([]byte(bad)); err == nil {
			t.Errorf("%s: got %+v, want an error", bad, got)
		}
	}
}

func FuzzParseBatchLine(f *testing.F) {
	for _, l := range sampleLines() {
		f.Add(bytes.TrimSpace(l.Append(nil)))
	}
	f.Add([]byte(`{"index":1,"result":}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		l, err := contract.ParseBatchLine(line)
		if err != nil {
			return
		}
		if !l.Done && (l.Index < 0 || (len(l.Result) == 0) == (l.Error == nil)) {
			t.Errorf("%q: got %+v", line, l)
		}
	})
}

func TestServiceOf(t *testing.T) {
	t.Parallel()
	for subject, want := range map[string]string{
		contract.Subject("sqrt", "root"): "sqrt", contract.BatchSubject("sqrt", "root"): "sqrt",
		"heddle.v1.sqrt": "", "sqrt.root": "", "": "",
	} {
		if got, ok := contract.ServiceOf(subject); ok != (want != "") || ok && got != want {
			t.Errorf("%s: got %q, %t; want %q", subject, got, ok, want)
		}
	}
}

func TestCancelValidate(t *testing.T) {
	t.Parallel()
	const inbox = "_INBOX.Xqf7pVvWf0qzYxU1n4Nd2B"
	for _, good := range []string{inbox, inbox + ".7", inbox + ".>", "_INBOX.gateway.Xqf7pVvWf0qzYxU1n4Nd2B.>"} {
		if err := (contract.Cancel{Reply: good}).Validate(); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", ">", "*", "_INBOX.>", "_INBOX.*", "_INBOX.abc.7", inbox + ".*", inbox + ".*.>", inbox + ".>.7", inbox + "..7", inbox + ".",
		"." + inbox, inbox + "..>", inbox + " 7", inbox + "\n", inbox + strings.Repeat("x", 300), inbox + ".>>",
	} {
		if err := (contract.Cancel{Reply: bad}).Validate(); !errors.Is(err, contract.CodeInvalidArgument) {
			t.Errorf("%q: got %v, want %s", bad, err, contract.CodeInvalidArgument)
		}
	}
}

func TestCancelMatches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cancel, reply string
		want          bool
	}{
		{"_INBOX.a.7", "_INBOX.a.7", true}, {"_INBOX.a.7", "_INBOX.a.70", false}, {"_INBOX.a.>", "_INBOX.a.7", true},
		{"_INBOX.a.>", "_INBOX.a", false}, {"_INBOX.a.>", "_INBOX.ab.7", false}, {"_INBOX.a.>", "_INBOX.a.", false}, {"_INBOX.a.>", "", false},
	} {
		if got := (contract.Cancel{Reply: c.cancel}).Matches(c.reply); got != c.want {
			t.Errorf("%s matches %s: got %t", c.cancel, c.reply, got)
		}
	}
}
