package discovery

import (
	"encoding/json"
	"time"
)

// Load is what an instance that package host hosts carries. It travels as the data of
// each endpoint's statistics.
type Load struct {
	// Slots is the number of heavy requests that run at once, Busy how many do and
	// Waiting how many wait in this instance, because there is no lane.
	Slots   int64 `json:"slots"`
	Busy    int64 `json:"busy"`
	Waiting int64 `json:"waiting"`
	// Lane says that the service has a lane, and LaneDepth how many requests wait in
	// it for a slot of any instance.
	Lane      bool   `json:"lane"`
	LaneDepth uint64 `json:"lane_depth"`
	// QueueWait is the time in nanoseconds that requests have waited for a slot,
	// summed since the start, and Admitted the number of those requests.
	QueueWait int64 `json:"queue_wait"`
	Admitted  int64 `json:"admitted"`
	// MemoryBudget and MemoryReserved are bytes, shared by the services of a process.
	MemoryBudget   int64 `json:"memory_budget"`
	MemoryReserved int64 `json:"memory_reserved"`
	// Handles is the number of large results that are held for their readers, and
	// HandleMemory the bytes of the reserved memory that they take.
	Handles      int64 `json:"handles"`
	HandleMemory int64 `json:"handle_memory"`
}

// MeanWait returns the mean time that a request has waited for a slot, zero if none has
// come yet.
func (l Load) MeanWait() time.Duration {
	if l.Admitted <= 0 {
		return 0
	}
	return time.Duration(l.QueueWait / l.Admitted)
}

// Load returns the load of an instance and whether it says one: services that are not
// hosted by package host do not.
func (i Instance) Load() (l Load, ok bool) {
	if len(i.Endpoints) == 0 || json.Unmarshal(i.Endpoints[0].Data, &l) != nil || l.Slots <= 0 {
		return Load{}, false
	}
	return l, true
}
