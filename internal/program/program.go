// Package program lists the programs of the project and the environment variables that
// each reads: for whoever builds images and for tests of manifests. It starts nothing, and
// programs do not need it: their flags say the same, which a test compares.
//
//	for _, p := range program.All() { … p.Variables(), … }
package program

import "slices"

// Registry is where the images are by default: <registry>/<name>:<version>.
const Registry = "ghcr.io/seed-649d3d38/heddle"

// Version is the version of the images that manifests name.
const Version = "v0.1.0"

// Program is a program of the project.
type Program struct {
	// Name is its name and that of its image, such as heddle-gateway.
	Name string
	// Folder is where its package main is, from the root of the repository.
	Folder string
	// Summary says what it is, without commas.
	Summary string
	// Commands are its commands that read variables, nil if it has none.
	Commands []Command
	own      []string
}

// Command is a command of a program.
type Command struct {
	Name      string
	Variables []string
}

// The sets of variables that programs have in common.
var (
	broker = []string{
		"NATS_URL", "NATS_CONTEXT", "NATS_CREDS", "NATS_NKEY", "NATS_USER", "NATS_PASSWORD", "NATS_TOKEN",
		"NATS_CERT", "NATS_KEY", "NATS_CA",
	}
	process   = []string{"HEDDLE_ADMIN", "HEDDLE_LOG_FORMAT", "HEDDLE_LOG_LEVEL", "HEDDLE_DRAIN_TIMEOUT"}
	hosting   = []string{"HEDDLE_SLOTS", "HEDDLE_QUEUE", "HEDDLE_JOBS_ONLY", "HEDDLE_MEMORY", "GOMAXPROCS"}
	serving   = []string{"HEDDLE_HTTP", "HEDDLE_HTTP_OPEN", "HEDDLE_ALLOW_HOST", "HEDDLE_DRAIN_DELAY"}
	crawling  = []string{"HEDDLE_CRAWL_ALLOW"}
	providing = []string{"HEDDLE_REPLICAS", "HEDDLE_JOB_QUEUE", "HEDDLE_JOB_BYTES", "HEDDLE_PROVISION_WAIT"}
	embedding = []string{"HEDDLE_NATS", "HEDDLE_DATA"}
)

// All returns the programs of the project. The variables of the Go runtime, such as
// GOMEMLIMIT, and those of OpenTelemetry, OTEL_…, count for each and are not listed.
func All() []Program {
	service := slices.Concat(broker, process, hosting)
	return []Program{
		{
			Name: "heddle", Folder: ".", Summary: "All of Heddle in one program",
			Commands: []Command{
				{"up", slices.Concat(service, serving, crawling, embedding)},
				{"worker", slices.Concat(service, crawling)},
				{"provision", slices.Concat(broker, providing)},
			},
		},
		{Name: "heddle-gateway", Folder: "gateway", Summary: "The REST gateway of Heddle", own: slices.Concat(broker, process, serving)},
		{Name: "heddle-fibonacci", Folder: "services/fibonacci", Summary: "The fibonacci service of Heddle", own: service},
		{Name: "heddle-sqrt", Folder: "services/sqrt", Summary: "The sqrt service of Heddle", own: service},
		{Name: "heddle-crawler", Folder: "services/crawler", Summary: "The crawler service of Heddle", own: slices.Concat(service, crawling)},
	}
}

// Variables returns the variables that the program reads, or those of one of its commands;
// nil for a command that it has not.
func (p Program) Variables(command ...string) []string {
	if len(command) == 0 {
		return p.own
	}
	for _, c := range p.Commands {
		if c.Name == command[0] {
			return c.Variables
		}
	}
	return nil
}
