package main

import (
	"strings"
	"testing"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
)

func TestPrintSchedules(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	daily := contract.Schedule{ID: "prime-test-a", Next: now.Add(17 * time.Hour)}
	daily.Class, daily.Cron, daily.TimeZone = contract.ClassNormal, "0 6 * * *", "Europe/Berlin"
	once := contract.Schedule{ID: "prime-test-long", Next: now.Add(100 * 24 * time.Hour)}
	once.Class = contract.ClassHigh
	strange := contract.Schedule{ID: "prime-test-c"}
	strange.Class, strange.Cron = contract.ClassNormal, "@every 1h"
	var out strings.Builder
	err := printSchedules(&out, []contract.Schedule{daily, once, strange}, now)
	want := `SCHEDULE         CLASS   CRON       TIME ZONE      NEXT
prime-test-a     normal  0 6 * * *  Europe/Berlin  Wed 2026-11-25 06:00:00 CET, in 17h0m
prime-test-long  high    once       -              Thu 2027-03-04 12:00:00 UTC, in 100 days
prime-test-c     normal  @every 1h                 -
`
	if err != nil || out.String() != want {
		t.Errorf("got %v\n%s\nwant\n%s", err, out.String(), want)
	}
}

func TestScheduleTiming(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		command scheduleAddCommand
		want    string // an error if empty
	}{
		{scheduleAddCommand{In: time.Hour}, "2026-11-24T13:00:00Z"},
		{scheduleAddCommand{At: "2026-12-01T06:00:00+01:00"}, "2026-12-01T05:00:00Z"},
		{scheduleAddCommand{At: "2026-12-01T06:00"}, "2026-12-01T06:00:00Z"},
		{scheduleAddCommand{At: "2026-12-01 06:00:30", TimeZone: "Europe/Berlin"}, "2026-12-01T05:00:30Z"},
		{scheduleAddCommand{At: "6:00"}, ""},
		{scheduleAddCommand{At: "2026-12-01T06:00", TimeZone: "Mars"}, ""},
	} {
		when, err := c.command.timing(now)
		if got := when.At.UTC().Format(time.RFC3339); (err == nil) != (c.want != "") || err == nil && got != c.want {
			t.Errorf("%+v: %s, %v", c.command, got, err)
		}
	}
}
