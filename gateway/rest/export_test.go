package rest

import "time"

// SetHeartbeat sets the time between two signs of life in a stream of events.
func (g *Gateway) SetHeartbeat(every time.Duration) { g.jobs.heartbeat = every }
