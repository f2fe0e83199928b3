package contract_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
)

// TestSchedulesOnTheWire pins what brokers and programs of different releases share.
func TestSchedulesOnTheWire(t *testing.T) {
	t.Parallel()
	ref := contract.JobRef{Tenant: "<tenant>", Service: "<service>", Operation: "<operation>", Token: "<token>"}
	o := contract.JobOptions{Class: contract.ClassHigh, Accept: contract.MediaText, RunLimit: time.Minute, QueueLimit: time.Hour, Attempts: 3, Retention: 48 * time.Hour}
	cron := contract.NewScheduleRequest(contract.FibonacciTerm.Spec, []byte(`{"n":"1"}`), contract.Timing{Cron: "@daily", TimeZone: "Europe/Berlin"}, o)
	at := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	once := contract.NewScheduleRequest(contract.FibonacciTerm.Spec, []byte(`{"n":"1"}`), contract.Timing{At: at}, contract.JobOptions{})
	golden(t, "schedules.json", map[string]any{
		"stream": contract.ScheduleStream, "consumer": contract.DueConsumer, "header": contract.HeaderSchedule,
		"schedule": ref.ScheduleSubject(), "due": ref.DueSubject(), "verb": contract.SchedulesSubject("<verb>"),
		"request": cron, "once": once, "id": contract.ScheduleID{ID: "fibonacci-term-a"},
		"document": contract.Schedule{ID: "fibonacci-term-a", ScheduleRequest: cron, Created: at, Next: at, LastJob: "fibonacci-term-b"},
		"query":    contract.ScheduleQuery{Service: "fibonacci", Operation: "term", Limit: 1, Page: "1"},
		"list":     contract.ScheduleList{Schedules: []contract.Schedule{}, Next: "2"},
		"job":      contract.Job{ID: "fibonacci-term-b", Schedule: "fibonacci-term-a"},
	})
}

// TestScheduleRequest shows that what is written is read, and what is wrong is named.
func TestScheduleRequest(t *testing.T) {
	t.Parallel()
	o := contract.JobOptions{Class: contract.ClassHigh, Accept: contract.MediaText, RunLimit: time.Minute, QueueLimit: time.Hour, Attempts: 3, Retention: 48 * time.Hour}
	for _, when := range []contract.Timing{{Cron: "@daily", TimeZone: "Europe/Berlin"}, {At: time.Date(2030, 1, 1, 0, 0, 0, 5, time.UTC)}} {
		body, err := json.Marshal(contract.NewScheduleRequest(contract.FibonacciTerm.Spec, []byte(`{"n":"1"}`), when, o))
		if err != nil {
			t.Fatal(err)
		}
		var r contract.ScheduleRequest
		if err := json.Unmarshal(body, &r); err != nil || r.Validate() != nil {
			t.Fatalf("%s: %v, %v", body, err, r.Validate())
		}
		if got, err := r.Timing(); err != nil || got != when {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
		if got, err := r.Options(); err != nil || !reflect.DeepEqual(got, o) {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
	valid := contract.NewScheduleRequest(contract.FibonacciTerm.Spec, []byte(`{}`), contract.Timing{Cron: "@daily"}, contract.JobOptions{})
	for field, change := range map[string]func(*contract.ScheduleRequest){
		"service":     func(r *contract.ScheduleRequest) { r.Service = "" },
		"operation":   func(r *contract.ScheduleRequest) { r.Operation = "" },
		"request":     func(r *contract.ScheduleRequest) { r.Request = json.RawMessage{} },
		"run_at":      func(r *contract.ScheduleRequest) { r.Cron = "" },
		"cron":        func(r *contract.ScheduleRequest) { r.Cron = strings.Repeat("*", 256) },
		"time_zone":   func(r *contract.ScheduleRequest) { r.TimeZone = strings.Repeat("a", 256) },
		"class":       func(r *contract.ScheduleRequest) { r.Class = "low" },
		"accept":      func(r *contract.ScheduleRequest) { r.Accept = "a\n" },
		"attempts":    func(r *contract.ScheduleRequest) { r.Attempts = -1 },
		"run_limit":   func(r *contract.ScheduleRequest) { r.RunLimit = "x" },
		"queue_limit": func(r *contract.ScheduleRequest) { r.QueueLimit = "1ms" },
		"retention":   func(r *contract.ScheduleRequest) { r.Retention = "-1h" },
	} {
		r := valid
		change(&r)
		if f, ok := errors.AsType[*contract.Error](r.Validate()); !ok || f.Code != contract.CodeInvalidArgument || f.Field != field {
			t.Errorf("%s: %v", field, r.Validate())
		}
	}
}

// TestScheduleSubjects reads what was written, and nothing else.
func TestScheduleSubjects(t *testing.T) {
	t.Parallel()
	ref := contract.JobRef{Tenant: "t1", Service: "fibonacci", Operation: "term", Token: "a"}
	if got, ok := contract.ParseScheduleSubject(ref.ScheduleSubject()); !ok || got != ref {
		t.Errorf("%s is %+v", ref.ScheduleSubject(), got)
	}
	if got, ok := contract.ParseDueSubject(ref.DueSubject()); !ok || got != ref {
		t.Errorf("%s is %+v", ref.DueSubject(), got)
	}
	for _, subject := range []string{"", ref.DueSubject(), ref.ScheduleSubject() + ".b", ref.EventSubject()} {
		if _, ok := contract.ParseScheduleSubject(subject); ok {
			t.Errorf("%q is taken for a schedule", subject)
		}
	}
	if _, err := contract.ParseScheduleID("nonsense"); !errors.Is(err, contract.CodeNotFound) || !strings.Contains(err.Error(), "no schedule") {
		t.Errorf("an id that is none: %v", err)
	}
}
