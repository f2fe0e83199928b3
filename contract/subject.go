package contract

// subjectPrefix starts every subject of the suite. Only this file knows it.
const subjectPrefix = "heddle." + Version + "."

// Subject returns the NATS subject of an operation's requests.
//
//	heddle.v1.<service>.<operation>
func Subject(service, operation string) string {
	return subjectPrefix + service + "." + operation
}

// QueueGroup returns the queue group that the instances of a service join, so
// that the broker gives each request to one of them.
//
//	<service>
func QueueGroup(service string) string { return service }

// LaneSubject returns the subject of an operation's requests in the lane of its service,
// where requests wait that found an instance full. Instances publish to it and the
// broker stores it; callers do not use it.
//
//	heddle.v1.lane.<service>.<operation>
func LaneSubject(service, operation string) string {
	return subjectPrefix + "lane." + service + "." + operation
}

// LaneStream returns the name of the stream that holds the lane of a service.
//
//	HEDDLE_LANE_<service>
func LaneStream(service string) string { return "HEDDLE_LANE_" + service }
