package rest

import (
	"testing"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
)

func TestParsePrefer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		headers []string
		want    preferences
	}{
		"none":               {nil, preferences{}},
		"async":              {[]string{"respond-async"}, preferences{async: true}},
		"case":               {[]string{"Respond-ASYNC , WAIT = 5"}, preferences{true, 5 * time.Second}},
		"two headers":        {[]string{"respond-async", "wait=10"}, preferences{true, 10 * time.Second}},
		"first counts":       {[]string{"wait=10, wait=20"}, preferences{wait: 10 * time.Second}},
		"quoted":             {[]string{`wait="7"`}, preferences{wait: 7 * time.Second}},
		"inside a string":    {[]string{`foo="a, respond-async, \", wait=3"; bar, wait=4;x="y;z"`}, preferences{wait: 4 * time.Second}},
		"empty value":        {[]string{`respond-async=""`}, preferences{async: true}},
		"another value":      {[]string{"respond-async=no, return=minimal"}, preferences{}},
		"malformed":          {[]string{`,,;=;wait=,wait=-1,wait=1.5,wait=x,"respond-async`}, preferences{}},
		"after a malformed":  {[]string{"wait=x, wait=2"}, preferences{wait: 2 * time.Second}},
		"beyond what counts": {[]string{"wait=99999999999999999999"}, preferences{wait: contract.MaxTimeout}},
	} {
		if got := parsePrefer(c.headers); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// FuzzParsePrefer holds that no header brings the parser down or a wait out of its bounds.
func FuzzParsePrefer(f *testing.F) {
	f.Add(`respond-async, wait="5"; a="\`)
	f.Fuzz(func(t *testing.T, header string) {
		if p := parsePrefer([]string{header}); p.wait < 0 || p.wait > contract.MaxTimeout {
			t.Errorf("wait is %v", p.wait)
		}
	})
}
