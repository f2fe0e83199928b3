package rest_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestRedirectsToDocs(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	for _, target := range []string{"/", "/docs"} {
		r := s.get(target)
		if r.StatusCode != http.StatusFound || r.Header.Get("Location") != "/docs/" {
			t.Errorf("%s: status %d to %q", target, r.StatusCode, r.Header.Get("Location"))
		}
	}
}

// TestDocs reads the page as a browser would: everything it names is there, comes from
// here and has its type.
func TestDocs(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	r := s.get("/docs/")
	page := text(t, r)
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("status %d, content type %q", r.StatusCode, r.Header.Get("Content-Type"))
	}
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options":  "nosniff",
		"X-Frame-Options":         "DENY",
		"Referrer-Policy":         "no-referrer",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if strings.Contains(page, "//") || strings.Contains(page, "<style") || regexp.MustCompile(`<script[^>]*>[^<]`).MatchString(page) {
		t.Errorf("the page names another host or has a style or script inside: %s", page)
	}
	names := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(names) < 6 {
		t.Fatalf("the page names %v", names)
	}
	types := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".png": "image/png", "json": "application/json"}
	for _, name := range names {
		target := name[1]
		if !strings.HasPrefix(target, "/") {
			target = "/docs/" + target
		}
		plain := s.get(target)
		zipped := s.get(target, "Accept-Encoding", "gzip, br")
		for _, r := range []*http.Response{plain, zipped} {
			if want := types[target[strings.LastIndexAny(target, ".")+0:]]; r.StatusCode != http.StatusOK || want != "" && r.Header.Get("Content-Type") != want {
				t.Errorf("%s: status %d, content type %q", target, r.StatusCode, r.Header.Get("Content-Type"))
			}
			if r.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s may be sniffed", target)
			}
		}
		if zipped.Header.Get("Content-Encoding") == "gzip" {
			unpacked, err := gzip.NewReader(zipped.Body)
			if err != nil {
				t.Fatal(err)
			}
			zipped.Body = io.NopCloser(unpacked)
			zipped.Header.Del("Content-Length")
		}
		body := text(t, plain)
		content, err := io.ReadAll(zipped.Body)
		if err != nil || body == "" || string(content) != body {
			t.Errorf("%s: the compressed file differs: %v", target, err)
		}
		again := s.get(target, "If-None-Match", plain.Header.Get("Etag"))
		if again.StatusCode != http.StatusNotModified || text(t, again) != "" {
			t.Errorf("%s: asked with its entity tag it has status %d", target, again.StatusCode)
		}
	}
}
