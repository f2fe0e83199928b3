package host

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/solver"
)

const (
	// handleIdle is how long a handle is kept that nobody pulls from.
	handleIdle = 30 * time.Second

	// leavingIdle is the same while the instance drains: readers that are at work go on,
	// handles that nobody reads do not hold the instance up.
	leavingIdle = 2 * time.Second

	// leastHeld is what a handle takes of the memory budget at least, in bytes. It bounds
	// the number of handles whose results are tiny in their internal form.
	leastHeld = 64 << 10
)

// held is one result that is being held for its caller.
type held struct {
	id     string
	text   solver.Encoded
	media  string
	memory int64       // reserved for it
	timer  *time.Timer // gives it up when nobody pulls

	// digest is the digest of the text, empty while it is not known. The text was read in
	// order up to progress, and hash is the one of what was read; nil if the digest was
	// known from the start. All three change while reading is held.
	digest   string
	progress int64
	hash     hash.Hash
}

// handles are the results that a service holds. They are safe for concurrent use; parts
// are read one at a time.
type handles struct {
	memory *memory

	mu    sync.Mutex
	held  map[string]*held // by id
	bytes int64            // reserved for all of them
	idle  time.Duration
	empty chan struct{} // not nil while somebody waits for the last handle to go; closed then

	// reading is held while a part is read and sent, and guards the buffer for it.
	reading sync.Mutex
	buffer  []byte
}

func newHandles(m *memory) *handles {
	return &handles{memory: m, held: make(map[string]*held), idle: handleIdle}
}

// hold keeps a text that takes so many bytes of memory; the digest is empty if it is not
// known yet. Of the memory that the request has reserved, the handle takes over what it
// needs; if that is not enough, more is reserved or the result refused.
func (hs *handles) hold(text solver.Encoded, media, digest string, bytes int64, reserved *int64) (*held, error) {
	need := max(bytes, leastHeld)
	if need > hs.memory.budget {
		return nil, resultTooLarge(need, hs.memory.budget)
	}
	more := max(need-*reserved, 0)
	if !hs.memory.tryReserve(more) {
		return nil, noRoom()
	}
	*reserved -= need - more
	h := &held{id: rand.Text(), text: text, media: media, memory: need, digest: digest}
	if digest == "" {
		h.hash = sha256.New()
	}
	hs.mu.Lock()
	defer hs.mu.Unlock()
	hs.held[h.id] = h
	hs.bytes += need
	h.timer = time.AfterFunc(hs.idle, func() { hs.drop(h.id) })
	return h, nil
}

func noRoom() *contract.Error {
	e := contract.Errorf(contract.CodeResourceExhausted, "the instance holds as many large results for other readers as its memory allows; try again later or start it with more --memory")
	e.RetryAfter = time.Second
	return e
}

// find returns a handle and begins its idle time anew. It returns an [*contract.Error] if
// there is none.
func (hs *handles) find(id string) (*held, error) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	h := hs.held[id]
	if h == nil {
		return nil, contract.Errorf(contract.CodeNotFound, "the result is not held here any more: it was read, released or not read for %s; send the request again", handleIdle)
	}
	h.timer.Reset(hs.idle)
	return h, nil
}

// drop gives a handle up and its memory back. A handle that is gone already is left alone.
func (hs *handles) drop(id string) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	h := hs.held[id]
	if h == nil {
		return
	}
	h.timer.Stop()
	delete(hs.held, id)
	hs.bytes -= h.memory
	hs.memory.release(h.memory)
	if hs.empty != nil && len(hs.held) == 0 {
		close(hs.empty)
		hs.empty = nil
	}
}

// count returns the number of handles and the memory reserved for them.
func (hs *handles) count() (number, bytes int64) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	return int64(len(hs.held)), hs.bytes
}

// leave shortens the idle time of all handles and returns a channel that is closed when
// the last one is gone.
func (hs *handles) leave() <-chan struct{} {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	empty := make(chan struct{})
	hs.idle = leavingIdle
	if len(hs.held) == 0 {
		close(empty)
		return empty
	}
	hs.empty = empty
	for _, h := range hs.held {
		h.timer.Reset(hs.idle)
	}
	return empty
}

// close gives all handles up and waits until no part is being read any more.
func (hs *handles) close() {
	hs.mu.Lock()
	var ids []string
	for id := range hs.held {
		ids = append(ids, id)
	}
	hs.mu.Unlock()
	for _, id := range ids {
		hs.drop(id)
	}
	hs.reading.Lock()
	defer hs.reading.Unlock()
	hs.buffer = nil
}

// read writes out the part of a handle that the request wants, into the buffer. The caller
// holds reading.
func (hs *handles) read(h *held, r contract.PartRequest) (part []byte, err error) {
	defer caught(&err)
	size := h.text.Size()
	if r.Offset >= size {
		return nil, contract.Invalid("offset", "must be below the size of the result, %d", size)
	}
	if hs.buffer == nil {
		hs.buffer = make([]byte, contract.MaxPart)
	}
	part = hs.buffer[:min(r.Length, size-r.Offset)]
	if err := readFull(h.text, part, r.Offset); err != nil {
		return nil, err
	}
	h.advance(part, r.Offset)
	return part, nil
}

// readFull fills p with the bytes of a text at the offset, which has that many.
func readFull(text solver.Encoded, p []byte, offset int64) error {
	n, err := text.ReadAt(p, offset)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("write bytes %d to %d of a result: %w", offset, offset+int64(len(p)), err)
}

// advance notes a part that was read, if there is no gap before it, and hashes what it has
// beyond what was read before.
func (h *held) advance(part []byte, offset int64) {
	end := offset + int64(len(part))
	if offset > h.progress || end <= h.progress {
		return
	}
	if h.hash != nil {
		h.hash.Write(part[h.progress-offset:])
	}
	h.progress = end
	if h.complete() && h.hash != nil {
		h.digest = contract.FormatDigest([sha256.Size]byte(h.hash.Sum(nil)))
	}
}

// complete reports whether the text was read to its end in order.
func (h *held) complete() bool { return h.progress == h.text.Size() }
