package lane

// Stored returns the number of requests that this instance handed over and knows to be
// stored.
func (l *Lane) Stored() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, h := range l.handed {
		if h.stored {
			n++
		}
	}
	return n
}
