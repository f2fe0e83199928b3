// Package contract is everything that crosses a process border in Heddle:
// endpoints, request and result types, subjects, headers and error codes.
//
// One declaration serves every face. [FibonacciTerm], for example, is the key a
// solver is bound to, the target a client calls, the gateway's route, the
// command line's operation and the entry in the OpenAPI document:
//
//	contract.FibonacciTerm.Subject() // "heddle.v1.fibonacci.term"
//	contract.FibonacciTerm.Route()   // "/v1/fibonacci/term"
//
// The package holds no transport, no solver and no schema generator, and it
// imports the standard library only, so that a client in another module can use
// it without pulling in anything else.
//
// # Wire rules
//
// Bodies are JSON objects in snake_case. Integers that may be large travel as
// strings ([Integer]); a request may also carry them as JSON numbers up to 2^53-1.
// Results use one JSON type per member. Services refuse unknown, duplicate and
// wrongly cased members. Until v1.0.0 the wire may change with a stated reason;
// afterwards changes are additive.
//
// Struct tags beside the json tag (doc, default, minimum, maximum, maxLength,
// maxItems, pattern, format) say for the published schemas what a Go type cannot;
// Validate remains the judge of a request.
package contract
