package brokertest

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// clusterSize is the least number of nodes that survives the loss of one.
const clusterSize = 3

// Cluster is a JetStream cluster of three nodes on loopback, whose nodes can be stopped
// and started again. It is for the goroutine of the test.
type Cluster struct {
	t       testing.TB
	options [clusterSize]*server.Options
	servers [clusterSize]*server.Server // nil while stopped
}

// StartCluster starts a cluster and returns when it takes streams. It is shut down when
// the test ends.
func StartCluster(t testing.TB) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	dirs := t.TempDir() // before the next line, so that it is removed after the nodes have stopped
	t.Cleanup(func() {
		for i := range c.servers {
			c.Stop(i)
		}
	})
	// Each node must know the others' ports before they are up.
	ports := freePorts(t, 2*clusterSize)
	var routes []*url.URL
	for _, port := range ports[clusterSize:] {
		routes = append(routes, &url.URL{Scheme: "nats-route", Host: fmt.Sprintf("127.0.0.1:%d", port)})
	}
	for i := range c.options {
		c.options[i] = &server.Options{
			ServerName: fmt.Sprintf("n%d", i),
			Host:       "127.0.0.1", Port: ports[i],
			Cluster:   server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: ports[clusterSize+i], PoolSize: -1},
			Routes:    routes,
			JetStream: true, StoreDir: filepath.Join(dirs, strconv.Itoa(i)),
			NoLog: true, NoSigs: true,
		}
		c.start(i)
	}
	for _, s := range c.servers {
		if !s.ReadyForConnections(patience) {
			t.Fatalf("node %s takes no connections", s.Name())
		}
	}
	c.AwaitReady()
	return c
}

// freePorts returns ports of loopback that are free now. Somebody else may take one
// before it is used, which is rare.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	var lc net.ListenConfig
	var ports []int
	for range n {
		l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// start starts a node.
func (c *Cluster) start(i int) {
	c.t.Helper()
	options := *c.options[i] // the server writes to it
	s, err := server.NewServer(&options)
	if err != nil {
		c.t.Fatalf("start node %d: %v", i, err)
	}
	c.servers[i] = s
	s.Start()
}

// Start starts a node that was stopped and returns when the cluster is whole again.
func (c *Cluster) Start(i int) {
	c.t.Helper()
	c.start(i)
	if !c.servers[i].ReadyForConnections(patience) {
		c.t.Fatalf("node %d takes no connections", i)
	}
	c.AwaitReady()
}

// Stop stops a node, if it runs, and with it all connections to it.
func (c *Cluster) Stop(i int) {
	if s := c.servers[i]; s != nil {
		c.servers[i] = nil
		s.Shutdown()
		s.WaitForShutdown()
	}
}

// AwaitReady waits until the running nodes know each other and one of them leads them,
// so that streams can be made.
func (c *Cluster) AwaitReady() {
	c.t.Helper()
	Await(c.t, "the cluster takes streams", func() bool {
		running, known := 0, 0
		for _, s := range c.servers {
			if s == nil {
				continue
			}
			if running++; !s.JetStreamIsCurrent() {
				return false
			}
			if s.JetStreamIsLeader() {
				known = len(s.JetStreamClusterPeers())
			}
		}
		return known >= running
	})
}

// Holder returns the node that holds a stream without replicas, once there is one.
func (c *Cluster) Holder(stream string) (holder int) {
	c.t.Helper()
	Await(c.t, "a node holds "+stream, func() bool {
		for i, s := range c.servers {
			if s != nil && s.JetStreamIsStreamLeader(server.DEFAULT_GLOBAL_ACCOUNT, stream) {
				holder = i
				return true
			}
		}
		return false
	})
	return holder
}

// Connect returns a new connection to one node, or to any if that stops. It is closed
// when the test ends.
func (c *Cluster) Connect(i int, opts ...nats.Option) *nats.Conn {
	c.t.Helper()
	var urls []string
	for k := range c.options {
		urls = append(urls, fmt.Sprintf("nats://127.0.0.1:%d", c.options[(i+k)%clusterSize].Port))
	}
	opts = append([]nats.Option{nats.DontRandomize(), nats.MaxReconnects(-1), nats.ReconnectWait(quick)}, opts...)
	nc, err := nats.Connect(strings.Join(urls, ","), opts...)
	if err != nil {
		c.t.Fatalf("connect to node %d: %v", i, err)
	}
	c.t.Cleanup(nc.Close)
	return nc
}
