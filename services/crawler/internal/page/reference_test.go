package page_test

import (
	"strings"
	"unicode"

	"golang.org/x/net/html"

	"github.com/seed-649d3d38/heddle/services/crawler/internal/page"
)

// reference does what page.Scan does with the tokenizer of golang.org/x/net/html, in a
// simple way and without limits.
func reference(s string) page.Page {
	r := &referenceScanner{z: html.NewTokenizer(strings.NewReader(s))}
	for {
		switch r.z.Next() {
		case html.ErrorToken:
			r.close()
			return r.page
		case html.TextToken:
			r.readText(string(r.z.Text()))
		case html.StartTagToken:
			r.startTag(r.z.Token())
		case html.SelfClosingTagToken:
			r.startTag(r.z.Token())
		case html.EndTagToken:
			r.endTag(r.z.Token())
		}
	}
}

type referenceScanner struct {
	z       *html.Tokenizer
	page    page.Page
	raw     string // the element whose raw text comes next
	titled  bool
	based   bool
	foreign int
	open    bool
	at      int
	text    string
	alt     string
}

func (r *referenceScanner) readText(s string) {
	switch {
	case r.raw == "title" && r.foreign == 0 && !r.titled:
		r.page.Title = words(s)
	case r.raw == "" && r.open:
		r.text += s
	}
}

func (r *referenceScanner) startTag(t html.Token) {
	selfClosing := t.Type == html.SelfClosingTagToken
	r.leaveRaw()
	switch t.Data {
	case "a":
		r.close()
		if href, ok := attribute(t, "href"); ok {
			rel, _ := attribute(t, "rel")
			r.open, r.at = true, len(r.page.Anchors)
			r.page.Anchors = append(r.page.Anchors, page.Anchor{Href: href, Rel: words(rel)})
		}
	case "area":
		if href, ok := attribute(t, "href"); ok {
			rel, _ := attribute(t, "rel")
			alt, _ := attribute(t, "alt")
			r.page.Anchors = append(r.page.Anchors, page.Anchor{Href: href, Rel: words(rel), Text: words(alt)})
		}
	case "base":
		if href, ok := attribute(t, "href"); ok && !r.based {
			r.page.Base, r.based = href, true
		}
	case "img":
		if alt, ok := attribute(t, "alt"); ok {
			r.alt += " " + alt
		}
	case "br", "div", "p":
		r.text += " "
	case "svg":
		if !selfClosing {
			r.foreign++
		}
	case "noscript":
		r.z.NextIsNotRawText()
	case "script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "plaintext":
		if r.foreign > 0 && selfClosing {
			r.z.NextIsNotRawText()
		} else {
			r.raw = t.Data
		}
	}
}

func (r *referenceScanner) endTag(t html.Token) {
	r.leaveRaw()
	switch t.Data {
	case "a":
		r.close()
	case "br", "div", "p":
		r.text += " "
	case "svg":
		r.foreign = max(0, r.foreign-1)
	}
}

func (r *referenceScanner) leaveRaw() {
	if r.raw == "title" && r.foreign == 0 {
		r.titled = true
	}
	r.raw = ""
}

func (r *referenceScanner) close() {
	if r.open {
		text := words(r.text)
		if text == "" {
			text = words(r.alt)
		}
		r.page.Anchors[r.at].Text = text
	}
	r.open, r.text, r.alt = false, "", ""
}

func attribute(t html.Token, name string) (string, bool) {
	for _, a := range t.Attr {
		if a.Key == name {
			return strings.ToValidUTF8(a.Val, "\uFFFD"), true
		}
	}
	return "", false
}

func words(s string) string {
	valid := string([]rune(s)) // makes every byte that is not UTF-8 a U+FFFD
	return strings.Join(strings.FieldsFunc(valid, func(c rune) bool {
		return unicode.IsSpace(c) || unicode.IsControl(c)
	}), " ")
}
