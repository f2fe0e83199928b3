package lane

// Waiting reports whether requests wait for a slot, as far as this instance knows: some
// that it handed over were not taken, or the last one that it was offered had others
// behind it, or was given back. It asks nobody. Whoever lets something else go first no
// longer than it takes the broker to answer [Lane.Ask] is not misled by what it does not
// know: that another instance has taken the others.
func (l *Lane) Waiting() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waits()
}

// waits is Waiting for holders of the lock.
func (l *Lane) waits() bool { return l.open && (len(l.handed) > 0 || l.behind) }

// seen notes whether requests wait behind the one that was offered last.
func (l *Lane) seen(behind bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.behind = behind
	l.tellIdle()
}

// tellIdle says that no request waits any more. The lock is held.
func (l *Lane) tellIdle() {
	if !l.waits() {
		l.cfg.Idle()
	}
}
