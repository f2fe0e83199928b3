package telemetry

import (
	"os"
	"strings"
)

// exports says which signals leave the process.
type exports struct{ traces, metrics, logs bool }

func (e exports) any() bool { return e.traces || e.metrics || e.logs }

// exportsFromEnv reads the wish to export from the environment. It is read here rather
// than by main packages because the OpenTelemetry exporters read their settings from
// the environment by themselves, and two sources could disagree.
//
// The specification makes OTLP to localhost the default. We default to nothing, so that
// a program on a laptop does not complain about a collector nobody runs.
func exportsFromEnv() exports {
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") {
		return exports{}
	}
	return exports{
		traces:  exported("TRACES"),
		metrics: exported("METRICS"),
		logs:    exported("LOGS"),
	}
}

// exported reports whether the variables ask for the export of one signal.
func exported(signal string) bool {
	switch getenv("OTEL_" + signal + "_EXPORTER") {
	case "none":
		return false
	case "":
		return getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" ||
			getenv("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT") != ""
	default:
		return true
	}
}

func getenv(name string) string {
	return os.Getenv(name) //nolint:forbidigo // see exportsFromEnv
}
