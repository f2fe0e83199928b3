package telemetry

import (
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// This file pins the version of the OpenTelemetry semantic conventions, v1.43.0. No
// other file imports them. The messaging conventions are not stable yet.

// SchemaURL names the version of the conventions in everything that is exported.
const SchemaURL = semconv.SchemaURL

// Attributes of the process.
const (
	serviceName       = string(semconv.ServiceNameKey)
	serviceVersion    = string(semconv.ServiceVersionKey)
	serviceInstanceID = string(semconv.ServiceInstanceIDKey)
)

// Keys of attributes of spans and metrics.
const (
	KeyErrorType = semconv.ErrorTypeKey

	KeyHTTPMethod    = semconv.HTTPRequestMethodKey
	KeyHTTPRoute     = semconv.HTTPRouteKey
	KeyHTTPStatus    = semconv.HTTPResponseStatusCodeKey
	KeyURLPath       = semconv.URLPathKey
	KeyURLScheme     = semconv.URLSchemeKey
	KeyServerAddress = semconv.ServerAddressKey
	KeyServerPort    = semconv.ServerPortKey

	// KeyDestination is the subject, never an inbox.
	KeyDestination = semconv.MessagingDestinationNameKey
	// KeyQueueGroup is the queue group or the durable consumer.
	KeyQueueGroup    = semconv.MessagingConsumerGroupNameKey
	KeyOperationName = semconv.MessagingOperationNameKey
	KeyBodySize      = semconv.MessagingMessageBodySizeKey
	KeyMessageID     = semconv.MessagingMessageIDKey
)

// System is the attribute that every span and metric about a message has. The
// conventions have no constant for NATS.
func System() attribute.KeyValue { return semconv.MessagingSystemKey.String("nats") }

// OperationSend marks the span of a request or a publication.
func OperationSend() attribute.KeyValue { return semconv.MessagingOperationTypeSend }

// OperationProcess marks the span of the work on a request or a job.
func OperationProcess() attribute.KeyValue { return semconv.MessagingOperationTypeProcess }

// Names of the duration histograms of the conventions, all in seconds.
const (
	MetricHTTPServerDuration = "http.server.request.duration"
	MetricClientDuration     = "messaging.client.operation.duration"
	MetricProcessDuration    = "messaging.process.duration"
)

// DurationBounds returns the bucket bounds, in seconds, of duration histograms. They
// reach from a light request (50 µs) to the longest a request may take by default
// (30 s) and beyond; the bounds of the conventions begin at 5 ms, where most of ours
// would be in one bucket.
func DurationBounds() []float64 {
	return []float64{
		0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
		0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
	}
}
