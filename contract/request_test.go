package contract_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/seed-649d3d38/heddle/contract"
)

func TestValidRequests(t *testing.T) {
	t.Parallel()
	most := contract.Integer(strings.Repeat("9", contract.MaxTermDigits))
	requests := map[string]contract.Request{
		"term":                contract.TermRequest{N: "0"},
		"term, negative":      contract.TermRequest{N: "-5"},
		"term, longest":       contract.TermRequest{N: "-" + most, Modulus: most},
		"term, modulus 1":     contract.TermRequest{N: "5", Modulus: "1"},
		"root":                contract.RootRequest{X: "2"},
		"root, no digits":     contract.RootRequest{X: "22/7", Digits: new(0)},
		"root, negative zero": contract.RootRequest{X: "-0.0"},
		"integer":             contract.IntegerRootRequest{X: "0"},
		"floats":              contract.FloatsRequest{Values: contract.Floats{1, -1, math.MaxFloat64}},
		"floats, none":        contract.FloatsRequest{Values: contract.Floats{}},
		"floats, most":        contract.FloatsRequest{Values: make(contract.Floats, contract.MaxFloats)},
		"links":               contract.LinksRequest{URL: "https://example.com/", Limit: 5},
		"links, longest":      contract.LinksRequest{URL: "http://a/" + strings.Repeat("x", contract.MaxURLLength-9)},
	}
	for _, r := range contract.Roundings() {
		requests["root, "+string(r)] = contract.RootRequest{X: "2", Rounding: r}
	}
	for name, request := range requests {
		if err := request.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestInvalidRequests(t *testing.T) {
	t.Parallel()
	tooLong := contract.Integer("1" + strings.Repeat("0", contract.MaxTermDigits))
	for name, c := range map[string]struct {
		request contract.Request
		field   string
		say     string
	}{
		"term without n":           {contract.TermRequest{}, "n", "missing"},
		"n too long":               {contract.TermRequest{N: tooLong}, "n", "10000 digits"},
		"n too long, negative":     {contract.TermRequest{N: "-" + tooLong}, "n", "10000 digits"},
		"modulus 0":                {contract.TermRequest{N: "5", Modulus: "0"}, "modulus", "at least 1"},
		"modulus negative":         {contract.TermRequest{N: "5", Modulus: "-7"}, "modulus", "at least 1"},
		"modulus too long":         {contract.TermRequest{N: "5", Modulus: tooLong}, "modulus", "10000 digits"},
		"root without x":           {contract.RootRequest{}, "x", "missing"},
		"root of a negative":       {contract.RootRequest{X: "-4"}, "x", "negative"},
		"root of a small negative": {contract.RootRequest{X: "-0.001"}, "x", "negative"},
		"root of text":             {contract.RootRequest{X: "four"}, "x", "whole number"},
		"root of signed text":      {contract.RootRequest{X: "-four"}, "x", "whole number"},
		"root of 1/0":              {contract.RootRequest{X: "1/0"}, "x", "denominator"},
		"negative digits":          {contract.RootRequest{X: "2", Digits: new(-1)}, "digits", "0 or more"},
		"unknown rounding":         {contract.RootRequest{X: "2", Rounding: "half_odd"}, "rounding", "half_even"},
		"integer without x":        {contract.IntegerRootRequest{}, "x", "missing"},
		"integer negative":         {contract.IntegerRootRequest{X: "-4"}, "x", "negative"},
		"floats without values":    {contract.FloatsRequest{}, "values", "missing"},
		"floats, too many":         {contract.FloatsRequest{Values: make(contract.Floats, contract.MaxFloats+1)}, "values", "100000"},
		"floats, null":             {contract.FloatsRequest{Values: contract.Floats{1, math.NaN()}}, "values/1", "null"},
		"floats, infinite":         {contract.FloatsRequest{Values: contract.Floats{math.Inf(-1)}}, "values/0", "infinite"},
		"links without url":        {contract.LinksRequest{}, "url", "missing"},
		"links, url too long":      {contract.LinksRequest{URL: strings.Repeat("x", contract.MaxURLLength+1)}, "url", "8192"},
		"links, negative limit":    {contract.LinksRequest{URL: "http://a/", Limit: -1}, "limit", "0"},
	} {
		err := c.request.Validate()
		e, ok := errors.AsType[*contract.Error](err)
		if !ok || e.Code != contract.CodeInvalidArgument || e.Field != c.field || !strings.HasPrefix(e.Detail, c.field+" ") || !strings.Contains(e.Detail, c.say) {
			t.Errorf("%s: %v; want an invalid %s that says %q", name, err, c.field, c.say)
		}
	}
}

func TestNoRoot(t *testing.T) {
	t.Parallel()
	got := contract.NoRoot(12)
	if got.Index != 12 || got.Code != contract.CodeInvalidArgument || !strings.HasPrefix(got.Detail, "values/12 must not be negative") {
		t.Errorf("%+v", got)
	}
}
