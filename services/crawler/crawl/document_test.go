package crawl_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/crawler/crawl"
)

// answer returns a handler that answers with the header and the body. An empty type
// means no Content-Type at all.
func answer(contentType string, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		io.WriteString(w, body)
	}
}

func TestContentTypes(t *testing.T) {
	t.Parallel()
	const page = "<!DOCTYPE html><a href=x>"
	tests := []struct {
		contentType, body, want string
		links                   int
	}{
		{"text/html", page, "text/html", 1},
		{"Text/HTML; Charset=\"utf-8\"", page, "text/html", 1},
		{"text/html;;charset", page, "text/html", 1},
		{"application/xhtml+xml", page, "application/xhtml+xml", 1},
		{"text/plain", page, "text/plain", 0},
		{"application/json", "{}", "application/json", 0},
		{"image/png", page, "image/png", 0},
		{"", page, "text/html", 1},
		{"", "just text", "text/plain", 0},
		{"", "", "", 0},
		{"nonsense type", page, "text/html", 1},
	}
	for _, tt := range tests {
		site := serve(t, answer(tt.contentType, tt.body))
		result := fetch(t, newCrawler(t, crawl.Config{}), site.URL)
		if result.ContentType != tt.want || len(result.Links) != tt.links || result.Status != 200 || result.Truncated {
			t.Errorf("type %q, body %q: the result is %+v, want the type %q and %d links", tt.contentType, tt.body, result, tt.want, tt.links)
		}
	}
}

func encode(t *testing.T, e encoding.Encoding, s string) string {
	t.Helper()
	encoded, err := e.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func TestCharsets(t *testing.T) {
	t.Parallel()
	const (
		russian  = "<title>Привет</title><a href='/я?q=я'>мир</a>"
		japanese = "<title>こんにちは</title><a href='/世?q=世'>世界</a>"
		french   = "<title>déjà</title><a href='/é?q=é'>vu – €</a>"
	)
	ascii := strings.Repeat("<!-- padding in ASCII -->", 100)
	utf16 := unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	tests := []struct {
		name, contentType, body string
		title, text, path       string
	}{
		{"windows-1251 by header", "text/html; charset=windows-1251", encode(t, charmap.Windows1251, russian),
			"Привет", "мир", "/%D1%8F?q=%FF"},
		{"windows-1251 by meta", "text/html", encode(t, charmap.Windows1251, "<meta charset=windows-1251>"+russian),
			"Привет", "мир", "/%D1%8F?q=%FF"},
		{"koi8-r by http-equiv", "text/html", encode(t, charmap.KOI8R, `<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">`+russian),
			"Привет", "мир", "/%D1%8F?q=%D1"},
		{"header before meta", "text/html; charset=windows-1251", encode(t, charmap.Windows1251, "<meta charset=utf-8>"+russian),
			"Привет", "мир", "/%D1%8F?q=%FF"},
		{"shift_jis", "text/html; charset=shift_jis", encode(t, japaneseShiftJIS, japanese),
			"こんにちは", "世界", "/%E4%B8%96?q=%90%A2"},
		{"utf-16 by byte order mark", "text/html; charset=windows-1251", encode(t, utf16, japanese),
			"こんにちは", "世界", "/%E4%B8%96?q=%E4%B8%96"},
		{"utf-16le by header", "text/html; charset=utf-16le", encode(t, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), japanese),
			"こんにちは", "世界", "/%E4%B8%96?q=%E4%B8%96"},
		{"utf-8 by byte order mark", "text/html; charset=windows-1251", "\uFEFF" + japanese,
			"こんにちは", "世界", "/%E4%B8%96?q=%E4%B8%96"},
		{"utf-8 undeclared", "text/html", japanese,
			"こんにちは", "世界", "/%E4%B8%96?q=%E4%B8%96"},
		{"utf-8 undeclared, late", "text/html", ascii + japanese,
			"こんにちは", "世界", "/%E4%B8%96?q=%E4%B8%96"},
		{"windows-1252 undeclared", "text/html", encode(t, charmap.Windows1252, french),
			"déjà", "vu – €", "/%C3%A9?q=%E9"},
		{"latin-1 declared means windows-1252", "text/html", encode(t, charmap.Windows1252, "<meta charset=iso-8859-1>"+ascii+french),
			"déjà", "vu – €", "/%C3%A9?q=%E9"},
		{"unknown charset", "text/html; charset=klingon", french,
			"déjà", "vu – €", "/%C3%A9?q=%C3%A9"},
		{"not utf-8 after all", "text/html; charset=utf-8", "<title>d\xe9</title><a href='/\xe9'>\xff</a>",
			"d\uFFFD", "\uFFFD", "/%EF%BF%BD"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			site := serve(t, answer(tt.contentType, tt.body))
			result := fetch(t, newCrawler(t, crawl.Config{}), site.URL)
			want := []contract.Link{{URL: site.URL + tt.path, Text: tt.text}}
			if result.Title != tt.title || !reflect.DeepEqual(result.Links, want) {
				t.Errorf("the result is %q, %+v, want %q, %+v", result.Title, result.Links, tt.title, want)
			}
		})
	}
}

var japaneseShiftJIS = japanese.ShiftJIS

func TestPageSize(t *testing.T) {
	t.Parallel()
	const first, second = "<a href=/1>one</a>", "<a href=/2>two</a>"
	page := first + strings.Repeat(" ", 2000) + second
	tests := []struct {
		name      string
		size      int64
		links     int
		truncated bool
	}{
		{"all", int64(len(page)), 2, false},
		{"all and more", int64(len(page)) + 1, 2, false},
		{"all but the last byte", int64(len(page)) - 1, 2, true},
		{"half", 1000, 1, true},
		{"one byte", 1, 0, true},
	}
	site := serve(t, html(page))
	for _, tt := range tests {
		result := fetch(t, newCrawler(t, crawl.Config{PageSize: tt.size}), site.URL)
		if len(result.Links) != tt.links || result.Truncated != tt.truncated {
			t.Errorf("%s: %d links, truncated %t, want %d, %t", tt.name, len(result.Links), result.Truncated, tt.links, tt.truncated)
		}
	}
}

func TestEndlessPage(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		for {
			if _, err := io.WriteString(w, "<a href=/x>x</a><!-- and so on -->"); err != nil {
				return
			}
		}
	})
	if result := fetch(t, newCrawler(t, crawl.Config{}), site.URL); len(result.Links) != 1 || !result.Truncated {
		t.Errorf("the result is %+v, want one link, truncated", result)
	}
}

func TestGzip(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("the crawler accepts %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		io.WriteString(z, "<a href=/x>")
		if r.URL.Path == "/bomb" {
			io.WriteString(z, strings.Repeat(" ", 4<<20))
		}
		_ = z.Close() // fails if the crawler has hung up
	})
	crawler := newCrawler(t, crawl.Config{PageSize: 64 << 10})
	if result := fetch(t, crawler, site.URL+"/page"); len(result.Links) != 1 || result.Truncated {
		t.Errorf("the result of a small page is %+v", result)
	}
	// 4 MiB in 4 KiB: the limit counts what comes out.
	if result := fetch(t, crawler, site.URL+"/bomb"); len(result.Links) != 1 || !result.Truncated {
		t.Errorf("the result of a bomb is %+v", result)
	}
}

func TestContentEncodings(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"br", "deflate", "gzip, gzip"} {
		site := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", name)
			html("<a href=x>")(w, r)
		})
		_, err := newCrawler(t, crawl.Config{}).Links(t.Context(), contract.LinksRequest{URL: site.URL})
		wantFault(t, err, contract.CodeUpstream, "content encoding that was not asked for")
	}
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "identity")
		html("<a href=x>")(w, r)
	})
	if result := fetch(t, newCrawler(t, crawl.Config{}), site.URL); len(result.Links) != 1 {
		t.Errorf("the result is %+v, want one link", result)
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	site := serve(t, html("<a href=/1>1</a><a href=/1>again</a><a href=mailto:x@y.z><a href=/2>2</a><a href=/3>3</a><a href=/1>"))
	crawler := newCrawler(t, crawl.Config{})
	tests := []struct {
		limit, links int
		truncated    bool
	}{
		{0, 3, false}, {1, 1, true}, {2, 2, true}, {3, 3, false}, {4, 3, false},
	}
	for _, tt := range tests {
		result, err := crawler.Links(t.Context(), contract.LinksRequest{URL: site.URL, Limit: tt.limit})
		if err != nil || len(result.Links) != tt.links || result.Truncated != tt.truncated {
			t.Errorf("limit %d: %+v, %v, want %d links, truncated %t", tt.limit, result, err, tt.links, tt.truncated)
		}
	}
}

func TestFirstTextOfALink(t *testing.T) {
	t.Parallel()
	result, site := fetchPage(t, "<a href=/1 rel=a></a><a href=/1 rel=b>one</a><a href=/1>two</a>")
	if want := []contract.Link{{URL: site.URL + "/1", Text: "one", Rel: "a"}}; !reflect.DeepEqual(result.Links, want) {
		t.Errorf("the links are %+v, want %+v", result.Links, want)
	}
}

func TestBasesThatAreNone(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"javascript:x", "data:text/html,x", "http://a b/", ""} {
		result, site := fetchPage(t, "<base href='"+base+"'><a href=x>")
		if got := addresses(result, site); !reflect.DeepEqual(got, []string{"/dir/x"}) {
			t.Errorf("base %q: the links are %q", base, got)
		}
	}
}

// However small a page is, its links may be long, because each repeats the base, and
// have texts that take six bytes a character in JSON.
func TestResultsAreBounded(t *testing.T) {
	t.Parallel()
	base := "<base href='http://example.com/" + strings.Repeat("x", 8000) + "/'>"
	text := strings.Repeat("&amp;&lt;", 300)
	var short, long strings.Builder
	long.WriteString(base)
	for i := range 1600 {
		fmt.Fprintf(&short, "<a href=%d>%s</a>", i, text)
		fmt.Fprintf(&long, "<a href=%d>", i)
	}
	for _, page := range []string{short.String(), long.String()} {
		result, _ := fetchPage(t, page)
		encoded, err := json.Marshal(result)
		if err != nil {
			t.Fatal(err)
		}
		if !result.Truncated || len(encoded) > crawl.MaxResult+1<<20 || len(encoded) < crawl.MaxResult/2 {
			t.Errorf("%d links take %d bytes, truncated %t", len(result.Links), len(encoded), result.Truncated)
		}
	}
}
