package rest_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/gateway/rest"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/internal/bus"
)

// FuzzGet sends requests with any query, Accept, If-None-Match and Host to a gateway
// whose service answers everything. Whatever comes, the answer is no 5xx; what reaches
// the service is one JSON object in canonical form; and the tag of a result answers the
// same request again.
func FuzzGet(f *testing.F) {
	for _, accept := range accepts {
		f.Add("n=100", accept, "", "localhost")
	}
	for _, query := range []string{"", "n=1&n=2", "modulus=7&n=1", "n=%ff", "n=%zz", "n=1;x=2", "%22=1", "n=%00%1f%7f", "n=%E2%80%A8<>&", "=", "&&", "N=1", "n=%F0%9F%98%80"} {
		f.Add(query, "", "", "127.0.0.1:8080")
	}
	for _, tag := range []string{"*", `"a"`, `W/"a", "b"`, `"`, `W/`, `W/"`, `""`, ",,,", `"a" "b"`, "\t"} {
		f.Add("n=1", "", tag, "[::1]:80")
	}
	for _, host := range []string{"", ":", "[", "[]", "[::1", "[::1%lo]", "[::ffff:127.0.0.1]", "LOCALHOST:", "127.1", "a:b:c", "localhost:99999999999"} {
		f.Add("n=1", "", "", host)
	}
	b := brokertest.StartIn(f, "")
	nc := brokertest.Connect(f, b)
	requester, err := bus.NewRequester(nc)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(requester.Close)
	gateway, err := rest.New(rest.Config{
		Endpoints: contract.All(), Requester: requester, Conn: nc, Log: slog.New(slog.DiscardHandler), LoopbackOnly: true,
	})
	if err != nil {
		f.Fatal(err)
	}
	bodies := make(chan []byte, 2)
	service := brokertest.Connect(f, b)
	if _, err := service.Subscribe(term.Subject(), func(m *nats.Msg) {
		bodies <- m.Data
		_ = m.Respond([]byte("{}"))
	}); err != nil {
		f.Fatal(err)
	}
	if err := service.Flush(); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, query, accept, held, host string) {
		send := func(held string) *http.Response {
			r := request(t, http.MethodGet, term.Route(), nil, "Accept", accept, "If-None-Match", held)
			r.URL.RawQuery = query
			r.Host = host
			w := httptest.NewRecorder()
			gateway.ServeHTTP(w, r)
			return w.Result()
		}
		r := send(held)
		switch {
		case r.StatusCode == http.StatusNotModified:
			if !bytes.Contains([]byte(held), []byte(r.Header.Get("Etag"))) {
				t.Errorf("If-None-Match %q does not hold %s", held, r.Header.Get("Etag"))
			}
			return
		case r.StatusCode != http.StatusOK:
			if e := problemOf(t, r); r.StatusCode >= http.StatusInternalServerError {
				t.Errorf("status %d: %v", r.StatusCode, e)
			}
			return
		}
		body := <-bodies
		canonical := jsontext.Value(bytes.Clone(body))
		if err := canonical.Canonicalize(); err != nil || canonical.Kind() != '{' {
			t.Errorf("query %q became %q: %v", query, body, err)
		}
		again := send(r.Header.Get("Etag"))
		if again.StatusCode == http.StatusOK {
			// The service answers in JSON whatever is asked for, so the tag is that of
			// JSON: it need not be the one that the same Accept looks for.
			if second := <-bodies; !bytes.Equal(second, body) {
				t.Errorf("query %q became %q and %q", query, body, second)
			}
		} else if again.StatusCode != http.StatusNotModified {
			t.Errorf("the second time the status is %d", again.StatusCode)
		}
	})
}
