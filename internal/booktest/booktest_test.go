package booktest_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/seed-649d3d38/heddle/internal/booktest"
)

func TestRead(t *testing.T) {
	t.Parallel()
	page := filepath.Join(t.TempDir(), "page.md")
	text := "text\n```sh\n$ not this\n```\n```console\n$ one 'a b' c\nx…z\n…\nend\n$ two\n```\nmore\n```console\n$ three ''\n```\n"
	if err := os.WriteFile(page, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []booktest.Command{
		{Words: []string{"one", "a b", "c"}, Output: "x…z\n…\nend\n"},
		{Words: []string{"two"}},
		{Words: []string{"three", ""}},
	}
	if got := booktest.Read(t, page); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		output, printed string
		want            bool
	}{
		{"", "", true},
		{"", "x\n", false},
		{"a.c\n", "a.c\n", true},
		{"a.c\n", "abc\n", false},
		{"x…z\n", "x and z\n", true},
		{"x…z\n", "x\nz\n", false},
		{"a\n…\nb\n", "a\nb\n", true},
		{"a\n…\nb\n", "a\n1\n2\nb\n", true},
		{"a\n…\nb\n", "a\n1\n2\n", false},
		{"a\n…\n", "a\n1\n2\n", true},
	} {
		if got := (booktest.Command{Output: tt.output}).Matches(tt.printed); got != tt.want {
			t.Errorf("%q matches %q: %t", tt.output, tt.printed, got)
		}
	}
}
