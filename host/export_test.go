package host

import "context"

// Reserved returns how many bytes the requests of a host have reserved.
func Reserved(h *Host) int64 { return h.memory.reserved.Load() }

// LaneDepth returns how many requests wait in the lane of the host's first service.
func LaneDepth(ctx context.Context, h *Host) uint64 { return h.services[0].lane.State(ctx).Depth }
