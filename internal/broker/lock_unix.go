//go:build unix

package broker

import (
	"errors"
	"os"
	"syscall"
)

// tryLock locks the open file until it is closed, or returns [ErrInUse].
func tryLock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrInUse
	}
	return err
}
