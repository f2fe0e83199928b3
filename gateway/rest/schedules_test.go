package rest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/internal/bus"
	"github.com/seed-649d3d38/heddle/jobs"
)

const schedulesPath = "/v1/schedules"

// serveJobs serves jobs and schedules on NATS, and returns a direct publisher's way there.
func (s *jobSuite) serveJobs() *bus.Requester {
	s.Helper()
	service, err := jobs.Serve(context.WithoutCancel(s.Context()), s.store, []contract.Descriptor{say.Descriptor(), alphabet.Descriptor()})
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(service.Close)
	return s.requester()
}

// ask sends a request about schedules over NATS.
func ask(t testing.TB, publisher *bus.Requester, verb, body string, headers ...string) *nats.Msg {
	t.Helper()
	m := &nats.Msg{Subject: contract.SchedulesSubject(verb), Data: []byte(body), Header: make(nats.Header)}
	for i := 0; i < len(headers); i += 2 {
		m.Header.Set(headers[i], headers[i+1])
	}
	reply, err := publisher.Do(t.Context(), m, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

// TestBadSchedules sends everything a caller can get wrong, over REST and over NATS: both
// get the same problem.
func TestBadSchedules(t *testing.T) {
	t.Parallel()
	const malformed, invalid, missing, large = contract.CodeMalformedRequest, contract.CodeInvalidArgument, contract.CodeNotFound, contract.CodeRequestTooLarge
	of := func(members string) string {
		return `{"service":"echo","operation":"say","request":{"text":"a"},` + members + `}`
	}
	daily := func(request string) string {
		return `{"service":"echo","operation":"say","cron":"@daily","request":` + request + `}`
	}
	cases := map[string]struct {
		body         string
		code         contract.Code
		field, words string
	}{
		"nothing":                    {``, malformed, "", "empty"},
		"no JSON":                    {`cron`, malformed, "", "valid JSON"},
		"no object":                  {`[]`, malformed, "", "JSON object"},
		"unknown member":             {of(`"cron":"@daily","zone":"UTC"`), invalid, "zone", "time_zone"},
		"no service":                 {`{"operation":"say","request":{},"cron":"@daily"}`, invalid, "service", "missing"},
		"no operation":               {`{"service":"echo","request":{},"cron":"@daily"}`, invalid, "operation", "missing"},
		"no request":                 {`{"service":"echo","operation":"say","cron":"@daily"}`, invalid, "request", "missing"},
		"request is no object":       {daily(`"a"`), invalid, "request", "JSON object"},
		"request is null":            {daily(`null`), invalid, "request", "null"},
		"duplicate in the request":   {daily(`{"text":"a","text":"b"}`), malformed, "request/text", "more than once"},
		"bad request":                {daily(`{"text":""}`), invalid, "request/text", "must not be empty"},
		"bad type in the request":    {daily(`{"text":5}`), invalid, "request/text", "JSON string"},
		"unknown in the request":     {daily(`{"text":"a","n":1}`), invalid, "request/n", "the members are text"},
		"neither time":               {of(`"class":"high"`), invalid, "run_at", "either run_at"},
		"both times":                 {of(`"cron":"@daily","run_at":"2030-01-01T00:00:00Z"`), invalid, "cron", "run_at"},
		"in the past":                {of(`"run_at":"2020-01-01T00:00:00Z"`), invalid, "run_at", "in the future"},
		"too far":                    {of(`"run_at":"9999-01-01T00:00:00Z"`), invalid, "run_at", "ten years"},
		"no time":                    {of(`"run_at":"tomorrow"`), invalid, "run_at", "RFC 3339"},
		"time without zone":          {of(`"run_at":"2030-01-01T00:00:00"`), invalid, "run_at", "+01:00"},
		"time of another type":       {of(`"run_at":1893456000`), invalid, "run_at", "JSON string"},
		"zone of a time":             {of(`"run_at":"2030-01-01T00:00:00Z","time_zone":"UTC"`), invalid, "time_zone", "belongs to cron"},
		"short cron":                 {of(`"cron":"0 6"`), invalid, "cron", `has 2 fields; it must have 5`},
		"cron out of range":          {of(`"cron":"61 6 * * *"`), invalid, "cron", `has "61" as its minute: it must be from 0 to 59; for example, "30 6 * * 1-5"`},
		"cron of an interval":        {of(`"cron":"@every 1s"`), invalid, "cron", "@hourly"},
		"cron that is never due":     {of(`"cron":"0 0 31 4 *"`), invalid, "cron", "never due"},
		"endless cron":               {of(`"cron":"` + strings.Repeat("1,", 200) + `1 * * * *"`), invalid, "cron", "at most 255 bytes"},
		"unknown zone":               {of(`"cron":"@daily","time_zone":"Europe/Atlantis"`), invalid, "time_zone", "Europe/Berlin"},
		"zone of the machine":        {of(`"cron":"@daily","time_zone":"Local"`), invalid, "time_zone", "Europe/Berlin"},
		"unknown class":              {of(`"cron":"@daily","class":"low"`), invalid, "class", "high or normal"},
		"run limit without unit":     {of(`"cron":"@daily","run_limit":"5"`), invalid, "run_limit", "such as 90s"},
		"queue limit below a second": {of(`"cron":"@daily","queue_limit":"1ms"`), invalid, "queue_limit", "1s"},
		"retention of a year":        {of(`"cron":"@daily","retention":"8760h"`), invalid, "retention", "168h"},
		"too many attempts":          {of(`"cron":"@daily","attempts":101`), invalid, "attempts", "1 to 100"},
		"attempts below 0":           {of(`"cron":"@daily","attempts":-1`), invalid, "attempts", "1 to 100"},
		"accept of two lines":        {of(`"cron":"@daily","accept":"a\r\nb"`), invalid, "accept", "visible"},
		"unknown operation":          {`{"service":"echo","operation":"shout","request":{},"cron":"@daily"}`, missing, "", `no operation "shout" of a service "echo"`},
		"unknown service":            {`{"service":"*","operation":">","request":{},"cron":"@daily"}`, missing, "", "no operation"},
		"large request":              {daily(`{"text":"` + strings.Repeat("a", contract.DefaultMaxRequest) + `"}`), large, "", "at most"},
	}
	s := startJobs(t)
	publisher := s.serveJobs()
	t.Run("each", func(t *testing.T) { // ends when all have ended
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := s.post(schedulesPath, c.body)
				viaREST := text(t, r)
				r.Body = readCloser(viaREST)
				wantProblem(t, r, c.code, c.field, c.words)
				reply := ask(t, publisher, "create", c.body)
				if got := reply.Header.Get(contract.HeaderErrorCode); got != strconv.Itoa(r.StatusCode) {
					t.Errorf("NATS has the number %s, REST %d", got, r.StatusCode)
				}
				if viaNATS := string(reply.Data); seconds.ReplaceAllString(viaNATS, "") != seconds.ReplaceAllString(viaREST, "") {
					t.Errorf("NATS: %s\nREST: %s", viaNATS, viaREST)
				}
			})
		}
	})
	if list := string(ask(t, publisher, "list", "").Data); list != `{"schedules":[]}` {
		t.Errorf("there are schedules: %s", list)
	}
}

// seconds is a time in the text of a problem.
var seconds = regexp.MustCompile(`\d\d:\d\d:\d\dZ`)

// TestUnknownSchedules asks for what is not there.
func TestUnknownSchedules(t *testing.T) {
	t.Parallel()
	s := startJobs(t)
	publisher := s.serveJobs()
	for _, id := range []string{"echo-say-nobody", "nonsense"} {
		wantProblem(t, s.get(schedulesPath+"/"+id), contract.CodeNotFound, "", "no schedule")
		wantProblem(t, s.do(request(t, http.MethodDelete, schedulesPath+"/"+id, nil)), contract.CodeNotFound, "", "no schedule")
		for _, verb := range []string{"get", "delete"} {
			if reply := ask(t, publisher, verb, `{"id":"`+id+`"}`); reply.Header.Get(contract.HeaderErrorCode) != "404" {
				t.Errorf("%s of %s: %s", verb, id, reply.Data)
			}
		}
	}
	for query, field := range map[string]string{"limit=0": "limit", "limit=1001": "limit", "page=x": "page", "operation=say": "operation", "service=E": "service", "state=due": "state", "limit=1&limit=2": "limit"} {
		wantProblem(t, s.get(schedulesPath+"?"+query), contract.CodeInvalidArgument, field, "")
	}
	if reply := ask(t, publisher, "list", `{"limit":-1}`); reply.Header.Get(contract.HeaderErrorCode) != "422" {
		t.Errorf("list: %s", reply.Data)
	}
	wantProblem(t, s.post(schedulesPath, `{}`, "Content-Type", "text/plain"), contract.CodeUnsupportedMediaType, "Content-Type", "")
	wantProblem(t, s.do(request(t, http.MethodPut, schedulesPath, nil)), contract.CodeMethodNotAllowed, "", "GET, HEAD, POST")
	wantProblem(t, s.get(schedulesPath, "Accept", "text/html"), contract.CodeNotAcceptable, "", "")
	without := start(t, nil)
	for _, r := range []*http.Response{without.get(schedulesPath), without.get(schedulesPath + "/echo-say-a"), without.post(schedulesPath, `{}`)} {
		wantProblem(t, r, contract.CodeUnavailable, "", "keeps no jobs")
	}
}

// scheduled are the parts of documents of schedules that differ from run to run.
var scheduled = regexp.MustCompile(`echo-say-[a-z0-9]{20}|"(created|next|run_at)":"[^"]*"`)

// TestScheduleGolden pins the documents on the wire, which are the same on REST and NATS.
func TestScheduleGolden(t *testing.T) {
	t.Parallel()
	s := startJobs(t)
	publisher := s.serveJobs()
	var got strings.Builder
	show := func(title, body string) {
		body = scheduled.ReplaceAllStringFunc(body, func(part string) string {
			if name, _, isMember := strings.Cut(part, ":"); isMember {
				return name + ":…"
			}
			return "echo-say-TOKEN"
		})
		fmt.Fprintf(&got, "== %s\n%s\n", title, strings.TrimSpace(body))
	}
	r := s.post(schedulesPath, `{"service":"echo","operation":"say","request":{"text":"a"},"cron":"0 30 6 * * mon-fri","time_zone":"Europe/Berlin","class":"high","accept":"text/plain","run_limit":"90s","queue_limit":"10m","attempts":3,"retention":"48h"}`, "Idempotency-Key", "k")
	cron := text(t, r)
	show("with cron and everything", cron)
	var doc contract.Schedule
	if err := json.Unmarshal([]byte(cron), &doc); err != nil || r.StatusCode != http.StatusCreated || r.Header.Get("Location") != schedulesPath+"/"+doc.ID {
		t.Fatalf("%d, %v: %v", r.StatusCode, r.Header, err)
	}
	show("the same on NATS", string(ask(t, publisher, "get", `{"id":"`+doc.ID+`"}`).Data))
	again := ask(t, publisher, "create", `{"service":"echo","operation":"say","request":{"text":"a"},"cron":"30 6 * * mon-fri","time_zone":"Europe/Berlin","class":"high","accept":"text/plain","run_limit":"1m30s","queue_limit":"10m","attempts":3,"retention":"48h"}`, "Idempotency-Key", "k")
	show("again with the key on NATS", string(again.Data))
	in := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	show("once", string(ask(t, publisher, "create", `{"service":"echo","operation":"say","request":{"text":"b"},"run_at":"`+in+`"}`).Data))
	show("used key", text(t, s.post(schedulesPath, `{"service":"echo","operation":"say","request":{"text":"c"},"cron":"@daily"}`, "Idempotency-Key", "k")))
	page := s.get(schedulesPath + "?service=echo&operation=say&limit=1")
	show("first page", regexp.MustCompile(`"next":"[0-9]+"`).ReplaceAllString(text(t, page), `"next":"PAGE"`))
	link, _, _ := strings.Cut(strings.TrimPrefix(page.Header.Get("Link"), "<"), ">")
	show("last page", text(t, s.get(link)))
	show("all on NATS", string(ask(t, publisher, "list", "").Data))
	show("deleted on NATS", string(ask(t, publisher, "delete", `{"id":"`+doc.ID+`"}`).Data))
	gone := s.do(request(t, http.MethodDelete, schedulesPath+"/"+doc.ID, nil))
	show("deleted again", text(t, gone))
	path := filepath.Join("testdata", "schedules.txt")
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the documents have changed:\n%s", got.String())
	}
}

// TestScheduledJob has a job made and looks at both over REST.
func TestScheduledJob(t *testing.T) {
	t.Parallel()
	s := startJobs(t)
	s.serveJobs()
	s.hire()
	at := time.Now().Add(1500 * time.Millisecond).Format(time.RFC3339Nano)
	r := s.post(schedulesPath, `{"service":"echo","operation":"say","request":{"text":"a"},"run_at":"`+at+`","accept":"text/plain"}`)
	var doc contract.Schedule
	if err := json.Unmarshal([]byte(text(t, r)), &doc); err != nil || r.StatusCode != http.StatusCreated {
		t.Fatalf("%d, %v", r.StatusCode, err)
	}
	wantProblem(t, s.get("/v1/jobs/"+doc.ID), contract.CodeNotFound, "", "no job")
	brokertest.Await(t, "the schedule is a job", func() bool { return s.get("/v1/jobs/"+doc.ID).StatusCode == http.StatusOK })
	if job := s.awaitState(doc.ID, contract.JobSucceeded); job.Schedule != doc.ID {
		t.Errorf("the job is %+v", job)
	}
	if result := text(t, s.get("/v1/jobs/"+doc.ID+"/result")); result != "a" {
		t.Errorf("the result is %q", result)
	}
	wantProblem(t, s.get(schedulesPath+"/"+doc.ID), contract.CodeNotFound, "", "is the job of this id now")
	deleted := s.post(schedulesPath, `{"service":"echo","operation":"say","request":{"text":"a"},"cron":"@yearly"}`)
	gone := s.do(request(t, http.MethodDelete, deleted.Header.Get("Location"), nil))
	if body := text(t, gone); gone.StatusCode != http.StatusNoContent || body != "" {
		t.Errorf("deleted: %d %q", gone.StatusCode, body)
	}
}
