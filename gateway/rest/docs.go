package rest

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/swaggest/swgui/v5/static"
)

// docsFiles are the page of the documentation and what is ours of its look.
//
//go:embed docs
var docsFiles embed.FS

// pagePolicy allows a page nothing from elsewhere and no script or style inside itself.
// Swagger UI's style sheet has its icons in data addresses.
const pagePolicy = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// asset is a file of the documentation, ready to send.
type asset struct {
	contentType string
	tag         string
	plain, gzip []byte // gzip is nil for files that do not shrink
	page        bool
}

// docsRoutes returns the routes of the documentation: our page, and the parts of
// Swagger UI that it uses, which are compiled in.
func docsRoutes() ([]*route, error) {
	own, err := fs.Sub(docsFiles, "docs")
	if err != nil {
		return nil, fmt.Errorf("open documentation: %w", err)
	}
	routes := []*route{{pattern: "/docs", methods: reading, page: true, answer: redirectToDocs}}
	for _, file := range []struct {
		from    fs.FS
		name    string
		pattern string
	}{
		{own, "index.html", "/docs/{$}"},
		{own, "docs.js", "/docs/docs.js"},
		{own, "docs.css", "/docs/docs.css"},
		{static.FS, "swagger-ui.css.gz", "/docs/swagger-ui.css"},
		{static.FS, "swagger-ui-bundle.js.gz", "/docs/swagger-ui-bundle.js"},
		{static.FS, "favicon-32x32.png", "/docs/favicon-32x32.png"},
	} {
		a, err := loadAsset(file.from, file.name)
		if err != nil {
			return nil, fmt.Errorf("open documentation: %w", err)
		}
		routes = append(routes, &route{pattern: file.pattern, methods: reading, page: a.page, answer: a.answer})
	}
	return routes, nil
}

// contentTypes are those of the files there are.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".png":  "image/png",
}

func loadAsset(from fs.FS, name string) (*asset, error) {
	content, err := fs.ReadFile(from, name)
	if err != nil {
		return nil, err
	}
	a := &asset{plain: content}
	bare, zipped := strings.CutSuffix(name, ".gz")
	if zipped {
		a.gzip = content
		a.plain = nil
	}
	sum := sha256.Sum256(content)
	// Weak, since the file is the same whether it is compressed on its way or not.
	a.tag = `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	a.contentType = contentTypes[path.Ext(bare)]
	a.page = path.Ext(bare) == ".html"
	return a, nil
}

func (a *asset) answer(_ context.Context, w http.ResponseWriter, r *http.Request) (int, error) {
	h := w.Header()
	h["Cache-Control"] = []string{"no-cache"} // a new version of the program may bring new files
	h["X-Content-Type-Options"] = []string{"nosniff"}
	h["Etag"] = []string{a.tag}
	if a.page {
		h["Content-Security-Policy"] = []string{pagePolicy}
		h["X-Frame-Options"] = []string{"DENY"}
		h["Referrer-Policy"] = []string{"no-referrer"}
	}
	body := a.plain
	if a.gzip != nil {
		h["Vary"] = []string{"Accept-Encoding"}
		var err error
		if body, err = a.encoded(h, r); err != nil {
			return 0, err
		}
	}
	if anyTag(r.Header["If-None-Match"], strings.TrimPrefix(a.tag, "W/")) {
		w.WriteHeader(http.StatusNotModified)
		return http.StatusNotModified, nil
	}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	h["Content-Type"] = []string{a.contentType}
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body) // a caller that left cannot be told
	return http.StatusOK, nil
}

// encoded returns the compressed file to a caller that takes it, as browsers do, and
// unpacks it for others.
func (a *asset) encoded(h http.Header, r *http.Request) ([]byte, error) {
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h["Content-Encoding"] = []string{"gzip"}
		return a.gzip, nil
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(a.gzip))
	if err != nil {
		return nil, fmt.Errorf("unpack documentation: %w", err)
	}
	body, err := io.ReadAll(unpacked)
	if err != nil {
		return nil, fmt.Errorf("unpack documentation: %w", err)
	}
	return body, nil
}

// redirectToDocs leads people who open the gateway in a browser to the documentation.
func redirectToDocs(_ context.Context, w http.ResponseWriter, _ *http.Request) (int, error) {
	h := w.Header()
	h["Location"] = []string{"/docs/"}
	h["Cache-Control"] = noStore
	h["Content-Length"] = []string{"0"}
	w.WriteHeader(http.StatusFound)
	return http.StatusFound, nil
}
