package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/seed-649d3d38/heddle/bench/process"
)

// postgresPrograms is where Debian's package postgresql has its programs.
func postgresPrograms() (dir string, ok bool) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(found) == 0 {
		return "", false
	}
	return found[len(found)-1], true
}

// startPostgres starts PostgreSQL with its default settings on an empty folder and returns
// the URL of a database.
func (b *bench) startPostgres(ctx context.Context, s *stage, programs string) (url string, err error) {
	dir, err := os.MkdirTemp("", "heddle-bench-postgres-")
	if err != nil {
		return "", err
	}
	b.folders = append(b.folders, dir)
	asUser, err := b.unprivileged(dir)
	if err != nil {
		return "", err
	}
	initdb := append(asUser, filepath.Join(programs, "initdb"), "--auth=trust", "--username=bench", "--pgdata="+dir)
	if _, err := command(ctx, dir, initdb[0], initdb[1:]...); err != nil {
		return "", err
	}
	address, err := freePort(ctx)
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	server := append(asUser, filepath.Join(programs, "postgres"), "-D", dir, "-h", "127.0.0.1", "-p", port, "-c", "unix_socket_directories=")
	_, _, err = s.start(ctx, process.Command{Path: server[0], Args: server[1:], Env: b.env}, func(line string) (string, bool) {
		return "", strings.Contains(line, "ready to accept connections")
	})
	return "postgres://bench@" + address + "/postgres?sslmode=disable", err
}

// unprivileged returns what runs a program as the user postgres, to whom it gives the
// folder, where this one runs as root: PostgreSQL refuses to.
func (b *bench) unprivileged(dir string) ([]string, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	if err := os.Chown(dir, uid, -1); err != nil {
		return nil, fmt.Errorf("give folder to postgres: %w", err)
	}
	return []string{"/usr/bin/setpriv", "--reuid=" + u.Uid, "--regid=" + u.Gid, "--clear-groups"}, nil
}
