package daemon

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestMemoryLimits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	missing := filepath.Join(dir, "missing")
	for name, c := range map[string]struct {
		got, want int64
	}{
		"group limit":     {groupLimit(file("limit", "536870912\n")), 512 << 20},
		"group unlimited": {groupLimit(file("max", "max\n")), math.MaxInt64},
		"no group":        {groupLimit(missing), math.MaxInt64},
		"machine":         {machineMemory(file("meminfo", "MemFree: 1 kB\nMemTotal:       2048 kB\n")), 2 << 20},
		"odd meminfo":     {machineMemory(file("odd", "MemTotal: lots\n")), math.MaxInt64},
		"no meminfo":      {machineMemory(missing), math.MaxInt64},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", name, c.got, c.want)
		}
	}
	if m := defaultMemory(); m <= 0 {
		t.Errorf("default budget is %d", m)
	}
}
