package bus_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/seed-649d3d38/heddle/internal/bus"
)

// secured starts a server with the options, which the embedded broker does not offer,
// and returns its URL.
func secured(t *testing.T, opts *server.Options) string {
	t.Helper()
	opts.Host, opts.Port, opts.NoSigs = "127.0.0.1", server.RANDOM_PORT, true
	s, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	return s.ClientURL()
}

// writeFile writes a private file for one test and returns its path.
func writeFile(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// keyPair returns a key pair with its public key and seed.
func keyPair(t *testing.T, create func() (nkeys.KeyPair, error)) (pair nkeys.KeyPair, public string, seed []byte) {
	t.Helper()
	pair, err := create()
	if err != nil {
		t.Fatal(err)
	}
	if public, err = pair.PublicKey(); err != nil {
		t.Fatal(err)
	}
	if seed, err = pair.Seed(); err != nil {
		t.Fatal(err)
	}
	return pair, public, seed
}

// fails checks that the options are refused at once and for good, with a message that
// has the text.
func fails(t *testing.T, o bus.Options, text string) error {
	t.Helper()
	nc, err := bus.Connect(t.Context(), "tester", o, discard())
	if err == nil {
		nc.Close()
		t.Fatal("connected")
	}
	if !strings.Contains(err.Error(), text) {
		t.Errorf("error = %q, want %q in it", err, text)
	}
	return err
}

func TestPassword(t *testing.T) {
	t.Parallel()
	url := secured(t, &server.Options{Username: "joe", Password: "sesame"})
	connect(t, bus.Options{Server: url, User: "joe", Password: "sesame"})
	for name, o := range map[string]bus.Options{
		"wrong password": {Server: url, User: "joe", Password: "wrong"},
		"no user":        {Server: url},
	} {
		t.Run(name, func(t *testing.T) {
			if err := fails(t, o, url); !errors.Is(err, nats.ErrAuthorization) {
				t.Errorf("error = %v, want an authorization violation", err)
			}
		})
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	url := secured(t, &server.Options{Authorization: "sesame"})
	connect(t, bus.Options{Server: url, Token: "sesame"})
	connect(t, bus.Options{Server: url, User: "sesame"})
}

func TestNKey(t *testing.T) {
	t.Parallel()
	_, public, seed := keyPair(t, nkeys.CreateUser)
	url := secured(t, &server.Options{Nkeys: []*server.NkeyUser{{Nkey: public}}})
	connect(t, bus.Options{Server: url, NKey: writeFile(t, "user.nk", seed)})

	_ = fails(t, bus.Options{Server: url, NKey: writeFile(t, "bad.nk", []byte("not a seed"))}, "bad.nk")
	_ = fails(t, bus.Options{Server: url, NKey: filepath.Join(t.TempDir(), "missing.nk")}, "missing.nk")
}

func TestCreds(t *testing.T) {
	t.Parallel()
	operator, operatorKey, _ := keyPair(t, nkeys.CreateOperator)
	account, accountKey, _ := keyPair(t, nkeys.CreateAccount)
	_, userKey, userSeed := keyPair(t, nkeys.CreateUser)
	accountJWT, err := jwt.NewAccountClaims(accountKey).Encode(operator)
	if err != nil {
		t.Fatal(err)
	}
	userJWT, err := jwt.NewUserClaims(userKey).Encode(account)
	if err != nil {
		t.Fatal(err)
	}
	creds, err := jwt.FormatUserConfig(userJWT, userSeed)
	if err != nil {
		t.Fatal(err)
	}
	accounts := &server.MemAccResolver{}
	if err := accounts.Store(accountKey, accountJWT); err != nil {
		t.Fatal(err)
	}
	url := secured(t, &server.Options{TrustedKeys: []string{operatorKey}, AccountResolver: accounts})
	connect(t, bus.Options{Server: url, Creds: writeFile(t, "user.creds", creds)})

	_ = fails(t, bus.Options{Server: url, Creds: writeFile(t, "bad.creds", []byte("nothing"))}, "bad.creds")
	_ = fails(t, bus.Options{Server: url, Creds: filepath.Join(t.TempDir(), "missing.creds")}, "missing.creds")
}

func TestTLS(t *testing.T) {
	t.Parallel()
	ca, caKey := newCertificate(t, nil, nil)
	cert, key := newCertificate(t, ca, caKey)
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	url := secured(t, &server.Options{TLS: true, TLSVerify: true, TLSConfig: &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}},
		ClientCAs:    pool,
		ClientAuth:   tls.RequireAndVerifyClientCert,
	}})
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	o := bus.Options{
		Server: url,
		CA:     writeFile(t, "ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw})),
		Cert:   writeFile(t, "cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})),
		Key:    writeFile(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})),
	}
	connect(t, o)

	for name, test := range map[string]struct {
		change func(*bus.Options)
		text   string
	}{
		"unknown authority": {func(o *bus.Options) { o.CA = "" }, "certificate"},
		"no key":            {func(o *bus.Options) { o.Key = "" }, "--tlskey"},
		"no certificate":    {func(o *bus.Options) { o.Cert = "" }, "--tlscert"},
		"missing authority": {func(o *bus.Options) { o.CA = "missing.pem" }, "missing.pem"},
		"missing key":       {func(o *bus.Options) { o.Key = "missing.pem" }, "missing.pem"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := o
			test.change(&bad)
			_ = fails(t, bad, test.text)
		})
	}
}

// newCertificate returns a certificate for 127.0.0.1 and its key, signed by the
// authority, or a new authority when that is nil.
func newCertificate(t *testing.T, ca *x509.Certificate, caKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: "heddle test"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	if ca == nil {
		template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
		ca, caKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca, &key.PublicKey, caKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}
