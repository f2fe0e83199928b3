package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/seed-649d3d38/heddle/internal/discovery"
)

func TestPrintInstances(t *testing.T) {
	t.Parallel()
	endpoint := func(name string, requests int, work time.Duration, data string) discovery.Endpoint {
		return discovery.Endpoint{Name: name, Requests: requests, Errors: requests / 10, AverageTime: work, Data: json.RawMessage(data)}
	}
	const full = `{"slots":2,"busy":2,"lane":true,"lane_depth":17,"queue_wait":9000000,"admitted":2}`
	const alone = `{"slots":64,"busy":3,"waiting":4}`
	var out strings.Builder
	err := printInstances(&out, []discovery.Instance{
		{Service: "crawler", Version: "1.0.0", ID: "C", Endpoints: []discovery.Endpoint{endpoint("links", 7, 1234567*time.Microsecond, alone)}},
		{Service: "sqrt", Version: "1.0.0", ID: "A", Endpoints: []discovery.Endpoint{endpoint("root", 12345, 123456, full), endpoint("floats", 0, 0, full)}},
		{Service: "sqrt", Version: "1.0.1", ID: "B", Endpoints: []discovery.Endpoint{endpoint("root", 10, 999, "")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "" +
		"SERVICE  VERSION  INSTANCE     BUSY     WAITING  MEAN WAIT  OPERATION  REQUESTS  ERRORS  MEAN WORK\n" +
		"crawler  1.0.0    C         3 of 64      4 here         0s  links             7       0      1.23s\n" +
		"\n" +
		"sqrt     1.0.0    A          2 of 2  17 in lane      4.5ms  root          12345    1234      123µs\n" +
		"                                                            floats            0       0         0s\n" +
		"sqrt     1.0.1    B               -           -          -  root             10       1      999ns\n"
	if out.String() != want {
		t.Errorf("got:\n%swant:\n%s", out.String(), want)
	}
}
