package daemon_test

import (
	"testing"

	"github.com/seed-649d3d38/heddle/daemon"
)

func TestSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]daemon.Size{
		"1":         1,
		"512MiB":    512 << 20,
		"512 mib":   512 << 20,
		"1.5GiB":    3 << 29,
		"2GB":       2_000_000_000,
		"100KB":     100_000,
		" 64B ":     64,
		"1TiB":      1 << 40,
		"":          -1,
		"0":         -1,
		"-1GB":      -1,
		"NaN":       -1,
		"Inf":       -1,
		"1e300":     -1,
		"10 apples": -1,
		"GiB":       -1,
	} {
		var got daemon.Size
		err := got.UnmarshalText([]byte(text))
		if (err == nil) != (want > 0) || err == nil && got != want {
			t.Errorf("%q = %d, %v; want %d", text, got, err, want)
		}
	}
}

func FuzzSize(f *testing.F) {
	for _, seed := range []string{"1", "512MiB", "1.5GB", "-", "1e9KB", "0x10B"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var s, again daemon.Size
		if s.UnmarshalText([]byte(text)) != nil {
			return
		}
		if s <= 0 {
			t.Fatalf("%q = %d; want a size above 0", text, s)
		}
		// Written with a unit, a size reads back as the same, up to what a double holds.
		if err := again.UnmarshalText([]byte(s.String())); err != nil || s < 1<<53 && again != s {
			t.Errorf("%q = %v, which reads back as %v, %v", text, s, again, err)
		}
	})
}
