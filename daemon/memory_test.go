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
		"machine":     {machineMemory(file("meminfo", "MemFree: 1 kB\nMemTotal:       2048 kB\n")), 2 << 20},
		"odd meminfo": {machineMemory(file("odd", "MemTotal: lots\n")), math.MaxInt64},
		"no meminfo":  {machineMemory(missing), math.MaxInt64},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", name, c.got, c.want)
		}
	}
	if m := defaultMemory(); m <= 0 {
		t.Errorf("default budget is %d", m)
	}
}

func TestGroupLimit(t *testing.T) {
	t.Parallel()
	const v1None = "9223372036854771712\n"
	for name, c := range map[string]struct {
		groups string            // as in /proc/self/cgroup
		files  map[string]string // below /sys/fs/cgroup
		want   int64
	}{
		"version 2, container":        {"0::/\n", map[string]string{"memory.max": "536870912\n"}, 512 << 20},
		"version 2, no limit":         {"0::/\n", map[string]string{"memory.max": "max\n"}, math.MaxInt64},
		"version 2, machine":          {"0::/a/b\n", map[string]string{"a/b/memory.max": "4096\n", "a/memory.max": "max\n"}, 4096},
		"version 2, limit above":      {"0::/a/b\n", map[string]string{"a/b/memory.max": "4096\n", "a/memory.max": "1024\n"}, 1024},
		"version 2, the host's path":  {"0::/kubepods/pod1/c\n", map[string]string{"memory.max": "2048\n"}, 2048},
		"version 1, container":        {"5:cpu:/x\n4:memory:/kubepods/pod1/c\n0::/\n", map[string]string{"memory/memory.limit_in_bytes": "1048576\n", "cpu/memory.max": "1\n"}, 1 << 20},
		"version 1, machine":          {"4:memory:/a\n", map[string]string{"memory/a/memory.limit_in_bytes": "8192\n", "memory/memory.limit_in_bytes": v1None}, 8192},
		"version 1, no limit":         {"4:memory:/\n", map[string]string{"memory/memory.limit_in_bytes": v1None}, math.MaxInt64},
		"no files":                    {"4:memory:/a\n0::/a\n", nil, math.MaxInt64},
		"a path that leads elsewhere": {"0::/../../etc\n", map[string]string{"memory.max": "16\n"}, 16},
		"nonsense":                    {"x\n:::\n", map[string]string{"memory.max": "lots\n"}, math.MaxInt64},
	} {
		dir := t.TempDir()
		for name, content := range c.files {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		list := filepath.Join(t.TempDir(), "cgroup")
		if err := os.WriteFile(list, []byte(c.groups), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := groupLimit(list, dir); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	if got := groupLimit(filepath.Join(t.TempDir(), "missing"), t.TempDir()); got != math.MaxInt64 {
		t.Errorf("no list: %d", got)
	}
}
