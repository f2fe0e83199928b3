package bus_test

import (
	"testing"

	"github.com/alecthomas/kong"

	"github.com/seed-649d3d38/heddle/internal/bus"
)

// TestOptionsFromEnvironment sets variables, so it is not parallel.
func TestOptionsFromEnvironment(t *testing.T) {
	want := bus.Options{
		Server: "nats://a,nats://b", Context: "prod", Creds: "/a.creds", NKey: "/a.nk",
		User: "joe", Password: "sesame", Token: "t", Cert: "/cert.pem", Key: "/key.pem", CA: "/ca.pem",
	}
	for name, value := range map[string]string{
		"NATS_URL": want.Server, "NATS_CONTEXT": want.Context, "NATS_CREDS": want.Creds, "NATS_NKEY": want.NKey,
		"NATS_USER": want.User, "NATS_PASSWORD": want.Password, "NATS_TOKEN": want.Token,
		"NATS_CERT": want.Cert, "NATS_KEY": want.Key, "NATS_CA": want.CA,
	} {
		t.Setenv(name, value)
	}
	var got struct {
		NATS bus.Options `embed:""`
	}
	parser, err := kong.New(&got)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(nil); err != nil {
		t.Fatal(err)
	}
	if got.NATS != want {
		t.Errorf("options = %+v, want %+v", got.NATS, want)
	}
	if _, err := parser.Parse([]string{"--server", "nats://c"}); err != nil || got.NATS.Server != "nats://c" {
		t.Errorf("server = %q, %v, want that of the flag", got.NATS.Server, err)
	}
}
