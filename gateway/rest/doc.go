// Package rest is the HTTP face of the contract: an [http.Handler] with one route per
// operation that turns HTTP requests into NATS requests and replies into responses.
//
//	gateway, err := rest.New(rest.Config{
//		Endpoints: contract.All(), Requester: requester, Conn: nc, Log: log, LoopbackOnly: true,
//	})
//	if err != nil {
//		return err
//	}
//	server := rest.NewServer(gateway, log)
//
// It is a thin translator. A POST body goes to the service as it is and the reply comes
// back as it is; validation, negotiation of the result's form and the work are the
// service's, so that callers on NATS and on HTTP get the same answers. The gateway adds
// what only HTTP has: methods, media types, caching, problems for what never reaches a
// service, and protection from web pages (see guard.go). It knows no solver.
//
// # The life of a request
//
// There is no chain of middleware: measured, cloned requests and wrapped writers cost
// more than all features together. [Gateway.ServeHTTP] finds the route; the method
// Gateway.serve observes, guards and recovers every route; the route's own function
// answers. For an operation that is operation.answer.
//
// Errors that net/http finds before a request is one, such as a header it cannot read,
// are answered by it in plain text.
package rest
