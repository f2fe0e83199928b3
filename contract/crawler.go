package contract

// MaxURLLength is the longest URL a request may carry, in bytes.
const MaxURLLength = 8192

// LinksRequest asks for the links of one page.
type LinksRequest struct {
	// URL is the address of the page: http or https, without user name.
	URL string `json:"url" format:"uri" maxLength:"8192" doc:"Address of the page: http or https, without user name."`
	// Limit, when positive, is the largest number of links to return.
	Limit int `json:"limit,omitempty" minimum:"0" default:"0" doc:"Largest number of links to return; 0 means no limit."`
}

// LinksResult is what one page links to.
type LinksResult struct {
	// URL is the address that was asked for.
	URL string `json:"url" doc:"Address that was asked for."`
	// FinalURL is the address of the page after redirects.
	FinalURL string `json:"final_url" doc:"Address of the page after redirects."`
	// Status is the HTTP status of the page. Links are collected from pages with a
	// status of 200 to 299 only.
	Status int `json:"status" doc:"HTTP status of the page. Links are collected from pages with a status of 200 to 299 only."`
	// ContentType is the media type of the page. Links are collected from HTML only.
	ContentType string `json:"content_type" doc:"Media type of the page. Links are collected from HTML only."`
	// Title is the text of the page's title element.
	Title string `json:"title" doc:"Text of the title element."`
	// Links are absolute, without duplicates, in the order of the page.
	Links []Link `json:"links" doc:"The links: absolute, without duplicates, in the order of the page."`
	// Truncated says that the page or its list of links was cut at a limit.
	Truncated bool `json:"truncated" doc:"The page or its list of links was cut at a limit."`
}

// Link is one link of a page.
type Link struct {
	// URL is the absolute http or https address, without fragment.
	URL string `json:"url" doc:"Absolute http or https address, without fragment."`
	// Text is the link's text with runs of white space made one space.
	Text string `json:"text" doc:"Text of the link with runs of white space made one space."`
	// Rel is the link's rel attribute as written, such as "nofollow".
	Rel string `json:"rel,omitempty" doc:"The rel attribute as written, such as nofollow."`
}

// CrawlerLinks fetches a page on a person's behalf and returns its links.
var CrawlerLinks = Define[LinksRequest, LinksResult](Spec{
	Service:   "crawler",
	Operation: "links",
	Summary:   "The links of one web page",
	Description: "Fetches one page, following redirects, and returns its links: absolute, without duplicates, in the " +
		"order of the page, with their text and rel. Addresses that are not public are refused unless the crawler " +
		"was started with --crawl-allow. A page that cannot be fetched is an error; a page with a status such as " +
		"404 is a result without links.",
})

// Validate checks what can be known without looking at the URL's parts.
func (r LinksRequest) Validate() error {
	switch {
	case r.URL == "":
		return Invalid("url", "is missing; send the address of a page, such as \"https://example.com/\"")
	case len(r.URL) > MaxURLLength:
		return Invalid("url", "must have at most %d bytes", MaxURLLength)
	case r.Limit < 0:
		return Invalid("limit", "must be 0, for no limit, or more")
	}
	return nil
}
