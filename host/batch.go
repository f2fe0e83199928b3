package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/ndjson"
	"github.com/seed-649d3d38/heddle/solver"
)

// lightItems is the largest number of light requests that are light together: at a few
// microseconds each they take no longer than one that is just not light.
const lightItems = 16

// chunk is many requests of one operation in one message. It is scheduled as one
// request: light if all are light and few, otherwise it takes one slot and solves them
// there in order.
type chunk struct {
	items ndjson.Items
	parts []part // of the items; nil until they are read
}

// part is one request of a chunk, or what is wrong with it.
type part struct {
	request any
	err     error
}

// forChunks returns the endpoint that takes the chunks of e's operation.
func (e *endpoint) forChunks(recorder func(contract.Spec) *recorder) *endpoint {
	spec := e.spec.Spec
	spec.Operation = contract.BatchName(spec.Operation)
	return &endpoint{
		service:   e.service,
		operation: e.operation,
		spec:      e.spec,
		name:      spec.Operation,
		subject:   e.subject + ".batch",
		chunks:    true,
		offers:    []string{contract.MediaNDJSON},
		instance:  e.instance,
		tracer:    e.tracer,
		recorder:  recorder(spec),
		metadata: map[string]string{
			"summary":     "Many requests at once: " + e.spec.Summary,
			"description": fmt.Sprintf("Takes up to %d requests of %s, as NDJSON or a JSON array, and answers with NDJSON: a line for each request, in order, and a last line.", contract.MaxChunkItems, e.spec.Name()),
			"pure":        e.metadata["pure"],
		},
	}
}

// openChunk splits a chunk, and weighs one that may be light.
func (e *endpoint) openChunk(c *call) error {
	if err := c.readHeaders(e); err != nil {
		return err
	}
	form, err := chunkForm(c.header(contract.HeaderContentType))
	if err != nil {
		return err
	}
	items, err := ndjson.Split(c.message.Data, form, contract.MaxChunkItems)
	switch {
	case errors.Is(err, ndjson.ErrTooMany):
		return contract.Errorf(contract.CodeRequestTooLarge, "the chunk has more than %d requests; send fewer", contract.MaxChunkItems)
	case err != nil:
		return contract.Errorf(contract.CodeMalformedRequest, "%v; send requests as lines or as a JSON array", err)
	}
	c.chunk = &chunk{items: items}
	if items.Len() <= lightItems {
		c.cost = e.readChunk(c.chunk)
	}
	return nil
}

// chunkForm returns the form that a Content-Type header names.
func chunkForm(contentType string) (ndjson.Form, error) {
	switch contentType {
	case "":
		return ndjson.Sniff, nil
	case contract.MediaNDJSON:
		return ndjson.Lines, nil
	case contract.MediaJSON:
		return ndjson.Array, nil
	default:
		return 0, contract.Errorf(contract.CodeUnsupportedMediaType, "must be %s or %s", contract.MediaNDJSON, contract.MediaJSON).At(contract.HeaderContentType)
	}
}

// readChunk reads the requests of a chunk and returns what they cost together: the memory
// of the largest one and of all results, which end in one reply.
func (e *endpoint) readChunk(k *chunk) solver.Cost {
	k.parts = make([]part, k.items.Len())
	all := solver.Cost{Light: len(k.parts) <= lightItems}
	for i := range k.parts {
		cost, p := solver.Cost{Light: true}, &k.parts[i]
		if p.err = e.checkSize(k.items.At(i)); p.err == nil {
			p.request, cost, p.err = e.read(k.items.At(i))
		}
		if p.err == nil && cost.Result > e.maxChunkReply() {
			p.err = errChunkTooLarge // before the work
		}
		if p.err != nil {
			continue
		}
		all.Light = all.Light && cost.Light
		all.Memory = max(all.Memory, cost.Memory)
		all.Result += cost.Result
	}
	all.Memory = min(all.Memory+min(all.Result, e.maxChunkReply()), e.service.host.memory.budget)
	return all
}

// weigh reads the requests of a chunk that is too long for the dispatcher.
func (c *call) weigh(e *endpoint) {
	if c.chunk == nil || c.chunk.parts != nil {
		return
	}
	c.cost = e.readChunk(c.chunk)
	c.cost.Light = false
}

// solveChunk solves the requests of a chunk in order and returns the lines of the reply.
// If ctx ends there is no reply, whatever has been solved.
func (e *endpoint) solveChunk(ctx context.Context, k *chunk) ([]byte, error) {
	var lines bytes.Buffer
	done := contract.BatchLine{Done: true}
	for i := range k.parts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		err := e.appendPart(ctx, &lines, i, &k.parts[i])
		if err != nil && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if errors.Is(err, errChunkTooLarge) || int64(lines.Len()) > e.maxChunkReply() {
			return nil, chunkTooLarge(e.maxChunkReply())
		}
		if err != nil {
			done.Failed++
			line := contract.BatchLine{Index: i, Error: e.partFault(ctx, err)}
			lines.Write(line.Append(lines.AvailableBuffer()))
		} else {
			done.OK++
		}
	}
	if int64(lines.Len()) > e.maxChunkReply() {
		return nil, chunkTooLarge(e.maxChunkReply())
	}
	lines.Write(done.Append(lines.AvailableBuffer()))
	return lines.Bytes(), nil
}

// appendPart solves one request of a chunk and appends its line. With an error it appends
// nothing.
func (e *endpoint) appendPart(ctx context.Context, lines *bytes.Buffer, index int, p *part) error {
	if p.err != nil {
		return p.err
	}
	result, err := e.solve(ctx, p.request)
	p.request = nil // what it refers to is not needed any more
	if err != nil {
		return err
	}
	long, isLong := result.(solver.Long)
	if isLong && long.Encode(contract.MediaJSON).Size() > e.maxChunkReply() {
		return errChunkTooLarge
	}
	before := lines.Len()
	lines.Write(contract.AppendBatchIndex(lines.AvailableBuffer(), index))
	lines.WriteString(`"result":`)
	if isLong {
		err = writeLong(lines, long)
	} else {
		err = json.MarshalWrite(lines, result)
	}
	if err != nil {
		lines.Truncate(before)
		return fmt.Errorf("encode result: %w", err)
	}
	lines.WriteString("}\n")
	return nil
}

// partFault returns the error of one request as its caller gets it, and logs its cause if
// the fault is ours.
func (e *endpoint) partFault(ctx context.Context, err error) *contract.Error {
	f := fault(ctx, err)
	if f.Code == contract.CodeInternal {
		f = e.service.logInternal(ctx, e.spec.Name(), f)
	}
	return f
}

// writeLong writes out a result.
func writeLong(lines *bytes.Buffer, result solver.Long) (err error) {
	defer caught(&err)
	text := result.Encode(contract.MediaJSON)
	body := make([]byte, text.Size())
	if err := readFull(text, body, 0); err != nil {
		return err
	}
	lines.Write(body)
	return nil
}

// errChunkTooLarge says that a single result is too large for the reply to a chunk.
var errChunkTooLarge = errors.New("a result is too large for the reply to a chunk")

// maxChunkReply returns the largest reply to a chunk in bytes.
func (e *endpoint) maxChunkReply() int64 { return e.service.host.nc.MaxPayload() - contract.HeaderRoom }

// chunkTooLarge is the one answer to a chunk whose lines do not fit into a reply.
func chunkTooLarge(most int64) *contract.Error {
	return contract.Errorf(contract.CodeResultTooLarge, "the results of the chunk have more than %s together, which is what a reply carries; send fewer requests at once", size(most))
}
