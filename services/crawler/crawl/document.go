package crawl

import (
	"bufio"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"

	"github.com/seed-649d3d38/heddle/services/crawler/internal/page"
)

// prefixSize is how much of a page is looked at to find out its type and encoding, as
// in browsers, in bytes.
const prefixSize = 1024

// errEncoding is the error of a body that is compressed in a way that was not asked for.
var errEncoding = errors.New("content encoding not asked for")

// document is a response that has been read.
type document struct {
	mediaType string // without parameters, empty if unknown
	page      page.Page
	truncated bool
	query     *encoding.Encoder // what queries of its links are written in
}

// readDocument reads the response's body if it is a page of HTML with a status that
// says so.
func (c *Crawler) readDocument(response *http.Response) (document, error) {
	contentType := response.Header.Get("Content-Type")
	d := document{mediaType: mediaType(contentType)}
	if response.StatusCode < 200 || response.StatusCode > 299 || d.mediaType != "" && !isHTML(d.mediaType) {
		return d, nil
	}
	if e := response.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return d, errEncoding
	}
	part := &capped{r: response.Body, left: c.pageSize}
	body := bufio.NewReader(part)
	prefix, err := body.Peek(prefixSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return d, err
	}
	if d.mediaType == "" && len(prefix) > 0 {
		if d.mediaType = mediaType(http.DetectContentType(prefix)); !isHTML(d.mediaType) {
			return d, nil
		}
	}
	from := encodingOf(prefix, contentType)
	d.query = from.queryEncoder()
	d.page, err = page.Scan(from.reader(body))
	d.truncated = part.cut || d.page.Truncated
	return d, err
}

// mediaType returns the type without parameters in lower case, or nothing if it is not
// well-formed.
func mediaType(contentType string) string {
	// Parameters are often broken; only the type matters here.
	kind, _, _ := strings.Cut(contentType, ";")
	kind, _, err := mime.ParseMediaType(kind)
	if err != nil {
		return ""
	}
	return kind
}

func isHTML(mediaType string) bool {
	return mediaType == "text/html" || mediaType == "application/xhtml+xml"
}

// pageEncoding is the encoding of a page.
type pageEncoding struct {
	encoding encoding.Encoding
	name     string // as in the Encoding Standard
}

// encodingOf returns the encoding of a page: by its byte order mark, its Content-Type,
// its meta element, or else UTF-8 if its beginning may be that, and Windows-1252
// otherwise.
func encodingOf(prefix []byte, contentType string) pageEncoding {
	if isASCII(prefix) {
		// Package charset would take a page that declares nothing and begins in ASCII
		// for Windows-1252. One character of UTF-8 leads it to what most pages are.
		prefix = append([]byte("é"), prefix...)
	}
	e, name, _ := charset.DetermineEncoding(prefix, contentType)
	return pageEncoding{encoding: e, name: name}
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// reader returns r in UTF-8. What is UTF-8 already is not checked.
func (e pageEncoding) reader(r io.Reader) io.Reader {
	if e.name == "utf-8" {
		return r
	}
	return e.encoding.NewDecoder().Reader(r)
}

// queryEncoder returns the encoder for the queries of a page's links, as the URL
// Standard has it: that of the page, with characters that it lacks as numbers, and
// UTF-8 (nil) for pages in Unicode.
func (e pageEncoding) queryEncoder() *encoding.Encoder {
	if strings.HasPrefix(e.name, "utf-") || e.name == "replacement" {
		return nil
	}
	return encoding.HTMLEscapeUnsupported(e.encoding.NewEncoder())
}

// capped reads up to a number of bytes and remembers whether there were more.
type capped struct {
	r    io.Reader
	left int64
	cut  bool
}

// Read reads the next part.
func (c *capped) Read(b []byte) (int, error) {
	if c.cut {
		return 0, io.EOF
	}
	if c.left == 0 {
		var probe [1]byte
		n, err := io.ReadFull(c.r, probe[:])
		if n == 0 {
			return 0, err
		}
		c.cut = true
		return 0, io.EOF
	}
	n, err := c.r.Read(b[:min(int64(len(b)), c.left)])
	c.left -= int64(n)
	return n, err
}
