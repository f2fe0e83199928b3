package load

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// HTTP sends POST requests over kept connections. It speaks just enough HTTP/1.1 for
// that: the bytes of the request are made once, and of a response it reads the status
// and the length. It returns an error when an answer is missing, is not 200 or has no
// Content-Length.
func HTTP(ctx context.Context, run Run) (Result, error) {
	conns, err := dial(ctx, run)
	if err != nil {
		return Result{}, err
	}
	request := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		run.Path, run.Target, len(run.Body), run.Body)
	stop := context.AfterFunc(ctx, func() { // ends what waits for an answer
		for _, conn := range conns {
			_ = conn.SetDeadline(time.Unix(0, 1))
		}
	})
	defer stop()
	next := make(chan net.Conn, len(conns))
	for _, conn := range conns {
		next <- conn
	}
	return together(run.InFlight, func(start time.Time) ([]time.Duration, error) {
		conn := <-next
		latencies, err := converse(conn, request, start.Add(run.Duration))
		return latencies, errors.Join(err, conn.Close())
	})
}

// dial opens the connections, whose deadline is when answers count as lost.
func dial(ctx context.Context, run Run) ([]net.Conn, error) {
	var (
		dialer net.Dialer
		conns  []net.Conn
		errs   []error
	)
	deadline := time.Now().Add(run.Duration + lateness)
	for range run.InFlight {
		conn, err := dialer.DialContext(ctx, "tcp", run.Target)
		if err == nil {
			conns = append(conns, conn)
			err = conn.SetDeadline(deadline)
		}
		errs = append(errs, err)
	}
	err := errors.Join(errs...)
	if err == nil {
		return conns, nil
	}
	for _, conn := range conns {
		_ = conn.Close() // nothing was sent
	}
	return nil, err
}

// converse sends the request and reads its response until the time is over.
func converse(conn net.Conn, request []byte, end time.Time) (latencies []time.Duration, err error) {
	r := bufio.NewReader(conn)
	for sent := time.Now(); sent.Before(end); {
		if _, err := conn.Write(request); err != nil {
			return latencies, err
		}
		if err := skipResponse(r); err != nil {
			return latencies, err
		}
		now := time.Now()
		latencies = append(latencies, now.Sub(sent))
		sent = now
	}
	return latencies, nil
}

// skipResponse reads one response and requires its status to be 200.
func skipResponse(r *bufio.Reader) error {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return fmt.Errorf("read status: %w", err)
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("answered %q", bytes.TrimSpace(line))
	}
	length := -1
	for {
		if line, err = r.ReadSlice('\n'); err != nil {
			return fmt.Errorf("read header: %w", err)
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if value, found := cutLength(line); found {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return fmt.Errorf("read length: %w", err)
			}
		}
	}
	if length < 0 {
		return errors.New("the response has no Content-Length")
	}
	if _, err = r.Discard(length); err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	return nil
}

// cutLength returns the value of a Content-Length header.
func cutLength(line []byte) (value []byte, found bool) {
	name, value, found := bytes.Cut(line, []byte(":"))
	return bytes.TrimSpace(value), found && bytes.EqualFold(name, []byte("Content-Length"))
}
