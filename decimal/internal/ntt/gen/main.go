// Command gen writes the assembly of package ntt. It is run by go generate in
// the package's directory; its output depends on nothing but its source, so a
// difference after a run means that the committed assembly is out of date.
package main

import (
	"log"
	"os"
)

// files are the generated files and what fills them.
var files = map[string]func(*assembly){
	"ifma_amd64.s": ifma,
	"fma_amd64.s":  fma,
}

func main() {
	log.SetFlags(0)
	for name, build := range files {
		var a assembly
		build(&a)
		if err := os.WriteFile(name, a.text(), 0o644); err != nil {
			log.Fatalf("write assembly: %v", err)
		}
	}
}
