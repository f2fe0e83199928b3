// Package bus is how every part of Heddle reaches the broker: [Connect] opens a
// connection as the standard NATS variables and contexts say, [Requester] sends
// requests and waits for their replies, [Carrier] moves trace context in headers. It
// hosts no services and knows no operations.
//
//	nc, err := bus.Connect(ctx, "gateway", options, log)
//	if err != nil {
//		return err
//	}
//	defer nc.Close()
package bus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"regexp"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// pause and maxPause are the shortest and the longest wait between two tries to
	// reach a broker that is not up yet; the wait doubles in between.
	pause    = 50 * time.Millisecond
	maxPause = 2 * time.Second

	// reconnectPause and reconnectJitter make an instance that lost its broker try
	// again after 250 to 750 ms, so that not all instances come back at once.
	reconnectPause  = 250 * time.Millisecond
	reconnectJitter = 500 * time.Millisecond

	// pingInterval and maxPings make a connection that died without a word count as
	// lost after about a minute; the library's default is above four.
	pingInterval = 20 * time.Second
	maxPings     = 3
)

// clientName is what a client may be called: one subject token.
var clientName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// Connect connects to the broker under the client's name, which other tools show and
// which owns the inboxes below "_INBOX.<name>". A name is one subject token of
// letters, digits, "_" and "-".
//
// A broker that is not up yet is waited for until ctx ends; a try under way is not
// cut short, so the end may come up to two seconds late for each server of the
// cluster. What cannot heal is returned at once: bad options and files, refused
// credentials, a certificate that does not verify. An established connection
// reconnects for ever, and what happens to it is logged. The options in extra are
// applied last.
func Connect(ctx context.Context, name string, o Options, log *slog.Logger, extra ...nats.Option) (*nats.Conn, error) {
	if !clientName.MatchString(name) {
		return nil, fmt.Errorf("connect to the broker: client name %q must be letters, digits, \"_\" and \"-\"", name)
	}
	opts := append(connectionOptions(name, log), extra...)
	for wait := pause; ; wait = min(2*wait, maxPause) {
		nc, err := o.dial(opts)
		switch {
		case err == nil:
			return nc, nil
		case !heals(err):
			return nil, fmt.Errorf("connect to the broker at %s: %w", o.address(), err)
		case wait == pause:
			log.Warn("waiting for the broker", "server", o.address(), "error", err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("connect to the broker at %s: %w: %w", o.address(), context.Cause(ctx), err)
		case <-time.After(wait/2 + rand.N(wait/2)):
		}
	}
}

// heals reports whether a failed try to connect may succeed later without anybody
// changing the client: there is no broker, or it is starting, stopping or full.
func heals(err error) bool {
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return true
	}
	for _, target := range []error{
		nats.ErrNoServers, nats.ErrTimeout, nats.ErrNoInfoReceived, nats.ErrConnectionClosed,
		nats.ErrMaxConnectionsExceeded, io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// connectionOptions returns how every connection of the suite behaves.
func connectionOptions(name string, log *slog.Logger) []nats.Option {
	return []nats.Option{
		nats.Name(name),
		inboxPrefix("_INBOX." + name),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectPause),
		nats.ReconnectJitter(reconnectJitter, reconnectJitter),
		// Credentials that were good at the start may fail while keys are changed.
		nats.IgnoreAuthErrorAbort(),
		nats.PingInterval(pingInterval),
		nats.MaxPingsOutstanding(maxPings),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("lost the broker, reconnecting", "error", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			log.Info("reconnected to the broker", "server", nc.ConnectedUrlRedacted())
		}),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) { logAsync(log, sub, err) }),
	}
}

// inboxPrefix sets the prefix of inboxes unless a context has set one.
func inboxPrefix(prefix string) nats.Option {
	return func(o *nats.Options) error {
		if o.InboxPrefix == "" {
			o.InboxPrefix = prefix
		}
		return nil
	}
}

// logAsync logs an error that belongs to no call: a refused subject, a subscription
// that could not keep up.
func logAsync(log *slog.Logger, sub *nats.Subscription, err error) {
	if sub == nil {
		log.Error("the broker reported an error", "error", err)
		return
	}
	if errors.Is(err, nats.ErrSlowConsumer) {
		dropped, _ := sub.Dropped() // fails only on a closed subscription
		log.Error("subscription too slow, messages dropped", "subject", sub.Subject, "dropped", dropped)
		return
	}
	log.Error("the broker reported an error", "subject", sub.Subject, "error", err)
}
