package main

import (
	"context"
	"net"
	"strings"

	"github.com/seed-649d3d38/heddle/bench/process"
)

// redisServer is the program of Debian's package redis-server.
const redisServer = "/usr/bin/redis-server"

// startRedis starts a Redis server that keeps nothing on disk and returns its address.
func (b *bench) startRedis(ctx context.Context, s *stage) (address string, err error) {
	return b.startRedisWith(ctx, s, "--appendonly", "no", "--dir", b.dir)
}

// startRedisWith starts a Redis server with options and returns its address.
func (b *bench) startRedisWith(ctx context.Context, s *stage, options ...string) (address string, err error) {
	address, err = freePort(ctx)
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	_, _, err = s.start(ctx, process.Command{Path: redisServer, Env: b.env, Args: append([]string{
		"--bind", "127.0.0.1", "--port", port, "--save", "",
	}, options...)}, func(line string) (string, bool) { return "", strings.Contains(line, "Ready to accept connections") })
	return address, err
}

// freePort returns an address on loopback that nobody listens on, for a program that
// cannot choose one itself.
func freePort(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", anyPort)
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
