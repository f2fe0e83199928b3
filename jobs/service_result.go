package jobs

import (
	"bytes"
	"context"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/strict"
)

// result returns bytes of the result of a job.
func (s *Service) result(ctx context.Context, m *nats.Msg) (any, *nats.Msg, error) {
	var r contract.JobResultRequest
	ref, err := readAbout(m, &r, &r.ID)
	if err != nil {
		return nil, nil, err
	}
	result, err := s.store.Result(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	if r.Offset > 0 && r.Offset >= result.Size {
		return nil, nil, contract.Errorf(contract.CodeRangeNotSatisfiable, "offset must be below the size of the result, which is %d", result.Size)
	}
	reply, end, err := s.bytesOf(ctx, result, r.Offset, r.Length)
	if err != nil {
		return nil, nil, err
	}
	reply.Header.Set(contract.HeaderContentRange, contract.FormatContentRange(r.Offset, end, result.Size))
	reply.Header.Set(contract.HeaderDigest, result.Digest)
	return nil, reply, nil
}

// items returns bytes of the lines of a batch.
func (s *Service) items(ctx context.Context, m *nats.Msg) (any, *nats.Msg, error) {
	var r contract.JobItemsRequest
	ref, err := readAbout(m, &r, &r.ID)
	if err != nil {
		return nil, nil, err
	}
	lines, more, err := s.store.Lines(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	if r.Offset > lines.Size {
		return nil, nil, contract.Errorf(contract.CodeRangeNotSatisfiable, "offset must be at most the size of the lines, which is %d", lines.Size)
	}
	reply, end, err := s.bytesOf(ctx, lines, r.Offset, 0)
	if err != nil {
		return nil, nil, err
	}
	place := contract.FormatContentRange(r.Offset, end, lines.Size)
	if more {
		place = contract.FormatOpenRange(r.Offset, end)
	}
	reply.Header.Set(contract.HeaderContentRange, place)
	return nil, reply, nil
}

// readAbout reads a request about one job, whose id is then at the place, and returns which.
func readAbout(m *nats.Msg, request contract.Request, id *string) (contract.JobRef, error) {
	if err := strict.Decode(m.Data, request); err != nil {
		return contract.JobRef{}, err
	}
	if err := request.Validate(); err != nil {
		return contract.JobRef{}, err
	}
	return contract.ParseJobID(*id)
}

// bytesOf returns a reply with bytes of a result from the offset on, as many as are wanted
// or fit, and where they end. A length of 0 wants all.
func (s *Service) bytesOf(ctx context.Context, r *Stored, offset, length int64) (reply *nats.Msg, end int64, err error) {
	most := min(contract.MaxPart, s.store.nc.MaxPayload()-contract.HeaderRoom)
	if length == 0 || length > most {
		length = most
	}
	end = min(offset+length, r.Size)
	var body bytes.Buffer
	if err := r.WriteRange(ctx, &body, offset, end); err != nil {
		return nil, 0, err
	}
	return &nats.Msg{Data: body.Bytes(), Header: nats.Header{contract.HeaderContentType: {r.ContentType}}}, end, nil
}
