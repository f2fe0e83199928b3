package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// architectures are those that images are built for.
var architectures = []string{"amd64", "arm64"}

// user is who programs run as in containers, by number, so that Kubernetes can tell that
// it is not root.
const user = "65532:65532"

// base returns an image with nothing but what static programs look for: certificate
// authorities, time zones, a user that is not root, and a folder for temporary files. All of
// it comes from pinned Go modules and the Go distribution, so it is the same everywhere.
func base() (v1.ImageIndex, error) {
	layer, err := baseLayer()
	if err != nil {
		return nil, fmt.Errorf("make the base image: %w", err)
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, architecture := range architectures {
		image, err := mutate.AppendLayers(mutate.MediaType(empty.Image, types.OCIManifestSchema1), layer)
		if err != nil {
			return nil, err
		}
		image, err = mutate.ConfigFile(mutate.ConfigMediaType(image, types.OCIConfigJSON), &v1.ConfigFile{
			OS: "linux", Architecture: architecture,
			Config: v1.Config{
				User: user, WorkingDir: "/",
				Env: []string{
					"PATH=/ko-app", "HOME=/home/nonroot",
					"SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt", "ZONEINFO=/usr/share/zoneinfo.zip",
				},
			},
			RootFS: rootFS(image),
		})
		if err != nil {
			return nil, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}},
		}).(v1.ImageIndex)
	}
	return index, nil
}

// rootFS returns the list of layers of an image, which a new configuration must repeat.
func rootFS(image v1.Image) v1.RootFS {
	config, err := image.ConfigFile()
	if err != nil {
		return v1.RootFS{Type: "layers"} // of an image in memory: cannot be
	}
	return config.RootFS
}

// baseLayer returns the files of the base image, all of them from the beginning of time.
func baseLayer() (v1.Layer, error) {
	zones, err := os.ReadFile(filepath.Join(runtime.GOROOT(), "lib", "time", "zoneinfo.zip")) //nolint:staticcheck // it runs where it was built
	if err != nil {
		return nil, err
	}
	var files bytes.Buffer
	w := tar.NewWriter(&files)
	for _, f := range []tar.Header{
		{Name: "etc/", Mode: 0o755}, {Name: "etc/ssl/", Mode: 0o755}, {Name: "etc/ssl/certs/", Mode: 0o755},
		{Name: "home/", Mode: 0o755}, {Name: "home/nonroot/", Mode: 0o700, Uid: 65532, Gid: 65532},
		{Name: "tmp/", Mode: 0o1777}, {Name: "usr/", Mode: 0o755}, {Name: "usr/share/", Mode: 0o755},
	} {
		f.Typeflag = tar.TypeDir
		if err := w.WriteHeader(&f); err != nil {
			return nil, err
		}
	}
	for _, f := range []struct {
		name    string
		content []byte
	}{
		{"etc/passwd", []byte("root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n")},
		{"etc/group", []byte("root:x:0:\nnonroot:x:65532:\n")},
		{"etc/ssl/certs/ca-certificates.crt", authorities()},
		{"usr/share/zoneinfo.zip", zones},
	} {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.content))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(files.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer))
}

// authorities returns the certificate authorities that Mozilla trusts without conditions.
func authorities() []byte {
	var all []string
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			all = append(all, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})))
		}
	}
	slices.Sort(all)
	return []byte(strings.Join(all, ""))
}
