package contract_test

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"github.com/seed-649d3d38/heddle/contract"
)

func exampleHandle() contract.Handle {
	return contract.Handle{
		Subject: contract.HandleSubject("fibonacci", "mHMPmiEcGzsS6LuRzVJVGz", "AFG3"), Size: 20898810,
		ContentType: contract.MediaJSON, IdleMS: 30000,
	}
}

func withDigest(h contract.Handle) contract.Handle {
	h.Digest = contract.FormatDigest(sha256.Sum256(nil))
	return h
}

// handleBody returns the body of the reply.
func handleBody(t *testing.T, h contract.Handle) []byte {
	t.Helper()
	body, err := h.AppendReply(nil)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestParseHandle(t *testing.T) {
	t.Parallel()
	for _, want := range []contract.Handle{exampleHandle(), withDigest(exampleHandle())} {
		if got, err := contract.ParseHandle(handleBody(t, want)); err != nil || got != want {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
	}
	for name, change := range map[string]func(*contract.Handle){
		"no subject":          func(h *contract.Handle) { h.Subject = "" },
		"another kind":        func(h *contract.Handle) { h.Subject = contract.Subject("fibonacci", "term") },
		"too few tokens":      func(h *contract.Handle) { h.Subject = "heddle.v1.handle.fibonacci.x" },
		"too many tokens":     func(h *contract.Handle) { h.Subject += ".x" },
		"an empty token":      func(h *contract.Handle) { h.Subject = contract.HandleSubject("fibonacci", "", "x") },
		"a wildcard":          func(h *contract.Handle) { h.Subject = contract.HandleSubject("fibonacci", "x", "*") },
		"a line break":        func(h *contract.Handle) { h.Subject += "\r\nPUB x" },
		"no size":             func(h *contract.Handle) { h.Size = 0 },
		"a negative size":     func(h *contract.Handle) { h.Size = -1 },
		"without media type ": func(h *contract.Handle) { h.ContentType = "" },
	} {
		h := exampleHandle()
		change(&h)
		if got, err := contract.ParseHandle(handleBody(t, h)); !errors.Is(err, contract.CodeUpstream) {
			t.Errorf("%s: got %+v, %v; want %s", name, got, err, contract.CodeUpstream)
		}
	}
	if _, err := contract.ParseHandle([]byte("nonsense")); !errors.Is(err, contract.CodeUpstream) {
		t.Errorf("nonsense: %v", err)
	}
}

func TestPartRequest(t *testing.T) {
	t.Parallel()
	for _, good := range []contract.PartRequest{
		{Length: 1}, {Offset: 1 << 50, Length: contract.MaxPart}, {Release: true}, {Offset: -1, Release: true},
	} {
		if err := good.Validate(); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
	for field, bad := range map[string][]contract.PartRequest{
		"offset": {{Offset: -1, Length: 1}},
		"length": {{}, {Length: -1}, {Length: contract.MaxPart + 1}},
	} {
		for _, r := range bad {
			e, ok := errors.AsType[*contract.Error](r.Validate())
			if !ok || e.Code != contract.CodeInvalidArgument || e.Field != field || !strings.HasPrefix(e.Detail, field+" must") {
				t.Errorf("%+v: %v; want an invalid %s", r, e, field)
			}
		}
	}
}

func TestFormatDigest(t *testing.T) {
	t.Parallel()
	// The digest of no bytes at all, as coreutils and RFC 9530 write it.
	const want = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
	if got := contract.FormatDigest(sha256.Sum256(nil)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
