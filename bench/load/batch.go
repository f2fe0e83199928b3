package load

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
)

// batchItems is the number of requests in one batch over REST.
const batchItems = 50_000

// Batches sends batches of terms: over REST if the run has a path, otherwise with
// client.Map to the broker that the target is the address of. The body is the request of
// which each item is a variation: its n gets eight more digits, so that no two items are
// equal. A request of the result is one item; there are no percentiles.
func Batches(ctx context.Context, run Run) (Result, error) {
	var base contract.TermRequest
	if err := json.Unmarshal([]byte(run.Body), &base); err != nil {
		return Result{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, run.Duration+lateness)
	defer cancel()
	if run.Path == "" {
		return mapTerms(ctx, run, base)
	}
	return postTerms(ctx, run, base)
}

// vary returns the request of an item.
func vary(base contract.TermRequest, i int) contract.TermRequest {
	base.N += contract.Integer(fmt.Sprintf("%08d", i))
	return base
}

// mapTerms maps items until the time is over.
func mapTerms(ctx context.Context, run Run, base contract.TermRequest) (Result, error) {
	nc, err := nats.Connect(run.Target)
	if err != nil {
		return Result{}, err
	}
	defer nc.Close()
	start := time.Now()
	items := func(yield func(contract.TermRequest) bool) {
		for i := 0; time.Since(start) < run.Duration && yield(vary(base, i)); i++ {
		}
	}
	n := 0
	for _, err := range client.Map(ctx, &client.NATS{Conn: nc}, contract.FibonacciTerm, items, client.MapOptions{InFlight: run.InFlight}) {
		if err != nil {
			return Result{}, err
		}
		n++
	}
	return Result{Requests: n, Elapsed: time.Since(start)}, nil
}

// postTerms posts one batch after the other until the time is over.
func postTerms(ctx context.Context, run Run, base contract.TermRequest) (Result, error) {
	var body strings.Builder
	encoder := json.NewEncoder(&body)
	for i := range batchItems {
		if err := encoder.Encode(vary(base, i)); err != nil {
			return Result{}, err
		}
	}
	start := time.Now()
	n := 0
	for n == 0 || time.Since(start) < run.Duration {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+run.Target+run.Path, strings.NewReader(body.String()))
		if err != nil {
			return Result{}, err
		}
		r.Header.Set("Content-Type", contract.MediaNDJSON)
		if err := postBatch(r); err != nil {
			return Result{}, err
		}
		n += batchItems
	}
	return Result{Requests: n, Elapsed: time.Since(start)}, nil
}

// postBatch posts a batch and requires a result for each item.
func postBatch(r *http.Request) error {
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	lines := bufio.NewReaderSize(response.Body, 64<<10)
	var last []byte
	n := 0
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			break // what is missing is seen below
		}
		n++
		last = append(last[:0], line...)
	}
	done, err := contract.ParseBatchLine(bytes.TrimSpace(last))
	switch {
	case err != nil:
		return fmt.Errorf("status %d: %w", response.StatusCode, err)
	case n != batchItems+1 || done.OK != batchItems:
		return errors.New("not every item has a result")
	}
	return nil
}
