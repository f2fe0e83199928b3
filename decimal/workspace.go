package decimal

import "sync"

// workspace is memory for the intermediate results of one computation, handed
// out and taken back like a stack. It spares the clearing and the collecting
// of garbage that would take longer than much of the arithmetic.
type workspace struct {
	block    []uint64
	used     int
	giveBack func() // gives a long block back to the engine it is from; nil for a short one
}

// workspaces keeps them for reuse; what is not used for a while goes to the
// garbage collector.
var workspaces = sync.Pool{New: func() any { return new(workspace) }}

// newWorkspace returns an empty workspace of about so many words, to be given
// back with release.
func newWorkspace(words int) *workspace {
	w := workspaces.Get().(*workspace)
	if len(w.block) < words {
		w.block = make([]uint64, words)
	}
	return w
}

// longWorkspace is the number of words from which a workspace comes from the buffers of
// the transform: those stay when the garbage collector runs, and lie in huge pages.
const longWorkspace = 1 << 17

// newWorkspace returns an empty workspace for what goes with transforms.
func (c *Calculator) newWorkspace(words int) *workspace {
	if words < longWorkspace {
		return newWorkspace(words)
	}
	block, giveBack := c.ntt().Borrow(words)
	return &workspace{block: block, giveBack: giveBack}
}

// release takes the workspace and all that came from it back.
func (w *workspace) release() {
	if w.giveBack != nil {
		w.giveBack()
		return
	}
	w.used = 0
	workspaces.Put(w)
}

// words returns n words of undefined content. Should the workspace be too
// small, they come from the heap.
func (w *workspace) words(n int) []uint64 {
	if w.used+n > len(w.block) {
		return make([]uint64, n)
	}
	z := w.block[w.used : w.used+n : w.used+n]
	w.used += n
	return z
}

// keep takes back all that was handed out since used was mark, but a, which
// moves there.
func (w *workspace) keep(mark int, a []uint64) []uint64 {
	w.used = mark
	z := w.words(len(a))
	copy(z, a)
	return z
}
