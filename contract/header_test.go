package contract_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/contract"
)

func TestParseTimeout(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{
		"2.5s": 2500 * time.Millisecond, "1ns": 1, "250ms": 250 * time.Millisecond, "1m30s": 90 * time.Second,
		"1h": time.Hour, "60m": time.Hour, "+1s": time.Second, ".5s": 500 * time.Millisecond,
	} {
		if got, err := contract.ParseTimeout(value); got != want || err != nil {
			t.Errorf("ParseTimeout(%q) = %v, %v; want %v", value, got, err, want)
		}
	}
	for _, value := range []string{"", "0", "0s", "-1s", "1h0m0.000000001s", "24h", "5", "5 s", "s", "1e3s", "NaN", "1d", "9223372036854775808ns"} {
		got, err := contract.ParseTimeout(value)
		e, ok := errors.AsType[*contract.Error](err)
		if got != 0 || !ok || e.Code != contract.CodeInvalidArgument || e.Field != contract.HeaderTimeout {
			t.Errorf("ParseTimeout(%q) = %v, %v; want an invalid %s", value, got, err, contract.HeaderTimeout)
		}
	}
}

// TestFormatTimeout checks that whatever one hop writes, the next one reads, to the
// microsecond and never as nothing.
func TestFormatTimeout(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(1, int64(contract.MaxTimeout)).Draw(t, "nanoseconds"))
		value := contract.FormatTimeout(d)
		got, err := contract.ParseTimeout(value)
		if err != nil || got < d-time.Microsecond || got > d+time.Microsecond {
			t.Fatalf("%d ns are written %q and read as %v, %v", d, value, got, err)
		}
	})
	for d, want := range map[time.Duration]string{
		2500 * time.Millisecond: "2.5s", 1: "1µs", 0: "1µs", -time.Second: "1µs", time.Hour: "1h0m0s", 1499: "1µs", 1500: "2µs",
	} {
		if got := contract.FormatTimeout(d); got != want {
			t.Errorf("FormatTimeout(%d) = %q, want %q", d, got, want)
		}
	}
}

func TestAppendServerTiming(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		queue, work time.Duration
		want        string
	}{
		{0, 0, "queue;dur=0.000, work;dur=0.000"},
		{12 * time.Microsecond, 3400 * time.Microsecond, "queue;dur=0.012, work;dur=3.400"},
		{time.Minute, 400 * time.Nanosecond, "queue;dur=60000.000, work;dur=0.000"},
	} {
		if got := string(contract.AppendServerTiming([]byte("x "), c.queue, c.work)); got != "x "+c.want {
			t.Errorf("queue %v, work %v: %q, want %q", c.queue, c.work, got, c.want)
		}
	}
}

func FuzzParseTimeout(f *testing.F) {
	f.Fuzz(func(t *testing.T, value string) {
		got, err := contract.ParseTimeout(value)
		want, parseErr := time.ParseDuration(value)
		if valid := parseErr == nil && want > 0 && want <= contract.MaxTimeout; valid != (err == nil) || valid && got != want {
			t.Errorf("ParseTimeout(%q) = %v, %v; time says %v, %v", value, got, err, want, parseErr)
		}
	})
}

func TestParseServerTiming(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		queue := time.Duration(rapid.Int64Range(0, int64(100*time.Hour)).Draw(t, "queue"))
		work := time.Duration(rapid.Int64Range(0, int64(100*time.Hour)).Draw(t, "work"))
		value := string(contract.AppendServerTiming(nil, queue, work))
		gotQueue, gotWork, ok := contract.ParseServerTiming(value)
		if !ok || gotQueue != queue.Round(time.Microsecond) || gotWork != work.Round(time.Microsecond) {
			t.Fatalf("%v, %v are written %q and read as %v, %v, %v", queue, work, value, gotQueue, gotWork, ok)
		}
	})
}

func FuzzParseServerTiming(f *testing.F) {
	for _, seed := range []string{"", "queue;dur=0.012, work;dur=3.400", "queue;dur=-1, work;dur=3", "queue;dur=1e9, work;dur=Inf", "work;dur=1, queue;dur=2", "queue;dur=1.2.3, work;dur=1", "queue;dur=99999999999999999999, work;dur=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		queue, work, ok := contract.ParseServerTiming(value)
		if queue < 0 || work < 0 || !ok && (queue != 0 || work != 0) {
			t.Errorf("%q is read as %v, %v, %v", value, queue, work, ok)
		}
	})
}
