package process

import (
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, stat string
		want       time.Duration
		fails      bool
	}{
		{"plain", "71 (gateway) S 1 71 71 0 -1 4194304 900 0 0 0 250 50 7 8 20 0 9 0 4 0 0", 3 * time.Second, false},
		{"name with a space and a parenthesis", "71 (a b) c) S 1 71 71 0 -1 4194304 900 0 0 0 1 2 0 0 20 0", 30 * time.Millisecond, false},
		{"cut short", "71 (gateway) S 1 71", 0, true},
		{"no number", "71 (gateway) S 1 71 71 0 -1 4194304 900 0 0 0 x 50 7 8", 0, true},
		{"empty", "", 0, true},
	} {
		got, err := parseStat(c.stat)
		if got != c.want || (err != nil) != c.fails {
			t.Errorf("%s: got %v, %v", c.name, got, err)
		}
	}
}

func TestParseStatus(t *testing.T) {
	t.Parallel()
	const status = "Name:\tgateway\nVmRSS:\t   13204 kB\nRssAnon:\t    4100 kB\nVmSwap:\t many kB\n"
	for _, c := range []struct {
		name  string
		want  int64
		fails bool
	}{
		{"VmRSS", 13204 << 10, false},
		{"RssAnon", 4100 << 10, false},
		{"VmHWM", 0, true},
		{"VmSwap", 0, true},
	} {
		got, err := parseStatus(status, c.name)
		if got != c.want || (err != nil) != c.fails {
			t.Errorf("%s: got %d, %v", c.name, got, err)
		}
	}
}
