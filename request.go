package main

import (
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/query"
	"github.com/seed-649d3d38/heddle/internal/schema"
)

// requestArgs are the arguments that name an operation and a request to it.
type requestArgs struct {
	Operation string   `arg:"" help:"Operation, such as fibonacci.term, sqrt.root or crawler.links."`
	Request   []string `arg:"" optional:"" help:"The request: members as name=value (n=100), one JSON object, or - for JSON from standard input."`
}

// find returns the operation with the full name.
func find(name string) (contract.Descriptor, error) {
	all := contract.All()
	i := slices.IndexFunc(all, func(d contract.Descriptor) bool { return d.Name() == name })
	if i < 0 {
		var known []string
		for _, d := range all {
			known = append(known, d.Name())
		}
		return contract.Descriptor{}, contract.Errorf(contract.CodeNotFound, "there is no operation %q; the operations are %s", name, strings.Join(known, ", "))
	}
	return all[i], nil
}

// fromStdin reports whether the request is on standard input.
func (a *requestArgs) fromStdin() bool { return len(a.Request) == 1 && a.Request[0] == "-" }

// body returns the request's JSON from the arguments.
func (a *requestArgs) body(operation contract.Descriptor, stdin io.Reader) ([]byte, error) {
	if a.fromStdin() {
		return io.ReadAll(stdin)
	}
	if len(a.Request) == 1 && strings.HasPrefix(strings.TrimSpace(a.Request[0]), "{") {
		return []byte(a.Request[0]), nil
	}
	members := make(url.Values)
	for _, argument := range a.Request {
		name, value, ok := strings.Cut(argument, "=")
		if !ok {
			return nil, contract.Errorf(contract.CodeInvalidArgument, "%q is not name=value; write members as in n=100", argument)
		}
		members.Add(name, value)
	}
	s, err := schema.Request(operation.Request)
	if err != nil {
		return nil, fmt.Errorf("describe %s: %w", operation.Name(), err)
	}
	w, err := query.NewWriter(s)
	if err != nil {
		return nil, fmt.Errorf("%s takes JSON only: %w", operation.Name(), err)
	}
	return w.AppendJSON(nil, members)
}
