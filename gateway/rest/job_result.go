package rest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/jobs"
)

// revalidate is the Cache-Control of results of jobs: they never change, but they expire,
// and whoever knows the id of a job is the one who may have its result.
var revalidate = []string{"private, no-cache"}

// answerResult answers with the result of a job, or with the range of it that is asked for.
func (j *jobRoutes) answerResult(ctx context.Context, w http.ResponseWriter, r *http.Request, ref contract.JobRef) (int, error) {
	result, err := j.result(ctx, ref)
	if err != nil {
		return 0, err
	}
	c, err := j.contentOf(r, ref, result)
	if err != nil {
		return 0, err
	}
	if held := r.Header["If-None-Match"]; held != nil && anyTag(held, c.tag) {
		markCacheable(w.Header(), c.tag, c.cache)
		w.WriteHeader(http.StatusNotModified)
		return http.StatusNotModified, nil
	}
	from, to, status, err := c.partOf(w, r)
	if err != nil {
		return 0, err
	}
	return j.write(ctx, w, r, c, from, to, status)
}

// writeOutcome answers with the result of a job that has ended, as a request without the
// preference would have been answered, or with its problem.
func (j *jobRoutes) writeOutcome(ctx context.Context, w http.ResponseWriter, r *http.Request, job contract.Job) (int, error) {
	ref, err := contract.ParseJobID(job.ID)
	if err != nil {
		return 0, err
	}
	result, err := j.result(ctx, ref)
	if err != nil {
		return 0, err
	}
	c, err := j.contentOf(r, ref, result)
	if err != nil {
		return 0, err
	}
	c.tag = "" // the answer to a POST is not to be kept
	h := w.Header()
	h["Content-Location"] = []string{jobPath(job.ID) + "/result"}
	h[contract.HeaderInstance] = []string{job.Instance}
	return j.write(ctx, w, r, c, 0, c.size, http.StatusOK)
}

// result returns the result of a job, or why it has none.
func (j *jobRoutes) result(ctx context.Context, ref contract.JobRef) (*jobs.Stored, error) {
	result, err := j.store.Result(ctx, ref)
	if fault, ours := errors.AsType[*contract.Error](err); ours && fault.Code == contract.CodeCanceled && ctx.Err() == nil {
		// The caller is still here, so it was not the caller who gave up.
		return nil, contract.Errorf(contract.CodeUnavailable, "the work on the job was given up; retry it").WithCause(err)
	}
	return result, err
}

// contentOf returns the result in the form that the caller accepts: the one that is
// stored, or another one that can be made of it because it is small.
func (j *jobRoutes) contentOf(r *http.Request, ref contract.JobRef, result *jobs.Stored) (content, error) {
	stored := content{
		media: result.ContentType, size: result.Size, tag: digestTag(result.Digest), cache: revalidate,
		digest: result.Digest, stored: result,
	}
	offers := []string{stored.media}
	endpoint, known := j.endpoint(ref)
	if _, inline := result.Inline(); known && inline && stored.media == contract.MediaJSON {
		offers = append(offers, endpoint.Media()...)
	}
	media, acceptable := negotiate(acceptOf(r, stored.media), offers)
	switch {
	case !acceptable:
		return content{}, contract.Errorf(contract.CodeNotAcceptable, "the result is stored as %s; accept it, or submit the request again with the Accept that you want", strings.Join(offers, ", "))
	case media == stored.media:
		return stored, nil
	default:
		return rendered(endpoint, result, media)
	}
}

// rendered makes another form of a result that is stored as JSON.
func rendered(d contract.Descriptor, result *jobs.Stored, media string) (content, error) {
	value := reflect.New(d.Result)
	if err := json.Unmarshal(result.Value, value.Interface()); err != nil {
		return content{}, fmt.Errorf("read stored result of %s: %w", d.Name(), err)
	}
	var body []byte
	switch v := value.Elem().Interface(); media {
	case contract.MediaText:
		body = v.(contract.Plain).AppendPlain(nil)
	default:
		body = v.(contract.Lines).AppendLines(nil)
	}
	digest := contract.FormatDigest(sha256.Sum256(body))
	return content{media: media, size: int64(len(body)), tag: digestTag(digest), cache: revalidate, digest: digest, data: body}, nil
}

// digestTag returns the entity tag of what has the digest.
func digestTag(digest string) string { return `"` + digest + `"` }

// write answers with bytes of a result. An error before the first of them is an answer of
// its own; later ones are a [*cutError].
func (j *jobRoutes) write(ctx context.Context, w http.ResponseWriter, r *http.Request, c content, from, to int64, status int) (int, error) {
	if r.Method == http.MethodHead {
		c.writeHeader(w, from, to, status)
		return status, nil
	}
	if c.stored == nil {
		c.writeHeader(w, from, to, status)
		_, _ = w.Write(c.data[from:to]) // a caller that left cannot be told
		return status, nil
	}
	if c.stored.Parts > 0 {
		select {
		case j.streams.places <- struct{}{}:
			defer func() { <-j.streams.places }()
		default:
			return 0, crowded()
		}
	}
	control := http.NewResponseController(w)
	body := &begunBy{w: deadlineWriter{w, control}, begin: func() { c.writeHeader(w, from, to, status) }}
	err := c.stored.WriteRange(ctx, body, from, to)
	switch {
	case err == nil:
		_ = control.SetWriteDeadline(time.Time{}) // the connection may be used again
		return status, nil
	case body.failed != nil:
		return 0, &cutError{contract.Errorf(contract.CodeCanceled, "the caller does not take the result").WithCause(err)}
	case body.begin == nil:
		return 0, &cutError{fmt.Errorf("pass a result on: %w", err)}
	default:
		return 0, err
	}
}

// begunBy is a writer that calls begin before its first byte.
type begunBy struct {
	w      io.Writer
	begin  func() // nil once it was called
	failed error
}

func (b *begunBy) Write(p []byte) (int, error) {
	if b.begin != nil {
		b.begin()
		b.begin = nil
	}
	n, err := b.w.Write(p)
	if err != nil {
		b.failed = err
	}
	return n, err
}
