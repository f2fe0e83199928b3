package contract

import "strings"

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

// BatchSubject returns the subject of an operation's chunks: many requests in one
// message, answered in one reply of [BatchLine]s.
//
//	heddle.v1.<service>.<operation>.batch
func BatchSubject(service, operation string) string { return Subject(service, operation) + ".batch" }

// CancelSubject returns the subject on which every instance of a service hears which
// requests nobody waits for any more; see [Cancel].
//
//	heddle.v1.cancel.<service>
func CancelSubject(service string) string { return subjectPrefix + "cancel." + service }

// ServiceOf returns the service of a subject that [Subject], [BatchSubject],
// [ItemSubject] or [ItemBatchSubject] made, and whether it is one.
func ServiceOf(subject string) (service string, ok bool) {
	rest, ok := strings.CutPrefix(subject, subjectPrefix)
	rest = strings.TrimPrefix(rest, itemsWord+".")
	service, _, found := strings.Cut(rest, ".")
	return service, ok && found
}

// LaneSubject returns the subject of an operation's requests in the lane of its service,
// where requests wait that found an instance full; its chunks have the name of
// [BatchName] in place of the operation. Instances publish to it and the broker stores
// it; callers do not use it.
//
//	heddle.v1.lane.<service>.<operation>
func LaneSubject(service, operation string) string {
	return subjectPrefix + "lane." + service + "." + operation
}

// LaneStream returns the name of the stream that holds the lane of a service.
//
//	HEDDLE_LANE_<service>
func LaneStream(service string) string { return "HEDDLE_LANE_" + service }

// handleWord is the token of subjects of handles where others have the service.
const handleWord = "handle"

// HandleSubject returns the subject on which an instance answers requests for parts of
// the handle with the id. The id "*" stands for all handles of the instance.
//
//	heddle.v1.handle.<service>.<instance>.<id>
func HandleSubject(service, instance, id string) string {
	return subjectPrefix + handleWord + "." + service + "." + instance + "." + id
}

// isHandleSubject reports whether a subject is one that HandleSubject makes, without
// wildcards.
func isHandleSubject(subject string) bool {
	rest, ok := strings.CutPrefix(subject, subjectPrefix+handleWord+".")
	tokens := strings.Split(rest, ".")
	if !ok || len(tokens) != 3 {
		return false
	}
	for _, token := range tokens {
		if token == "" || strings.ContainsAny(token, "*> \t\r\n") {
			return false
		}
	}
	return true
}

// isReserved reports whether a word stands where subjects have the name of a service, so
// that no service can have it: lanes, handles, cancellation, jobs, their items, schedules and tenants.
func isReserved(word string) bool {
	switch word {
	case "lane", handleWord, "cancel", "jobs", itemsWord, scheduleWord, "t":
		return true
	}
	return false
}

// BatchName returns the name that the endpoint of an operation's chunks has in service
// discovery and in the lane. No operation has such a name.
//
//	<operation>-batch
func BatchName(operation string) string { return operation + "-batch" }
