package crawl

import (
	"context"
	"unicode/utf8"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/crawler/internal/page"
	"github.com/seed-649d3d38/heddle/services/crawler/internal/weburl"
)

// maxResult bounds the links of a result, in bytes of JSON. It is what a page with as many
// links as its limit allows may have, while 64 pages at once still fit into the memory that
// an instance has by default.
const maxResult = 4 << 20

// linkOverhead is what a link takes in JSON besides its characters:
// {"url":"","text":"","rel":""} and a comma.
const linkOverhead = 30

// Links fetches a page and returns its links. A page that cannot be fetched is an
// error: [contract.CodeInvalidArgument] when the address is none, [contract.CodeForbidden]
// when it or an address it redirects to may not be fetched from, [contract.CodeUpstream]
// when the site fails, and the context's own error when that is over. A page with a
// status other than 2xx or a type other than HTML is a result without links.
func (c *Crawler) Links(ctx context.Context, request contract.LinksRequest) (contract.LinksResult, error) {
	if err := request.Validate(); err != nil {
		return contract.LinksResult{}, err
	}
	start, err := weburl.Parse(request.URL)
	if err != nil {
		return contract.LinksResult{}, contract.Invalid("url", "%v", err)
	}
	fetching, cancel := context.WithTimeout(ctx, c.totalTime)
	defer cancel()
	result, err := c.links(fetching, request, start)
	if err != nil {
		return contract.LinksResult{}, c.explain(ctx, fetching, err)
	}
	return result, nil
}

func (c *Crawler) links(ctx context.Context, request contract.LinksRequest, start weburl.URL) (contract.LinksResult, error) {
	response, at, err := c.fetch(ctx, start)
	if err != nil {
		return contract.LinksResult{}, err
	}
	defer response.Body.Close()
	d, err := c.readDocument(response)
	if err != nil {
		return contract.LinksResult{}, &fault{at: at, err: err}
	}
	found := collect(ctx, at.url, d, request.Limit)
	if ctx.Err() != nil {
		return contract.LinksResult{}, &fault{at: at, err: ctx.Err()}
	}
	return contract.LinksResult{
		URL:         request.URL,
		FinalURL:    at.url.String(),
		Status:      response.StatusCode,
		ContentType: d.mediaType,
		Title:       d.page.Title,
		Links:       found.links,
		Truncated:   d.truncated || found.full,
	}, nil
}

// collection gathers links without duplicates, up to limits.
type collection struct {
	links []contract.Link
	at    map[string]int // the place of each address in links
	limit int            // 0: none
	size  int
	full  bool // there were more links than the limits allow
}

// collect makes links of the anchors of a page: those that lead to a page of the web.
// It ends early when the context is over.
func collect(ctx context.Context, at weburl.URL, d document, limit int) *collection {
	references := weburl.Resolver{Base: at, Query: d.query}
	if base, err := references.Resolve(d.page.Base); err == nil {
		references.Base = base
	}
	c := &collection{links: []contract.Link{}, at: make(map[string]int), limit: limit}
	for _, a := range d.page.Anchors {
		if c.full || ctx.Err() != nil {
			break
		}
		if u, err := references.Resolve(a.Href); err == nil {
			c.add(u.String(), a)
		}
	}
	return c
}

// add appends the link if it is new. Often an image and a title lead to the same
// place, so a link without text takes that of the next one to its address.
func (c *collection) add(address string, a page.Anchor) {
	if i, seen := c.at[address]; seen {
		if link := &c.links[i]; link.Text == "" && c.take(jsonSize(a.Text)) {
			link.Text = a.Text
		}
		return
	}
	link := contract.Link{URL: address, Text: a.Text, Rel: a.Rel}
	if c.limit > 0 && len(c.links) == c.limit || !c.take(linkOverhead+jsonSize(link.URL)+jsonSize(link.Text)+jsonSize(link.Rel)) {
		c.full = true
		return
	}
	c.at[address] = len(c.links)
	c.links = append(c.links, link)
}

// take takes room for the bytes and reports whether there was any.
func (c *collection) take(bytes int) bool {
	if c.size+bytes > maxResult {
		return false
	}
	c.size += bytes
	return true
}

// jsonSize returns the most bytes that a JSON encoder makes of the text between its
// quotes. Encoders may write characters that have a meaning in HTML as \u0026.
func jsonSize(s string) int {
	n := 0
	for _, c := range s {
		switch {
		case c == '"', c == '\\':
			n += len(`\"`)
		case c < ' ', c == 0x7f, c == '<', c == '>', c == '&', c == '\u2028', c == '\u2029', c == utf8.RuneError:
			n += len(`\u0026`)
		default:
			n += utf8.RuneLen(c)
		}
	}
	return n
}
