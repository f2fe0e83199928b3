package contract

const (
	// UpkeepBucket is the name of the key-value bucket in which those who look after the
	// queues agree on whose turn it is and how far they have come.
	UpkeepBucket = "HEDDLE_UPKEEP"

	// AdvisoryStream is the name of the stream that keeps what JetStream says of messages
	// that it gave up, so that nobody need listen at that moment.
	AdvisoryStream = "HEDDLE_ADVISORIES"

	// TerminatedSubjects are the subjects on which JetStream says that it will not deliver a
	// message again because somebody terminated it.
	//
	//	$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.<stream>.<consumer>
	TerminatedSubjects = "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>"

	// MaxDeliveriesSubjects are those on which it says so because the message was delivered
	// as often as its consumer allows.
	MaxDeliveriesSubjects = "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>"
)

// HealKind is what was wrong with a job and was put right by whoever looks after the queues.
type HealKind string

// The kinds. A job that was given up ends failed, with a problem that says why.
const (
	// HealRequeued: the record of a job said queued and there was no message; there is one
	// again.
	HealRequeued HealKind = "requeued"
	// HealLost: a job had no message any more, and nothing to make one of; it was given up.
	HealLost HealKind = "lost"
	// HealLate: the queue limit of a job had passed while nobody began it; it was given up.
	HealLate HealKind = "late"
	// HealLeftover: the message of a job that had ended was deleted.
	HealLeftover HealKind = "leftover"
	// HealRefused: no instance takes messages such as this one; the job was given up.
	HealRefused HealKind = "refused"
	// HealUndelivered: the broker had delivered a message as often as it was allowed to;
	// the job was given up.
	HealUndelivered HealKind = "undelivered"
	// HealTerminated: somebody who is not of this suite terminated a message. The broker
	// does not say which job it was. If it has a record it is found as lost.
	HealTerminated HealKind = "terminated"
	// HealConsumer: a consumer was paused and its service was not, or the other way round;
	// it is as its service now.
	HealConsumer HealKind = "consumer"
)

// HealKinds returns every kind.
func HealKinds() []HealKind {
	return []HealKind{HealRequeued, HealLost, HealLate, HealLeftover, HealRefused, HealUndelivered, HealTerminated, HealConsumer}
}
