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
