package main

import (
	"fmt"
	"runtime"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/cli"
)

// versionCommand prints which program this is.
type versionCommand struct{}

// Run implements the command.
func (versionCommand) Run(s streams) error {
	_, err := fmt.Fprintf(s.out, "heddle %s, contract %s, %s %s/%s\n",
		cli.Version(), contract.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
