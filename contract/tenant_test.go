package contract_test

import (
	"strings"
	"testing"

	"github.com/seed-649d3d38/heddle/contract"
)

func TestCheckTenant(t *testing.T) {
	t.Parallel()
	for _, good := range []string{contract.DefaultTenant, "a", "A-1_b", strings.Repeat("x", 64)} {
		if err := contract.CheckTenant(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "*", ">", "a.b", "a b", "a/b", "ä", strings.Repeat("x", 65)} {
		if contract.CheckTenant(bad) == nil {
			t.Errorf("%q can be a tenant", bad)
		}
	}
}

// TestTenantsOnTheWire pins where instances hear of the jobs of tenants.
func TestTenantsOnTheWire(t *testing.T) {
	t.Parallel()
	subject := contract.QueuedSubject("acme", "fibonacci", contract.ClassHigh)
	golden(t, "tenants.json", map[string]string{
		"queued":   subject,
		"work":     contract.JobRef{Tenant: "acme", Service: "fibonacci", Operation: "term", Token: "k3x9p2"}.WorkSubject(contract.ClassHigh),
		"consumer": contract.WorkConsumer(contract.ClassHigh, "acme"),
	})
	tenant, service, class, ok := contract.ParseQueuedSubject(subject)
	if tenant != "acme" || service != "fibonacci" || class != contract.ClassHigh || !ok {
		t.Errorf("%s reads as %s, %s, %s, %v", subject, tenant, service, class, ok)
	}
	if class, tenant, ok := contract.ParseWorkConsumer(contract.WorkConsumer(contract.ClassNormal, "a-b")); class != contract.ClassNormal || tenant != "a-b" || !ok {
		t.Errorf("a consumer reads as %s, %s, %v", class, tenant, ok)
	}
	for _, other := range []string{"", "heddle.v1.t.acme", "heddle.v1.t.acme.canceled.fibonacci.high", subject + ".more"} {
		if _, _, _, ok := contract.ParseQueuedSubject(other); ok {
			t.Errorf("%q is taken for one", other)
		}
	}
}
