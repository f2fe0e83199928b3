package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"os"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/batch"
	"github.com/seed-649d3d38/heddle/internal/bus"
)

// callBatch sends a request for each line of the input and prints a line for each
// outcome, and a last one that counts them.
func (c *callCommand) callBatch(ctx context.Context, operation contract.Descriptor, s streams) error {
	in := s.in
	if c.Batch != "-" {
		file, err := os.Open(c.Batch)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }() // nothing was written
		in = file
	}
	if c.HTTP != "" {
		return c.postBatch(ctx, operation.Spec, in, s.out)
	}
	nc, err := connectNow(ctx, c.Bus)
	if err != nil {
		return err
	}
	defer nc.Close()
	requester, err := bus.NewRequester(nc)
	if err != nil {
		return err
	}
	defer requester.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines := &inputLines{in: in, most: operation.MaxRequest}
	queue := batch.NewQueue(0)
	// Reading a terminal cannot be cancelled, so nobody waits for the end of this; the
	// program ends soon after.
	go queue.Fill(ctx, lines.items())
	out := &lineOutput{out: bufio.NewWriter(s.out)}
	summary, err := batch.Run(ctx, batch.Config{Pure: operation.Pure, Ordered: c.Ordered, Patience: operation.Timeout},
		queue, out, batch.Over(requester.Do, operation, nil))
	if err == nil {
		err = lines.err
	}
	if err != nil {
		return errors.Join(err, out.Flush())
	}
	if err := errors.Join(out.Deliver(contract.BatchLine{Done: true, OK: summary.OK, Failed: summary.Failed}), out.Flush()); err != nil {
		return err
	}
	if summary.Failed > 0 {
		return fmt.Errorf("%d of %d requests failed", summary.Failed, summary.Read)
	}
	return nil
}

// inputLines reads requests, one on each line.
type inputLines struct {
	in   io.Reader
	most int   // bytes in a line
	err  error // of reading; valid once the batch has ended
}

func (l *inputLines) items() iter.Seq[batch.Item] {
	return func(yield func(batch.Item) bool) {
		scanner := bufio.NewScanner(l.in)
		scanner.Buffer(nil, l.most+1)
		for scanner.Scan() {
			if len(scanner.Bytes()) > 0 && !yield(batch.Item{Body: append([]byte(nil), scanner.Bytes()...)}) {
				return
			}
		}
		if l.err = scanner.Err(); errors.Is(l.err, bufio.ErrTooLong) {
			l.err = contract.Errorf(contract.CodeRequestTooLarge, "a line of the input has more than %d bytes; those after it were not read", l.most)
		}
	}
}

// lineOutput prints outcomes.
type lineOutput struct {
	out     *bufio.Writer
	scratch []byte
}

// Deliver implements [batch.Sink].
func (o *lineOutput) Deliver(l contract.BatchLine) error {
	o.scratch = l.Append(o.scratch[:0])
	_, err := o.out.Write(o.scratch)
	return err
}

// Flush implements [batch.Sink].
func (o *lineOutput) Flush() error { return o.out.Flush() }

// postBatch sends the input to the gateway as it is, and prints what it answers.
func (c *callCommand) postBatch(ctx context.Context, operation contract.Spec, in io.Reader, out io.Writer) error {
	address, err := url.JoinPath(c.HTTP, operation.BatchRoute())
	if err != nil {
		return fmt.Errorf("gateway address %q: %w", c.HTTP, err)
	}
	if c.Ordered {
		address += "?order=input"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, in)
	if err != nil {
		return fmt.Errorf("gateway address %q: %w", c.HTTP, err)
	}
	r.Header.Set(contract.HeaderContentType, contract.MediaNDJSON)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return contract.Errorf(contract.CodeUnavailable, "no gateway answers at %s; start one with: heddle up", r.URL.Host).WithCause(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return readFault(response)
	}
	last, err := copyLines(out, response.Body)
	switch {
	case err != nil:
		return err
	case !last.Done:
		return errors.New("the answer ended before its last line")
	case last.Failed > 0:
		return fmt.Errorf("%d of %d requests failed", last.Failed, last.OK+last.Failed)
	}
	return nil
}

// readFault returns the problem of a response.
func readFault(response *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	fault := new(contract.Error)
	if err == nil && fault.UnmarshalJSON(body) == nil {
		return fault
	}
	return contract.Errorf(contract.CodeUnavailable, "the answer with status %d is not from Heddle; check the address", response.StatusCode)
}

// copyLines copies lines as they come and returns the last one.
func copyLines(out io.Writer, in io.Reader) (last contract.BatchLine, err error) {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return last, nil
		}
		if err == nil {
			_, err = out.Write(line)
		}
		if err != nil {
			return last, err
		}
		if last, err = contract.ParseBatchLine(line[:len(line)-1]); err != nil {
			return last, err
		}
	}
}
