package bus

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/synadia-io/orbit.go/natscontext"
)

// Options say which broker to connect to and as whom. They are the flags and
// variables of the NATS command line, for embedding in a kong command. The zero value
// is [nats.DefaultURL] without credentials.
//
// Only a context that is named is used, never the one that "nats context select"
// chose: a service that joined another broker because of that would surprise.
type Options struct {
	Server   string `name:"server" env:"NATS_URL" placeholder:"URL" help:"NATS server to connect to, or several with commas between them (default nats://127.0.0.1:4222)."`
	Context  string `name:"context" env:"NATS_CONTEXT" placeholder:"NAME" help:"NATS context with the server and credentials; the other options win over it."`
	Creds    string `name:"creds" env:"NATS_CREDS" type:"path" placeholder:"FILE" help:"File with the NATS user's JWT and seed."`
	NKey     string `name:"nkey" env:"NATS_NKEY" type:"path" placeholder:"FILE" help:"File with the NATS user's NKey seed."`
	User     string `name:"user" env:"NATS_USER" help:"NATS user; without a password it is taken as a token."`
	Password string `name:"password" env:"NATS_PASSWORD" help:"Password of the NATS user."`
	Token    string `name:"token" env:"NATS_TOKEN" help:"NATS token."`
	Cert     string `name:"tlscert" env:"NATS_CERT" type:"path" placeholder:"FILE" help:"TLS client certificate."`
	Key      string `name:"tlskey" env:"NATS_KEY" type:"path" placeholder:"FILE" help:"Private key of the TLS client certificate."`
	CA       string `name:"tlsca" env:"NATS_CA" type:"path" placeholder:"FILE" help:"TLS certificate authorities to trust."`
}

// dial tries once to connect. The given options win over those that o stands for.
func (o Options) dial(opts []nats.Option) (*nats.Conn, error) {
	own, err := o.options()
	if err != nil {
		return nil, err
	}
	all := append(own, opts...)
	if o.Context == "" {
		return nats.Connect(cmp.Or(o.Server, nats.DefaultURL), all...)
	}
	nc, _, err := natscontext.Connect(o.Context, append([]nats.Option{o.servers}, all...)...)
	if err != nil {
		return nil, fmt.Errorf("context %s: %w", o.Context, err)
	}
	return nc, nil
}

// servers is the option that puts the servers named in o in the place of a context's.
func (o Options) servers(to *nats.Options) error {
	if o.Server != "" {
		to.Servers = strings.Split(o.Server, ",")
	}
	return nil
}

// options returns the credentials as options of the NATS library.
func (o Options) options() ([]nats.Option, error) {
	var opts []nats.Option
	if o.Creds != "" {
		opts = append(opts, nats.UserCredentials(o.Creds))
	}
	if o.NKey != "" {
		opt, err := nats.NkeyOptionFromSeed(o.NKey)
		if err != nil {
			return nil, fmt.Errorf("nkey file %s: %w", o.NKey, err)
		}
		opts = append(opts, opt)
	}
	switch {
	case o.User != "" && o.Password != "":
		opts = append(opts, nats.UserInfo(o.User, o.Password))
	case o.User != "":
		opts = append(opts, nats.Token(o.User))
	}
	if o.Token != "" {
		opts = append(opts, nats.Token(o.Token))
	}
	switch {
	case o.Cert != "" && o.Key != "":
		opts = append(opts, nats.ClientCert(o.Cert, o.Key))
	case o.Cert != "" || o.Key != "":
		return nil, fmt.Errorf("a TLS client certificate and its key go together: give both --tlscert and --tlskey")
	}
	if o.CA != "" {
		opts = append(opts, nats.RootCAs(o.CA))
	}
	return opts, nil
}

// address names the broker for logs and errors, without passwords.
func (o Options) address() string {
	if o.Server == "" && o.Context != "" {
		return "context " + o.Context
	}
	servers := strings.Split(cmp.Or(o.Server, nats.DefaultURL), ",")
	for i, s := range servers {
		if u, err := url.Parse(s); err == nil {
			servers[i] = u.Redacted()
		}
	}
	return strings.Join(servers, ",")
}
