package client

import (
	"context"
	"sync"

	"github.com/seed-649d3d38/heddle/contract"
)

// Group owns the goroutines of the functions that [Go] starts: it bounds how many run
// at once and waits for them. It is safe for concurrent use.
type Group struct {
	places  chan struct{} // one element for each running function
	running sync.WaitGroup
}

// NewGroup returns a group that runs as many functions at once as limit says; a limit
// below 1 counts as 1.
func NewGroup(limit int) *Group { return &Group{places: make(chan struct{}, max(1, limit))} }

// Wait returns when all functions that were started have returned, and their callbacks
// too. Nothing may be started at the same time, except by the functions and callbacks
// of the group itself.
func (g *Group) Wait() { g.running.Wait() }

// enter waits for a place.
func (g *Group) enter(ctx context.Context) error {
	if ctx.Err() == nil {
		select {
		case g.places <- struct{}{}:
			return nil
		case <-ctx.Done():
		}
	}
	return contract.FromError(ctx.Err())
}

func (g *Group) leave() { <-g.places }
