package cron_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-649d3d38/heddle/internal/cron"
)

func in(t testing.TB, zone string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestNext names times and the ones that follow, also where clocks are changed.
func TestNext(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, zone, after, want string }{
		{"* * * * * *", "UTC", "2026-11-24T12:00:00.9Z", "2026-11-24T12:00:01Z"},
		{"* * * * *", "UTC", "2026-11-24T12:00:00Z", "2026-11-24T12:01:00Z"},
		{"*/15 * * * *", "UTC", "2026-11-24T12:46:00Z", "2026-11-24T13:00:00Z"},
		{"5/20 * * * *", "UTC", "2026-11-24T12:06:00Z", "2026-11-24T12:25:00Z"},
		{"30 6 * * 1-5", "UTC", "2026-11-27T06:30:00Z", "2026-11-30T06:30:00Z"}, // from Friday to Monday
		{"0 0 1,15 * mon", "UTC", "2026-11-24T00:00:00Z", "2026-11-30T00:00:00Z"},
		{"0 0 13 * fri", "UTC", "2026-11-27T00:00:00Z", "2026-12-04T00:00:00Z"}, // one of both days
		{"0 0 13 * *", "UTC", "2026-11-27T00:00:00Z", "2026-12-13T00:00:00Z"},
		{"0 0 29 feb *", "UTC", "2026-11-24T00:00:00Z", "2028-02-29T00:00:00Z"},
		{"0 0 30 2 *", "UTC", "2026-11-24T00:00:00Z", ""},
		{"@hourly", "UTC", "2026-11-24T12:00:00Z", "2026-11-24T13:00:00Z"},
		{"@daily", "Europe/Berlin", "2026-11-24T12:00:00Z", "2026-11-24T23:00:00Z"},
		{"@weekly", "UTC", "2026-11-24T12:00:00Z", "2026-11-29T00:00:00Z"},
		{"@monthly", "UTC", "2026-12-24T12:00:00Z", "2027-01-01T00:00:00Z"},
		{"@yearly", "UTC", "2026-11-24T12:00:00Z", "2027-01-01T00:00:00Z"},
		{"0 6 * * *", "Asia/Kolkata", "2026-11-24T00:30:00Z", "2026-11-25T00:30:00Z"},
		// Berlin goes from 2:00 to 3:00 on 2027-03-28, and from 3:00 to 2:00 on 2026-10-25.
		{"0 6 * * *", "Europe/Berlin", "2027-03-27T05:00:00Z", "2027-03-28T04:00:00Z"},
		{"30 2 * * *", "Europe/Berlin", "2027-03-27T01:30:00Z", "2027-03-29T00:30:00Z"},
		{"30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"},
		{"30 2 * * *", "Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"},
		// Lord Howe changes its clocks by half an hour, at 2:00 on 2026-10-04.
		{"0 3 * * *", "Australia/Lord_Howe", "2026-10-02T16:30:00Z", "2026-10-03T16:00:00Z"},
		// Havana has no midnight on 2026-03-08, and two on 2026-11-01.
		{"10 1 8 3 *", "America/Havana", "2026-01-01T00:00:00Z", "2026-03-08T05:10:00Z"},
		{"10 0 8 3 *", "America/Havana", "2026-01-01T00:00:00Z", "2027-03-08T05:10:00Z"},
		{"10 0 1 11 *", "America/Havana", "2026-06-01T00:00:00Z", "2026-11-01T04:10:00Z"},
		{"10 0 1 11 *", "America/Havana", "2026-11-01T04:10:00Z", "2026-11-01T05:10:00Z"},
	} {
		e, err := cron.Parse(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		after, err := time.Parse(time.RFC3339, c.after)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if next := e.Next(after.In(in(t, c.zone))); !next.IsZero() {
			got = next.UTC().Format(time.RFC3339Nano)
		}
		if got != c.want {
			t.Errorf("%s in %s after %s: %q, want %q", c.text, c.zone, c.after, got, c.want)
		}
	}
}

// TestForms shows what the broker gets and what people read.
func TestForms(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{"0 6 * * *", "0 0 6 * * *", "0 6 * * *"},
		{"  0   6 * * MON ", "0 0 6 * * MON", "0 6 * * MON"},
		{"0 0 6 * * *", "0 0 6 * * *", "0 6 * * *"},
		{"*/2 0 6 * * *", "*/2 0 6 * * *", "*/2 0 6 * * *"},
		{"@daily", "@daily", "@daily"},
	} {
		e, err := cron.Parse(c[0])
		if err != nil || e.String() != c[1] || e.Short() != c[2] {
			t.Errorf("%q: %q, %q, %v", c[0], e.String(), e.Short(), err)
		}
	}
}

// TestFaults shows that what is wrong is named.
func TestFaults(t *testing.T) {
	t.Parallel()
	for text, words := range map[string]string{
		"":                                   "has 0 fields",
		"0 6 * *":                            "has 4 fields",
		"0 0 0 6 * * *":                      "has 7 fields",
		"@often":                             `"@often"`,
		"@every 10m":                         `"@every 10m"`,
		"60 6 * * *":                         `has "60" as its minute: it must be from 0 to 59`,
		"0 24 * * *":                         `has "24" as its hour: it must be from 0 to 23`,
		"0 6 0 * *":                          "day of the month",
		"0 6 * 13 *":                         "month",
		"0 6 * janu *":                       "month",
		"0 6 * * 7":                          "from 0 to 6, Sunday is 0",
		"0 6 * * 5-1":                        "from the lower to the higher",
		"0 6 * * 1-":                         "from 0 to 6",
		"0 6 * * -1":                         "from 0 to 6",
		"0 6 * * 1,":                         "from 0 to 6",
		"*/0 6 * * *":                        "step",
		"*/x 6 * * *":                        "step",
		"*-5 6 * * *":                        "from 0 to 59",
		"+5 6 * * *":                         "from 0 to 59",
		"*/9999999999999999999999 * * * *":   "step",
		strings.Repeat("a", 99) + " 6 * * *": "aaaa",
	} {
		_, err := cron.Parse(text)
		if err == nil || !strings.Contains(err.Error(), words) || len(err.Error()) > 200 {
			t.Errorf("%q: %v, want %q", text, err, words)
		}
	}
}

// FuzzNext compares with looking at every minute, and with the rules for what a text is.
func FuzzNext(f *testing.F) {
	for _, seed := range []string{"*/7 3,5 * * *", "0 0 13 * fri", "@daily", "1-59/9 * 28-31 feb,mar 0", "30 2 * * *", "* * * * 7", "5/999999999999 * * * *"} {
		f.Add(seed, int64(1_800_000_000), uint8(3))
	}
	zones := []string{"UTC", "America/Havana", "Australia/Lord_Howe", "Europe/Berlin", "Pacific/Apia", "Asia/Kathmandu"}
	f.Fuzz(func(t *testing.T, text string, at int64, zone uint8) {
		e, err := cron.Parse(text)
		if err != nil {
			return
		}
		again, err := cron.Parse(e.Short())
		if err != nil || again.String() != e.String() {
			t.Fatalf("%q is %q and then %q, %v", text, e.String(), again.String(), err)
		}
		if len(strings.Fields(e.Short())) == 6 {
			return // seconds are too many to look at
		}
		after := time.Unix(at%4_000_000_000, 0).In(in(t, zones[int(zone)%len(zones)]))
		if after.Year() < 1990 { // some zones had odd seconds before
			return
		}
		next := e.Next(after)
		end := after.Add(60 * 24 * time.Hour)
		for m := after.Truncate(time.Minute).Add(time.Minute); m.Before(end); m = m.Add(time.Minute) {
			if matches(e, m) {
				if !next.Equal(m) {
					t.Fatalf("%q after %s: %s, want %s", text, after, next, m)
				}
				return
			}
		}
		if !next.IsZero() && next.Before(end) {
			t.Fatalf("%q after %s: %s, which does not match", text, after, next)
		}
	})
}

// matches reports whether a minute matches, by what the next time is when it is UTC: there
// no clock is changed.
func matches(e cron.Expression, m time.Time) bool {
	y, month, d := m.Date()
	clock := time.Date(y, month, d, m.Hour(), m.Minute(), 0, 0, time.UTC)
	return e.Next(clock.Add(-time.Second)).Equal(clock)
}

func ExampleExpression_Next() {
	e, err := cron.Parse("30 6 * * 1-5")
	if err != nil {
		panic(err)
	}
	friday := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	fmt.Println(e.Next(friday).Format(time.RFC1123))
	// Output: Mon, 30 Nov 2026 06:30:00 UTC
}
