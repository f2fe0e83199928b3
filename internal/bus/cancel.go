package bus

import (
	"encoding/json"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
)

// Cancel tells the service that a request is for that nobody waits for its reply any
// more. The message must be the one that was sent, reply subject included. If it does not
// arrive the request only works in vain until its deadline, so errors are not returned.
func Cancel(nc *nats.Conn, m *nats.Msg) {
	service, ok := contract.ServiceOf(m.Subject)
	if !ok {
		return // not a service of the contract
	}
	body, err := json.Marshal(contract.Cancel{Reply: m.Reply})
	if err != nil { // a struct of a string always marshals
		return
	}
	_ = nc.Publish(contract.CancelSubject(service), body)
}
