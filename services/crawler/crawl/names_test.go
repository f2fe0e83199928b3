package crawl_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// names is a name server of tests. Every name has a list of answers, given one after
// the other; the last is repeated. Names that it does not know do not exist.
type names struct {
	t       *testing.T
	mu      sync.Mutex
	answers map[string][][]netip.Addr
	serving sync.WaitGroup
}

func newNames(t *testing.T) *names {
	t.Helper()
	n := &names{t: t, answers: make(map[string][][]netip.Addr)}
	t.Cleanup(n.serving.Wait)
	return n
}

// add adds an answer for the name.
func (n *names) add(name string, addrs ...string) *names {
	var answer []netip.Addr
	for _, s := range addrs {
		answer = append(answer, netip.MustParseAddr(s))
	}
	n.answers[name+"."] = append(n.answers[name+"."], answer)
	return n
}

// resolver returns a resolver that asks this name server, over a pipe.
func (n *names) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		n.serving.Go(func() {
			defer ours.Close()
			for n.answer(ours) {
			}
		})
		return theirs, nil
	}}
}

// answer answers one question in the framing of DNS over TCP, and reports whether the
// connection goes on.
func (n *names) answer(conn net.Conn) bool {
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return false
	}
	raw := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, raw); err != nil {
		return false
	}
	var question dnsmessage.Message
	if err := question.Unpack(raw); err != nil || len(question.Questions) != 1 {
		n.t.Errorf("the name server was asked %v, %v", question, err)
		return false
	}
	packed, err := n.reply(question).Pack()
	if err != nil {
		n.t.Errorf("pack a reply: %v", err)
		return false
	}
	_, err = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(packed))), packed...))
	return err == nil
}

func (n *names) reply(question dnsmessage.Message) *dnsmessage.Message {
	q := question.Questions[0]
	reply := &dnsmessage.Message{Questions: question.Questions}
	reply.ID, reply.Response, reply.RecursionAvailable = question.ID, true, true
	n.mu.Lock()
	defer n.mu.Unlock()
	answers := n.answers[q.Name.String()]
	if len(answers) == 0 {
		reply.RCode = dnsmessage.RCodeNameError
		return reply
	}
	for _, addr := range answers[0] {
		var body dnsmessage.ResourceBody
		switch {
		case addr.Is4() && q.Type == dnsmessage.TypeA:
			body = &dnsmessage.AResource{A: addr.As4()}
		case addr.Is6() && q.Type == dnsmessage.TypeAAAA:
			body = &dnsmessage.AAAAResource{AAAA: addr.As16()}
		default:
			continue
		}
		header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 0}
		reply.Answers = append(reply.Answers, dnsmessage.Resource{Header: header, Body: body})
	}
	// A lookup asks for both kinds of address. The next one gets the next answer.
	if q.Type == dnsmessage.TypeA && len(answers) > 1 {
		n.answers[q.Name.String()] = answers[1:]
	}
	return reply
}
