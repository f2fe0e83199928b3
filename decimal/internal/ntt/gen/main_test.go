package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestCurrent fails when the committed assembly is not what the generator writes.
func TestCurrent(t *testing.T) {
	t.Parallel()
	for name, build := range files {
		var a assembly
		build(&a)
		committed, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(committed, a.text()) {
			t.Errorf("%s is out of date: run go generate in the directory above", name)
		}
	}
}
