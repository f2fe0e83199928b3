// Package broker runs a NATS server inside the program, so that a laptop or a test
// needs none to be installed. It is the only package outside tests that imports
// nats-server. It does not connect to the broker: package bus does.
//
//	b, err := broker.Start(ctx, broker.Config{Listen: "127.0.0.1:4222", Dir: dir, Log: log})
//	if err != nil {
//		return err
//	}
//	defer b.Shutdown()
//	nc, err := bus.Connect(ctx, "gateway", bus.Options{}, log, b.InProcess())
package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Config says how a broker runs. The zero value is a broker without JetStream that
// is reached from inside the process only.
type Config struct {
	// Listen is the address for clients as "host:port"; port 0 means any free port.
	// Empty means none: only connections with [Broker.InProcess] are possible.
	Listen string
	// Dir is the folder JetStream keeps its streams in; it is created if missing.
	// Empty means that JetStream is off.
	Dir string
	// Log receives the server's log; nil means that it is dropped. The server's
	// errors and warnings keep their level. Its notices, some twenty lines at every
	// start, are logged at debug level, so that they do not drown what the program
	// itself has to say.
	Log *slog.Logger
}

// Broker is a running NATS server. It is safe for concurrent use.
type Broker struct {
	server *server.Server
	lock   *dirLock // nil without JetStream
}

// Start starts a broker and returns when clients can connect. Its errors are a
// [*ListenError] when it cannot listen, for one because the port is taken, a
// [*StoreError] when the folder cannot be used, and the cause of ctx if that ended
// meanwhile. The context is for starting only.
func Start(ctx context.Context, cfg Config) (*Broker, error) {
	opts := &server.Options{
		ServerName:             "heddle",
		NoSigs:                 true,
		DisableJetStreamBanner: true,
		DontListen:             cfg.Listen == "",
	}
	if cfg.Listen != "" {
		if err := listenOn(ctx, opts, cfg.Listen); err != nil {
			return nil, err
		}
	}
	b := &Broker{}
	if cfg.Dir != "" {
		lock, err := lockDir(cfg.Dir)
		if err != nil {
			return nil, &StoreError{Dir: cfg.Dir, Err: err}
		}
		b.lock = lock
		opts.JetStream, opts.StoreDir = true, cfg.Dir
	}
	if err := b.start(ctx, opts, cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))); err != nil {
		return nil, errors.Join(err, b.lock.release())
	}
	if ctx.Err() != nil {
		b.Shutdown()
		return nil, fmt.Errorf("start broker: %w", context.Cause(ctx))
	}
	return b, nil
}

// start runs the server. The server reports what keeps it from starting as a fatal
// log line and expects the logger to end the process; ours keeps the line instead.
func (b *Broker) start(ctx context.Context, opts *server.Options, log *slog.Logger) error {
	s, err := server.NewServer(opts)
	if err != nil {
		return fmt.Errorf("start broker: %w", err)
	}
	logger := newLogger(log)
	s.SetLoggerV2(logger, logger.debug(ctx), false, false)
	s.Start()
	if err := logger.fatal(); err != nil {
		s.Shutdown()
		s.WaitForShutdown()
		if _, ok := errors.AsType[*net.OpError](err); ok {
			return &ListenError{Addr: net.JoinHostPort(opts.Host, strconv.Itoa(opts.Port)), Err: err}
		}
		if opts.JetStream {
			return &StoreError{Dir: opts.StoreDir, Err: err}
		}
		return fmt.Errorf("start broker: %w", err)
	}
	b.server = s
	return nil
}

// listenOn sets the address in opts after having tried it, because a taken port is
// the usual mistake and should be found before any stream is recovered.
func listenOn(ctx context.Context, opts *server.Options, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return &ListenError{Addr: address, Err: err}
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return &ListenError{Addr: address, Err: err}
	}
	if err := l.Close(); err != nil {
		return &ListenError{Addr: address, Err: err}
	}
	number, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return &ListenError{Addr: address, Err: err}
	}
	opts.Host, opts.Port = host, number
	if number == 0 {
		opts.Port = server.RANDOM_PORT
	}
	return nil
}

// URL returns the address for clients, such as "nats://127.0.0.1:4222". A broker
// that listens on all addresses is named by the loopback one. The URL is empty when
// the broker does not listen.
func (b *Broker) URL() string {
	addr, ok := b.server.Addr().(*net.TCPAddr)
	if !ok {
		return ""
	}
	host := addr.IP.String()
	if addr.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "nats://" + net.JoinHostPort(host, strconv.Itoa(addr.Port))
}

// InProcess returns the option that connects a client to the broker without a
// socket, whatever URL it is given.
func (b *Broker) InProcess() nats.Option { return nats.InProcessServer(b.server) }

// Shutdown closes the connections of all clients, stops the server and waits until
// it has stopped and its folder is free for another broker. Later calls do nothing.
func (b *Broker) Shutdown() {
	b.server.Shutdown()
	b.server.WaitForShutdown()
	_ = b.lock.release() // the lock ends with the file, which closes even on error
}

// ListenError says that the broker cannot listen on its address. It wraps the
// system's error: errors.Is finds syscall.EADDRINUSE when the port is taken.
type ListenError struct {
	// Addr is the address as "host:port".
	Addr string
	Err  error
}

// Error names the address.
func (e *ListenError) Error() string { return "broker: listen on " + e.Addr + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *ListenError) Unwrap() error { return e.Err }

// StoreError says that JetStream cannot use its folder. It wraps [ErrInUse] when
// another broker has it.
type StoreError struct {
	// Dir is the folder.
	Dir string
	Err error
}

// Error names the folder.
func (e *StoreError) Error() string { return "broker: data folder " + e.Dir + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *StoreError) Unwrap() error { return e.Err }

// ErrInUse says that another broker, in this process or another, uses the folder.
var ErrInUse = errors.New("in use by another broker")

// dirLock keeps other brokers out of a data folder, since two servers that write the
// same streams destroy them. The system drops the lock when the process ends.
type dirLock struct{ file *os.File }

// lockFile is the name of the file that is locked, inside the data folder.
const lockFile = "heddle.lock"

// release frees the folder; a nil lock has none.
func (l *dirLock) release() error {
	if l == nil {
		return nil
	}
	return l.file.Close()
}
