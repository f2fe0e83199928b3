package host

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/strict"
	"github.com/seed-649d3d38/heddle/solver"
)

// largest returns the size in bytes of the largest part of a handle, which is also that of
// the largest result that travels in a reply.
func (s *service) largest() int64 {
	return min(contract.MaxPart, s.host.nc.MaxPayload()-contract.HeaderRoom)
}

// renderLong encodes a result that writes itself out: into the reply if it fits, or else
// as a handle.
func (e *endpoint) renderLong(c *call, result solver.Long) (body []byte, err error) {
	defer caught(&err)
	text := result.Encode(c.media)
	size := text.Size()
	if size > e.service.largest() {
		return e.hold(c, text, "", result.Memory())
	}
	body = make([]byte, size)
	if err := readFull(text, body, 0); err != nil {
		return nil, err
	}
	return body, nil
}

// holdBytes holds a result that is encoded already and returns the handle for the reply.
// The result was written out by somebody, so to hash it costs little beside that.
func (e *endpoint) holdBytes(c *call, body []byte) ([]byte, error) {
	return e.hold(c, bytes.NewReader(body), contract.FormatDigest(sha256.Sum256(body)), int64(cap(body)))
}

// hold holds a result and returns the handle for the reply.
func (e *endpoint) hold(c *call, text solver.Encoded, digest string, memory int64) ([]byte, error) {
	s := e.service
	h, err := s.handles.hold(text, c.media, digest, memory, &c.reserved)
	if err != nil {
		return nil, err
	}
	c.held = h
	c.media = contract.MediaHandle
	body, err := contract.Handle{
		Subject: contract.HandleSubject(s.spec.Name, s.identity.ID, h.id),
		Size:    text.Size(), ContentType: h.media, Digest: digest, IdleMS: handleIdle.Milliseconds(),
	}.AppendReply(nil)
	if err != nil { // a struct of strings and integers always marshals
		return nil, fmt.Errorf("encode handle: %w", err)
	}
	return body, nil
}

// dropUnread gives up what was held for a caller that will not hear of it.
func (e *endpoint) dropUnread(c *call) {
	if c.held != nil {
		e.service.handles.drop(c.held.id)
	}
}

// serveHandles takes the requests for parts of the results that this instance holds. They
// have no queue group: no other instance has the results.
func (s *service) serveHandles(ctx context.Context) error {
	subject := contract.HandleSubject(s.spec.Name, s.identity.ID, "*")
	sub, err := s.host.nc.Subscribe(subject, func(m *nats.Msg) { s.receivePart(ctx, m) })
	if err != nil {
		return fmt.Errorf("subscribe to %s: %w", subject, err)
	}
	s.parts = sub
	return nil
}

// receivePart answers one request for a part, in the goroutine of the subscription: parts
// are written and sent in the order in which they were asked for, and one reader cannot
// take more of the instance than the other.
func (s *service) receivePart(ctx context.Context, m *nats.Msg) {
	s.handles.reading.Lock()
	defer s.handles.reading.Unlock()
	id := m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]
	reply, err := s.part(id, m.Data)
	if err != nil {
		reply = s.problem(ctx, "handle", contract.FromError(err))
	}
	if m.Reply == "" {
		return
	}
	reply.Subject = m.Reply
	if err := s.host.nc.PublishMsg(reply); err != nil {
		s.host.log.WarnContext(ctx, "send part of a result", "service", s.spec.Name, "error", err)
	}
}

// part returns the reply to one request for a part.
func (s *service) part(id string, body []byte) (*nats.Msg, error) {
	var r contract.PartRequest
	if err := decodePart(body, s.largest(), &r); err != nil {
		return nil, err
	}
	h, err := s.handles.find(id)
	if err != nil {
		return nil, err
	}
	if r.Release {
		s.handles.drop(id)
		return &nats.Msg{Data: []byte("{}")}, nil
	}
	part, err := s.handles.read(h, r)
	if err != nil {
		return nil, err
	}
	end, size := r.Offset+int64(len(part)), h.text.Size()
	header := nats.Header{
		contract.HeaderContentRange: {contract.FormatContentRange(r.Offset, end, size)},
		contract.HeaderContentType:  {h.media},
	}
	if end == size && h.digest != "" {
		header[contract.HeaderDigest] = []string{h.digest}
	}
	if h.complete() {
		s.handles.drop(id)
	}
	return &nats.Msg{Data: part, Header: header}, nil
}

// decodePart reads a request for a part of at most so many bytes. It returns an
// [*contract.Error] as [decode] does.
func decodePart(body []byte, largest int64, r *contract.PartRequest) error {
	if err := strict.Decode(body, r); err != nil {
		return err
	}
	if err := r.Validate(); err != nil {
		return err
	}
	if r.Length > largest && !r.Release {
		return contract.Invalid("length", "must be at most %d with this broker", largest)
	}
	return nil
}

// leaveHandles waits until nothing is held any more, or until ctx ends, and then holds
// nothing.
func (s *service) leaveHandles(ctx context.Context) {
	select {
	case <-s.handles.leave():
	case <-ctx.Done():
	}
	_ = s.parts.Unsubscribe() // as in hide
	s.handles.close()
}
