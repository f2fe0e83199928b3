// Command images builds the container images of Heddle's programs with ko, on a base image
// of its own, and pushes them to a registry, or writes them as archives for clusters that
// have none. It needs Go and nothing else: no Docker, no network but for modules. Run it
// in the root of the repository as make does:
//
//	make images REGISTRY=registry.example.com/heddle
//	make images-archive
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/seed-649d3d38/heddle/internal/program"
)

// maxSize is the largest image in bytes, as it is pulled.
const maxSize = 25e6

// build is what is asked for.
type build struct {
	ko       string // the program
	registry string // where to push to; empty for the one in this process
	version  string
	archives string // the folder for archives; empty for none
	arch     string // of archives
	listen   string // where the base image is served; images name it
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var b build
	flag.StringVar(&b.ko, "ko", "ko", "the program ko")
	flag.StringVar(&b.registry, "registry", "", "push to this registry, such as registry.example.com/heddle")
	flag.StringVar(&b.version, "version", program.Version, "version of the images")
	flag.StringVar(&b.archives, "archives", "", "write an archive of each image into this folder")
	flag.StringVar(&b.arch, "arch", runtime.GOARCH, "architecture of the archives")
	flag.StringVar(&b.listen, "listen", "127.0.0.1:5603", "where to serve the base image meanwhile; ko writes the address into the images, so another one gives other digests")
	flag.Parse()
	if err := b.run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "images:", err)
		os.Exit(1)
	}
}

// run builds all images.
func (b build) run(ctx context.Context, out io.Writer) error {
	l, err := net.Listen("tcp", b.listen)
	if err != nil {
		return fmt.Errorf("serve the base image: %w; is another build running?", err)
	}
	local := &http.Server{Handler: registry.New(registry.Logger(log.New(io.Discard, "", 0)))}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = local.Serve(l) // until it is closed
	}()
	defer func() {
		_ = local.Close()
		<-served
	}()
	from := os.Getenv("KO_DEFAULTBASEIMAGE")
	if from == "" {
		from = b.listen + "/base:latest"
		if err := pushBase(ctx, from); err != nil {
			return err
		}
	}
	target := b.listen
	if b.registry != "" {
		target = b.registry
	}
	for _, p := range program.All() {
		built, err := b.build(ctx, target+"/"+p.Name, from, p)
		if err != nil {
			return err
		}
		if err := b.finish(ctx, out, p, built); err != nil {
			return err
		}
	}
	return nil
}

func pushBase(ctx context.Context, to string) error {
	image, err := base()
	if err != nil {
		return err
	}
	ref, err := name.ParseReference(to)
	if err != nil {
		return err
	}
	if err := remote.WriteIndex(ref, image, remote.WithContext(ctx)); err != nil {
		return fmt.Errorf("serve the base image: %w", err)
	}
	return nil
}

// build has ko build one program, and returns the image.
func (b build) build(ctx context.Context, repository, from string, p program.Program) (name.Digest, error) {
	label := func(key, value string) string { return "--image-label=org.opencontainers.image." + key + "=" + value }
	ko := exec.CommandContext(ctx, b.ko, "build", "--bare", "--sbom=spdx", "--tags="+b.version,
		label("title", p.Name), label("description", p.Summary), label("version", b.version),
		label("licenses", "Apache-2.0"), label("source", "https://github.com/seed-649d3d38/heddle"),
		"./"+p.Folder)
	ko.Env = append(os.Environ(), "KO_DOCKER_REPO="+repository, "KO_DEFAULTBASEIMAGE="+from, "HEDDLE_VERSION="+b.version)
	var said strings.Builder
	ko.Stderr = &said
	digest, err := ko.Output()
	if err != nil {
		return name.Digest{}, fmt.Errorf("build %s: %w\n%s", p.Name, err, said.String())
	}
	// With a tag and a digest, as ko prints it, only the digest counts.
	text := strings.TrimSpace(string(digest))
	at := strings.LastIndex(text, "@")
	if at < 0 {
		return name.Digest{}, fmt.Errorf("build %s: ko printed %q, want a digest", p.Name, text)
	}
	return name.NewDigest(repository + text[at:])
}

// finish looks at the size of an image for each architecture, says what was built, and
// writes the archive.
func (b build) finish(ctx context.Context, out io.Writer, p program.Program, built name.Digest) error {
	index, err := remote.Index(built, remote.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("look at %s: %w", p.Name, err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s/%s:%s@%s", program.Registry, p.Name, b.version, built.DigestStr())
	for _, m := range manifest.Manifests {
		image, err := index.Image(m.Digest)
		if err != nil {
			return err
		}
		size, err := sizeOf(image)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  %s %.1f MB", m.Platform.Architecture, float64(size)/1e6)
		if size > maxSize {
			return fmt.Errorf("%s for %s has %d bytes, more than %d", p.Name, m.Platform.Architecture, size, int64(maxSize))
		}
		if b.archives != "" && m.Platform.Architecture == b.arch {
			if err := b.archive(p, image); err != nil {
				return err
			}
		}
	}
	fmt.Fprintln(out)
	return nil
}

// sizeOf returns what is pulled of an image, in bytes.
func sizeOf(image v1.Image) (int64, error) {
	manifest, err := image.Manifest()
	if err != nil {
		return 0, err
	}
	size := manifest.Config.Size
	for _, l := range manifest.Layers {
		size += l.Size
	}
	return size, nil
}

// archive writes an image in the form that docker load, ctr images import and kind load
// image-archive take, under the name that the manifests have.
func (b build) archive(p program.Program, image v1.Image) error {
	tag, err := name.NewTag(program.Registry + "/" + p.Name + ":" + b.version)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(b.archives, 0o755); err != nil {
		return err
	}
	if err := tarball.WriteToFile(filepath.Join(b.archives, p.Name+".tar"), tag, image); err != nil {
		return fmt.Errorf("write archive of %s: %w", p.Name, err)
	}
	return nil
}
