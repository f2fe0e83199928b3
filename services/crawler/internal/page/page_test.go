package page_test

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/services/crawler/internal/page"
)

func ExampleScan() {
	p, err := page.Scan(strings.NewReader(`
		<TITLE>Books &amp; more</TITLE>
		<base href="/shop/">
		<!-- <a href="old">Old</a> -->
		<a href='book?id=1&amp;copy=2' rel=nofollow>The
			<b>first</b> book</a>
		<a href=cart><img src=cart.png alt="Your cart"></a>`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%q based on %q\n", p.Title, p.Base)
	for _, a := range p.Anchors {
		fmt.Printf("%q %q %q\n", a.Href, a.Text, a.Rel)
	}
	// Output:
	// "Books & more" based on "/shop/"
	// "book?id=1&copy=2" "The first book" "nofollow"
	// "cart" "Your cart" ""
}

func scan(t *testing.T, s string) page.Page {
	t.Helper()
	p, err := page.Scan(strings.NewReader(s))
	if err != nil {
		t.Fatalf("Scan: %v", err)
	}
	return p
}

func TestHrefs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		want     []string
	}{
		{"empty page", "", nil},
		{"double quotes", `<a href="x">`, []string{"x"}},
		{"single quotes", `<a href='x'>`, []string{"x"}},
		{"a quote inside the other quotes", `<a href="it's">`, []string{"it's"}},
		{"unquoted", `<a href=x>`, []string{"x"}},
		{"unquoted with a slash at its end", `<a href=x/>`, []string{"x/"}},
		{"upper case", `<A HREF="X">`, []string{"X"}},
		{"spaces around the equals sign", "<a href \n=\t 'x' >", []string{"x"}},
		{"other attributes around", `<a class="a>b" href=x data-y='z'>`, []string{"x"}},
		{"no space between attributes", `<a id="1"href="x">`, []string{"x"}},
		{"slashes between attributes", `<a/id="1"/href="x"/>`, []string{"x"}},
		{"slashes in an unquoted value", `<a/id=1/href="x"/>`, nil},
		{"the first of two", `<a href=x href=y>`, []string{"x"}},
		{"empty", `<a href="">`, []string{""}},
		{"without a value", `<a href>`, []string{""}},
		{"area", `<area href=x>`, []string{"x"}},
		{"entities", `<a href="?a=1&amp;b=2&#x26;c=3&#38;d&quot;">`, []string{`?a=1&b=2&c=3&d"`}},
		{"parameters that look like entities", `<a href="?a=1&copy=2&reg=3&ltx&notit;&lt">`, []string{"?a=1&copy=2&reg=3&ltx&notit;<"}},
		{"entities with semicolons", `<a href="&copy;=&semi;&bogus;&#0;">`, []string{"©=;&bogus;\uFFFD"}},
		{"an ampersand alone", `<a href="a & b&">`, []string{"a & b&"}},
		{"a line end within", "<a href='x\r\ny'>", []string{"x\ny"}},
		{"a NUL within", "<a href=x\x00y>", []string{"x\uFFFDy"}},
		{"bytes that are not UTF-8", "<a href=x\xffy>", []string{"x\uFFFDy"}},
		{"in a comment", `<!-- <a href=x> --><a href=y>`, []string{"y"}},
		{"after a short comment", `<!--><a href=x><!---><a href=y>`, []string{"x", "y"}},
		{"after a comment with a bang", `<!-- <a href=x> --!><a href=y>`, []string{"y"}},
		{"in a comment that never ends", `<a href=x><!-- <a href=y>`, []string{"x"}},
		{"after a bogus comment", `<!x <a href=x><a href=y></ <a href=z>`, []string{"y"}},
		{"in a processing instruction", `<?php <a href=x> ?><a href=y>`, []string{"y"}},
		{"in a script", `<script>s = "<a href=x>"</script><a href=y>`, []string{"y"}},
		{"in a hidden script", `<script><!-- <script> </script> <a href=x> --></script><a href=y>`, []string{"y"}},
		{"in a style", `<style><a href=x></style><a href=y>`, []string{"y"}},
		{"in a text area", `<textarea><a href=x></textarea ><a href=y>`, []string{"y"}},
		{"in a title", `<title><a href=x></title><a href=y>`, []string{"y"}},
		{"in a frame", `<iframe><a href=x></iframe><a href=y>`, []string{"y"}},
		{"in noscript", `<noscript><a href=x></noscript>`, []string{"x"}},
		{"after plain text begins", `<plaintext></plaintext><a href=x>`, nil},
		{"data-href", `<a data-href=x>`, nil},
		{"anchor without href, then a style sheet", `<a name=top></a><link rel=stylesheet href=x.css>`, nil},
		{"other elements with href", `<link href=x><abbr href=y><base href=z>`, nil},
		{"an element whose name begins with a", `<abc href=x>`, nil},
		{"a blank before the name", `< a href=x>`, nil},
		{"a tag that never ends", `<a href=x><a href="y`, []string{"x"}},
		{"a tag that the end of the page cuts off", `<a href=x><a href=y `, []string{"x"}},
		{"a tag inside a quoted value", `<p title="<a href=x>"><a href=y>`, []string{"y"}},
		{"SVG elements that close themselves", `<svg><title/><script/><a href=x></svg>`, []string{"x"}},
		{"an attribute beginning with an equals sign", `<a =href=x href=y>`, []string{"y"}},
	}
	for _, tt := range tests {
		var got []string
		for _, a := range scan(t, tt.in).Anchors {
			got = append(got, a.Href)
		}
		if !reflect.DeepEqual(got, tt.want) && len(got)+len(tt.want) > 0 {
			t.Errorf("%s: %q has %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in, want string
	}{
		{"plain", `<a href=x>one</a> two`, "one"},
		{"white space", "<a href=x>\n\t one \r\n &nbsp; two\x00\x01 </a>", "one two"},
		{"entities", `<a href=x>&lt;R&amp;D&gt; &copy 2026</a>`, "<R&D> © 2026"},
		{"elements inside", `<a href=x>o<b>n</b>e<br>two<div>three</div></a>`, "one two three"},
		{"a comment inside", `<a href=x>on<!-- -->e</a>`, "one"},
		{"a script inside", `<a href=x>one<script>two</script><style>three</style></a>`, "one"},
		{"a title inside a drawing inside", `<a href=x><svg><title>drawing</title></svg>one</a>`, "one"},
		{"an image", `<a href=x><img alt="  the\nimage "></a>`, `the\nimage`},
		{"two images", `<a href=x><img alt=a><img alt=b></a>`, "a b"},
		{"an image and text", `<a href=x><img alt=image> text</a>`, "text"},
		{"never closed", `<a href=x>one <p>two`, "one two"},
		{"closed by the next anchor", `<a href=x>one <a name=y>two</a>`, "one"},
		{"bytes that are not UTF-8", "<a href=x>\xff\xe9</a>", "\uFFFD\uFFFD"},
		{"no tags at all", `<a href=x>a < b </a>`, "a < b"},
		{"area", `<area href=x alt=" the  area ">`, "the area"},
		{"long blanks before", "<a href=x>" + strings.Repeat(" ", 1<<16) + "one</a>", "one"},
	}
	for _, tt := range tests {
		p := scan(t, tt.in)
		if len(p.Anchors) != 1 || p.Anchors[0].Text != tt.want {
			t.Errorf("%s: %.80q has %+v, want the text %q", tt.name, tt.in, p.Anchors, tt.want)
		}
	}
}

func TestTitleAndBase(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in, title, base string
	}{
		{`<title> A &amp;  B </title><title>C</title>`, "A & B", ""},
		{`<title>a <b> </Tit></TITLE\n><title>`, "a <b> </Tit></TITLE\\n><title>", ""},
		{`<svg><title>drawing</title></svg><title>page</title>`, "page", ""},
		{`<title></title><title>second</title>`, "", ""},
		{"<title>a\x00b</title>", "a\uFFFDb", ""},
		{`<base target=_top><base href=x><base href=y>`, "", "x"},
		{`<a href=z></a><base href=x>`, "", "x"},
		{`<!-- <base href=x> --><BASE HREF = 'y' />`, "", "y"},
	}
	for _, tt := range tests {
		if p := scan(t, tt.in); p.Title != tt.title || p.Base != tt.base {
			t.Errorf("%q has the title %q and the base %q, want %q and %q", tt.in, p.Title, p.Base, tt.title, tt.base)
		}
	}
}

func TestRel(t *testing.T) {
	t.Parallel()
	p := scan(t, "<a href=x REL=' nofollow\n  NoOpener '><area href=y rel=tag><a href=z>")
	var got []string
	for _, a := range p.Anchors {
		got = append(got, a.Rel)
	}
	if want := []string{"nofollow NoOpener", "tag", ""}; !reflect.DeepEqual(got, want) {
		t.Errorf("the rel attributes are %q, want %q", got, want)
	}
}

// hostile pages made to take time or memory. A scanner that goes back over what it has
// read would not come to an end with these.
func TestHostilePages(t *testing.T) {
	t.Parallel()
	const n = 1 << 20
	tests := []struct {
		name, in string
		want     int // anchors
	}{
		{"an anchor with a million blanks", "<a" + strings.Repeat(" ", n), 0},
		{"an anchor with a million blanks that ends", "<a" + strings.Repeat(" ", n) + "href=x>", 1},
		{"a million opened anchors", strings.Repeat("<a", n), 0},
		{"a million opened tags", strings.Repeat("<", n) + "a href=x>", 1},
		{"a million nested elements", strings.Repeat("<div>", n) + "<a href=x>", 1},
		{"a million attributes", "<a " + strings.Repeat("b c=d ", n) + "href=x>", 1},
		{"a million equals signs", "<a " + strings.Repeat("=", n) + " href=x>", 1},
		{"a huge other attribute", `<a href=x style="` + strings.Repeat("y", n) + `">`, 1},
		{"a huge href", `<a href="` + strings.Repeat("y", n) + `"><a href=x>`, 1},
		{"a huge rel", `<a rel="` + strings.Repeat("y", n) + `" href=x>`, 1},
		{"a huge tag name", "<" + strings.Repeat("a", n) + " href=y><a href=x>", 1},
		{"a million comment beginnings", strings.Repeat("<!--", n) + "--><a href=x>", 1},
		{"a million dashes", "<!--" + strings.Repeat("-", n) + "><a href=x>", 1},
		{"a million script beginnings", "<script><!--" + strings.Repeat("<script>", n) + "</script></script><a href=x>", 1},
		{"a million almost ends of a script", "<script>" + strings.Repeat("</scrip", n) + "</script><a href=x>", 1},
		{"a million almost ends of a title", "<title>" + strings.Repeat("</titl", n) + "</title><a href=x>", 1},
		{"a million entities", "<a href=x>" + strings.Repeat("&amp;", n) + "</a>", 1},
		{"a million ampersands in a value", `<a href="` + strings.Repeat("&", page.MaxHref) + `">`, 1},
		{"a million drawings", strings.Repeat("<svg>", n) + "<a href=x>", 1},
		{"zeros", strings.Repeat("\x00", n) + "<a href=x>", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := scan(t, tt.in)
			if len(p.Anchors) != tt.want || p.Truncated {
				t.Errorf("found %d anchors, truncated %t, want %d", len(p.Anchors), p.Truncated, tt.want)
			}
			checkLimits(t, p)
		})
	}
}

// endless repeats a page for ever.
type endless string

func (e endless) Read(b []byte) (int, error) { return copy(b, e), nil }

func TestEndlessAnchorsEndAtTheLimit(t *testing.T) {
	t.Parallel()
	for _, in := range []endless{"<a href=x>y</a>", "<a href>", "<area href=x rel=nofollow alt=text>"} {
		p, err := page.Scan(in)
		if err != nil || !p.Truncated {
			t.Errorf("%q without end: %v, truncated %t", in, err, p.Truncated)
		}
		checkLimits(t, p)
	}
}

func TestReadErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	p, err := page.Scan(io.MultiReader(strings.NewReader("<title>t</title><a href=x>y"), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) || p.Title != "t" || len(p.Anchors) != 1 {
		t.Errorf("Scan of a broken stream = %+v, %v", p, err)
	}
	if _, err := page.Scan(stuck{}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("Scan of a stream without progress: %v", err)
	}
}

// stuck is a reader that never delivers.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// pieces are what the property tests build pages from: all that is near the borders of
// the tokenizer's states.
var pieces = []string{
	"<a href=", `<a href="`, "<a href='", "<a ", "</a>", "<A HREF=x>", "<area href=q alt=z>", "<base href=b>", "<base>",
	"<img alt=i>", "<br>", "<div>", "</div >", "<p/>", "<svg>", "<svg/>", "</svg>", "<title>", "</title>", "</TITLE >",
	"<title/>", "<script>", "</script>", "</script ", "<script ", "<style>", "</style>", "<textarea>", "</textarea>",
	"<noscript>", "</noscript>", "<iframe>", "</iframe>", "<xmp>", "</xmp>", "<plaintext>", "<b>", "</b>", "<![CDATA[",
	"]]>", "<!--", "-->", "--!>", "->", "-", "!", "<!", "<!x", "<!doctype html>", "<?", "?", "</", "</ ", "</>", "<", ">",
	"/", "/>", "=", "\"", "'", " ", "\t", "\n", "\r", "\f", "\xff", "é", "x", "y", "href", "data-href=n ", "rel=r ",
	"href=n\x00m ", "href=1 href=2", "&amp;", "&lt", "&copy=", "&copy;", "&#65;", "&#x41", "&notit;", "&semi;", "&nbsp;", "&",
}

func drawPage(t *rapid.T) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 16).Draw(t, "pieces"), "")
}

func TestAgreesWithAnotherTokenizer(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawPage(t)
		got, err := page.Scan(strings.NewReader(s))
		if err != nil {
			t.Fatalf("Scan(%q): %v", s, err)
		}
		if want := reference(s); !reflect.DeepEqual(got, want) {
			t.Fatalf("Scan(%q) =\n%+v, want\n%+v", s, got, want)
		}
	})
}

func TestPartsOfAStreamMakeNoDifference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		checkParts(t, drawPage(t))
	})
}

// checkParts fails the test if the page reads otherwise byte by byte, or across the
// borders of the scanner's window.
func checkParts(t interface{ Fatalf(string, ...any) }, s string) page.Page {
	whole, err := page.Scan(strings.NewReader(s))
	if err != nil {
		t.Fatalf("Scan(%q): %v", s, err)
	}
	parts, err := page.Scan(iotest.OneByteReader(strings.NewReader(s)))
	if err != nil || !reflect.DeepEqual(whole, parts) {
		t.Fatalf("Scan(%q) = %+v, and byte by byte %+v, %v", s, whole, parts, err)
	}
	return whole
}

// checkLimits fails the test if the page exceeds what the package promises.
func checkLimits(t interface{ Fatalf(string, ...any) }, p page.Page) {
	size := 0
	checkText := func(s string, limit int) {
		if len(s) > limit || !utf8.ValidString(s) || s != words(s) {
			t.Fatalf("%.100q (%d bytes) is not a line of text of at most %d bytes", s, len(s), limit)
		}
	}
	checkText(p.Title, page.MaxText)
	for _, a := range p.Anchors {
		checkText(a.Text, page.MaxText)
		checkText(a.Rel, page.MaxAttribute)
		if !utf8.ValidString(a.Href) {
			t.Fatalf("the reference %q is not UTF-8", a.Href)
		}
		size += len(a.Href) + len(a.Text) + len(a.Rel)
	}
	if size > page.MaxSize+page.MaxHref+page.MaxText+page.MaxAttribute {
		t.Fatalf("the anchors take %d bytes", size)
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte(`<title>T</title><base href="/b/"><a href="x?a=1&amp;b=2" rel=nofollow>text <img alt=i></a>`))
	f.Add([]byte("<script><!--<script></script>--></script><a\nhref = 'x'>"))
	f.Add([]byte("<svg><title/><a href=&#0;&notit;>\xff</a>"))
	f.Add([]byte("<!---><!--!><!-- --!><textarea></textarea "))
	f.Fuzz(func(t *testing.T, s []byte) {
		checkLimits(t, checkParts(t, string(s)))
	})
}

// benchmarkPage is a page of ordinary mix: about 150 bytes and one link to a line.
func benchmarkPage() string {
	var b strings.Builder
	b.WriteString("<!doctype html><html><head><title>A page</title><style>p { margin: 0 }</style></head><body>\n")
	for i := range 200 {
		fmt.Fprintf(&b, "<div class=\"item item-%d\"><p>Some words of text before <a class=\"link\" href=\"/items/%d?from=list&amp;page=2\">item <b>%d</b></a> and some after it.</p></div>\n", i, i, i)
	}
	b.WriteString("<script>for (let i = 0; i < 10; i++) { console.log(i) }</script></body></html>\n")
	return b.String()
}

func BenchmarkScan(b *testing.B) {
	pages := []struct{ name, in string }{
		{"links", benchmarkPage()},
		{"text", "<p>" + strings.Repeat("Words and words and more words.\n<br>", 1000)},
		{"blanks", "<a" + strings.Repeat(" ", 1<<20)},
		{"inline image", `<img src="data:image/png;base64,` + strings.Repeat("abcd", 1<<18) + `">`},
	}
	for _, p := range pages {
		b.Run(p.name, func(b *testing.B) {
			b.SetBytes(int64(len(p.in)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := page.Scan(strings.NewReader(p.in)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkReference scans the same page as BenchmarkScan/links with the tokenizer of
// golang.org/x/net/html.
func BenchmarkReference(b *testing.B) {
	in := benchmarkPage()
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		reference(in)
	}
}
