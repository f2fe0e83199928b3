package main

import (
	"testing"

	"github.com/seed-649d3d38/heddle/host/hosttest"
	"github.com/seed-649d3d38/heddle/solver"
)

// TestConformance runs the suite of host/hosttest on every service of the catalogue.
func TestConformance(t *testing.T) {
	t.Parallel()
	services, err := serviceFlags{}.catalogue()
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range services {
		t.Run(s.Name, func(t *testing.T) {
			hosttest.Conform(t, hosttest.Suite{
				Service: func() solver.Service {
					fresh, err := serviceFlags{}.catalogue()
					if err != nil {
						t.Fatal(err)
					}
					return fresh[i]
				},
				Requests: map[string]string{"links": `{"url":"https://example.com/"}`},
			})
		})
	}
}
