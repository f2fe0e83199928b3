//go:build !linux

package pages

import "context"

// asked reports that there are no huge pages to ask for.
func asked() bool { return false }

func back(context.Context, []byte) {}
