package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
)

// jobsWatchCommand shows how a job comes along.
type jobsWatchCommand struct {
	jobArgs `embed:""`
	JSON    bool `name:"json" help:"Print the document after each change, one on each line, also to a terminal."`
}

// Run implements the command.
func (c *jobsWatchCommand) Run(ctx context.Context, s streams) error {
	var show watcher = lines{s.out}
	if !c.JSON && isTerminal(s.out) {
		show = newProgressBar(s.out)
	}
	return withJobs(ctx, c.Bus, func(jobs *client.NATS) error {
		_, err := watchJob(ctx, jobs, c.ID, show)
		return err
	})
}

// watcher shows a job to somebody.
type watcher interface {
	// show shows what the job is now.
	show(job contract.Job) error
	// tick shows that time passes.
	tick() error
}

// watchJob shows a job until it has ended, and returns its document, or why it has no
// result.
func watchJob(ctx context.Context, jobs client.JobCaller, id string, w watcher) (job contract.Job, err error) {
	type event struct {
		job contract.Job
		err error
	}
	ctx, cancel := context.WithCancel(ctx)
	events := make(chan event)
	go func() {
		defer close(events)
		for job, err := range jobs.WatchJob(ctx, id) {
			select {
			case events <- event{job, err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	defer func() {
		cancel()
		for range events { // the goroutine has ended when they have
		}
	}()
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for {
		select {
		case e, more := <-events:
			switch {
			case !more:
				if job.State.Terminal() {
					return job, failure(job)
				}
				return job, contract.FromError(ctx.Err())
			case e.err != nil:
				return job, e.err
			}
			job = e.job
			err = w.show(job)
		case <-second.C:
			err = w.tick()
		}
		if err != nil {
			return job, err
		}
	}
}

// silent shows nothing.
type silent struct{}

func (silent) show(contract.Job) error { return nil }
func (silent) tick() error             { return nil }

// lines shows a document for each change, for programs.
type lines struct{ out io.Writer }

func (l lines) show(job contract.Job) error { return printLine(l.out, job) }
func (lines) tick() error                   { return nil }

// progressBar shows a job in one line that changes, for a person.
type progressBar struct {
	out   io.Writer
	now   func() time.Time
	job   contract.Job
	began time.Time          // the watch
	from  *contract.Progress // the first progress of the attempt that was seen, and when
	since time.Time
	width int // of what the line shows
}

func newProgressBar(out io.Writer) *progressBar {
	return &progressBar{out: out, now: time.Now, began: time.Now()}
}

// show implements [watcher].
func (b *progressBar) show(job contract.Job) error {
	if b.job.ID == "" {
		fmt.Fprintln(b.out, job.ID)
	}
	if job.Attempt != b.job.Attempt || job.Progress == nil {
		b.from = nil
	}
	if b.from == nil && job.Progress != nil {
		b.from, b.since = job.Progress, b.now()
	}
	b.job = job
	if job.State.Terminal() {
		return b.write(b.end() + "\n")
	}
	return b.tick()
}

// tick implements [watcher].
func (b *progressBar) tick() error {
	if b.job.ID == "" {
		return nil
	}
	return b.write(b.line())
}

// write puts a text in the place of the one before.
func (b *progressBar) write(text string) error {
	width := utf8.RuneCountInString(text)
	blank := strings.Repeat(" ", max(0, b.width-width))
	if body, ended := strings.CutSuffix(text, "\n"); ended {
		text, blank = body, blank+"\n"
	}
	b.width = width
	_, err := io.WriteString(b.out, "\r"+text+blank)
	return err
}

// barWidth is the width of the bar: with what stands beside it the line has less than 80
// columns.
const barWidth = 24

// line says what the job is doing.
func (b *progressBar) line() string {
	job := b.job
	text := string(job.State)
	if job.Attempt > 1 || job.State == contract.JobQueued && job.Attempt > 0 {
		text += fmt.Sprintf(", attempt %d", job.Attempt)
	}
	p := job.Progress
	if job.State != contract.JobRunning || p == nil || p.Total <= 0 {
		if left := job.NotBefore.Sub(b.now()); left > 0 && job.State == contract.JobQueued {
			return text + ", again in " + roundTime(left) + because(job.Error)
		}
		return text + "  " + roundTime(b.now().Sub(b.began))
	}
	part := min(1, float64(p.Done)/float64(p.Total))
	full := int(part * barWidth)
	text += fmt.Sprintf("  %s%s %3.0f %%", strings.Repeat("█", full), strings.Repeat("░", barWidth-full), 100*part)
	if p.Unit != "%" {
		text += fmt.Sprintf("  %d of %d %s", p.Done, p.Total, p.Unit)
	}
	return text + b.speed(p)
}

// speed says how fast the work goes and how long it will take, once that is known.
func (b *progressBar) speed(p *contract.Progress) string {
	done, took := float64(p.Done-b.from.Done), b.now().Sub(b.since).Seconds()
	if done <= 0 || took <= 0 || p.Done >= p.Total {
		return ""
	}
	rate := done / took
	left := time.Duration(float64(p.Total-p.Done) / rate * float64(time.Second))
	if p.Unit == "%" {
		return "  " + roundTime(left) + " left"
	}
	return fmt.Sprintf("  %.3g/s  %s left", rate, roundTime(left))
}

// end says what has become of the job.
func (b *progressBar) end() string {
	job := b.job
	text := string(job.State)
	if !job.Started.IsZero() {
		text += " after " + roundTime(job.Finished.Sub(job.Started)) + " of work"
	}
	if r := job.Result; r != nil {
		text += fmt.Sprintf(", %d bytes of %s", r.Size, r.ContentType)
	}
	return text
}

func because(e *contract.Error) string {
	if e == nil {
		return ""
	}
	return ": " + string(e.Code)
}

// roundTime writes a time for a person: 340ms, 12s, 3m20s, 5h12m.
func roundTime(d time.Duration) string {
	switch {
	case d < time.Second:
		return max(0, d).Round(time.Millisecond).String()
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d < time.Hour:
		return d.Round(time.Second).String()
	default:
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	}
}

// isTerminal reports whether a person reads what is written.
func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
