package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/bus"
)

// jobsCommand is what can be done about durable jobs.
type jobsCommand struct {
	Submit jobsSubmitCommand `cmd:"" help:"Store a request as a durable job and print its id."`
	List   jobsListCommand   `cmd:"" help:"List jobs, those that changed last first."`
	Get    jobsGetCommand    `cmd:"" help:"Print the document of a job."`
	Watch  jobsWatchCommand  `cmd:"" help:"Show how a job comes along until it has ended."`
	Result jobsResultCommand `cmd:"" help:"Print or save the result of a job."`
	Cancel jobsCancelCommand `cmd:"" help:"End a job that is queued or running."`
	Items  jobsItemsCommand  `cmd:"" help:"Print what comes of the requests of a batch, as it comes."`
	Retry  jobsRetryCommand  `cmd:"" help:"Queue a job again that failed or was canceled."`

	Schedule jobsScheduleCommand `cmd:"" help:"Have jobs made at a time, or again and again."`

	Queues jobsQueuesCommand `cmd:"" help:"Show the queues of all services."`
	Pause  jobsPauseCommand  `cmd:"" help:"Have no more jobs of a service given to instances. New ones are still taken in, and those that run go on."`
	Resume jobsResumeCommand `cmd:"" help:"Have the jobs of a service given to instances again."`
}

// withJobs calls use with a connection to the jobs service.
func withJobs(ctx context.Context, o bus.Options, use func(*client.NATS) error) error {
	nc, err := connectNow(ctx, o)
	if err != nil {
		return err
	}
	defer nc.Close()
	return use(&client.NATS{Conn: nc})
}

// jobArgs name a job.
type jobArgs struct {
	ID  string      `arg:"" name:"id" help:"The id of the job, as submit and list print it."`
	Bus bus.Options `embed:""`
}

// jobsSubmitCommand submits a job.
type jobsSubmitCommand struct {
	requestArgs `embed:""`
	Class       contract.JobClass `help:"high goes before normal: ${enum}." enum:"high,normal" default:"normal"`
	Key         string            `help:"Makes the submission repeatable: the same key with the same request is the same job."`
	RunLimit    time.Duration     `help:"Longest time of one attempt. Default: 24h." placeholder:"DURATION"`
	QueueLimit  time.Duration     `help:"Longest time before the first attempt. Default: none." placeholder:"DURATION"`
	Attempts    int               `help:"Largest number of attempts. Default: 5." placeholder:"N"`
	Retention   time.Duration     `help:"How long the result is kept. Default: 6h." placeholder:"DURATION"`
	Batch       string            `help:"Make one job of many requests, one on each line of this file or in a JSON array; - for standard input." type:"path" placeholder:"FILE"`
	Then        string            `help:"With --batch: the operation that gets the results, in a job of its own." placeholder:"OPERATION"`
	Text        bool              `help:"Keep the plain-text form of the result: bare digits."`
	Wait        bool              `help:"Wait until the job has ended and print its result."`
	JSON        bool              `name:"json" help:"Print the document of the job instead of its id."`
	Bus         bus.Options       `embed:""`
}

// Help teaches by example.
func (jobsSubmitCommand) Help() string {
	return `Examples:
  heddle jobs submit fibonacci.term n=10000000
  heddle jobs submit crawler.links url=https://example.com/ --attempts 10 --key today
  heddle jobs submit sqrt.root x=2 digits=1000000 --text --wait
  heddle jobs submit sqrt.integer --batch requests.ndjson`
}

// Run implements the command.
func (c *jobsSubmitCommand) Run(ctx context.Context, s streams) error {
	operation, err := find(c.Operation)
	if err != nil {
		return err
	}
	if c.Batch != "" && len(c.Request) > 0 {
		return contract.Errorf(contract.CodeInvalidArgument, "the requests come from --batch; leave out %q", c.Request)
	}
	body, submit := []byte(nil), (*client.NATS).SubmitJob
	if c.Batch != "" {
		submit = (*client.NATS).SubmitJobBatch
		body, err = readBatch(c.Batch, s.in)
	} else {
		body, err = c.body(operation, s.in)
	}
	if err != nil {
		return err
	}
	return withJobs(ctx, c.Bus, func(jobs *client.NATS) error {
		job, err := submit(jobs, ctx, operation.Spec, body, c.options())
		switch {
		case err != nil:
			return err
		case c.Wait:
			return c.await(ctx, jobs, job.ID, s)
		case c.JSON:
			return printDocument(s.out, job)
		}
		_, err = fmt.Fprintln(s.out, job.ID)
		return err
	})
}

func (c *jobsSubmitCommand) options() contract.JobOptions {
	o := contract.JobOptions{
		Key: c.Key, Class: c.Class, RunLimit: c.RunLimit, QueueLimit: c.QueueLimit, Attempts: c.Attempts, Retention: c.Retention,
		Then: c.Then,
	}
	if c.Text {
		o.Accept = contract.MediaText
	}
	return o
}

// await shows how the job comes along, to a person, and prints what has become of it.
func (c *jobsSubmitCommand) await(ctx context.Context, jobs client.JobCaller, id string, s streams) error {
	var show watcher = silent{}
	if isTerminal(s.err) {
		show = newProgressBar(s.err)
	}
	job, err := watchJob(ctx, jobs, id, show)
	if err != nil {
		if ctx.Err() != nil {
			fmt.Fprintf(s.err, "The job goes on; look at it with: heddle jobs watch %s\n", id)
		}
		return err
	}
	if c.JSON {
		return printDocument(s.out, job)
	}
	result, err := jobs.OpenJob(ctx, id)
	if err != nil {
		return err
	}
	defer result.Close()
	return printResult(s.out, result)
}

// jobsGetCommand prints a document.
type jobsGetCommand struct {
	jobArgs `embed:""`
}

// Run implements the command.
func (c *jobsGetCommand) Run(ctx context.Context, s streams) error {
	return withJobs(ctx, c.Bus, func(jobs *client.NATS) error {
		job, err := jobs.GetJob(ctx, c.ID)
		if err != nil {
			return err
		}
		return printDocument(s.out, job)
	})
}

// jobsResultCommand reads a result.
type jobsResultCommand struct {
	jobArgs `embed:""`
	Output  string `short:"o" help:"Save the result in this file, which appears when all of it is there." type:"path" placeholder:"FILE"`
}

// Run implements the command.
func (c *jobsResultCommand) Run(ctx context.Context, s streams) error {
	return withJobs(ctx, c.Bus, func(jobs *client.NATS) error {
		job, err := jobs.GetJob(ctx, c.ID)
		if err == nil {
			err = failure(job)
		}
		if err != nil {
			return err
		}
		result, err := jobs.OpenJob(ctx, c.ID)
		if err != nil {
			return err
		}
		defer result.Close()
		if c.Output == "" {
			return printResult(s.out, result)
		}
		return save(c.Output, result)
	})
}

// save writes a stream to a file that appears only when all of it has come.
func save(path string, r io.Reader) error {
	part, err := os.Create(path + ".part")
	if err != nil {
		return err
	}
	defer os.RemoveAll(part.Name()) // unless it was renamed
	if _, err := io.Copy(part, r); err != nil {
		_ = part.Close() // it is given up
		return err
	}
	if err := part.Close(); err != nil {
		return err
	}
	return os.Rename(part.Name(), path)
}

// jobsCancelCommand cancels a job.
type jobsCancelCommand struct {
	jobArgs `embed:""`
}

// Run implements the command.
func (c *jobsCancelCommand) Run(ctx context.Context, s streams) error {
	return withJobs(ctx, c.Bus, func(jobs *client.NATS) error {
		job, err := jobs.CancelJob(ctx, c.ID)
		return printState(s.out, job, err)
	})
}

// jobsRetryCommand queues a job again.
type jobsRetryCommand struct {
	jobArgs `embed:""`
}

// Run implements the command.
func (c *jobsRetryCommand) Run(ctx context.Context, s streams) error {
	return withJobs(ctx, c.Bus, func(jobs *client.NATS) error {
		job, err := jobs.RetryJob(ctx, c.ID)
		return printState(s.out, job, err)
	})
}

// jobsListCommand lists jobs.
type jobsListCommand struct {
	Service string            `help:"Only jobs of this service." placeholder:"NAME"`
	State   contract.JobState `help:"Only jobs in this state: queued, running, succeeded, failed or canceled." placeholder:"STATE"`
	Limit   int               `help:"Largest number of jobs." default:"20"`
	JSON    bool              `name:"json" help:"Print a document for each job, one on each line."`
	Bus     bus.Options       `embed:""`
}

// Run implements the command.
func (c *jobsListCommand) Run(ctx context.Context, s streams) error {
	query := contract.JobQuery{Service: c.Service, State: c.State, Limit: c.Limit}
	if err := query.Validate(); err != nil {
		return err
	}
	return withJobs(ctx, c.Bus, func(jobs *client.NATS) error {
		list, err := jobs.ListJobs(ctx, query)
		if err != nil {
			return err
		}
		if c.JSON {
			for _, job := range list.Jobs {
				if err := printLine(s.out, job); err != nil {
					return err
				}
			}
			return nil
		}
		return printJobs(s.out, list.Jobs, time.Now())
	})
}

// printJobs prints a table of jobs as they are now.
func printJobs(out io.Writer, jobs []contract.Job, now time.Time) error {
	rows := [][]string{{"JOB", "STATE", "ATTEMPT", "AGE", "QUEUE", "WORK", "PROGRESS"}}
	for _, job := range jobs {
		row := []string{job.ID, string(job.State), strconv.Itoa(job.Attempt), roundTime(now.Sub(job.Created)), "-", "-", "-"}
		if !job.Started.IsZero() {
			row[4] = roundTime(time.Duration(job.QueueMS * float64(time.Millisecond)))
			end := job.Finished
			if end.IsZero() {
				end = now
			}
			row[5] = roundTime(end.Sub(job.Started))
		}
		if p := job.Progress; p != nil && p.Total > 0 {
			row[6] = fmt.Sprintf("%d %%", 100*p.Done/p.Total)
		}
		rows = append(rows, row)
	}
	return printColumns(out, rows, "JOB", "STATE")
}

// printState prints where a job is now.
func printState(out io.Writer, job contract.Job, err error) error {
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s is %s\n", job.ID, job.State)
	return err
}

// printDocument prints a document for a person.
func printDocument(out io.Writer, document any) error {
	body, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n", body)
	return err
}

// printLine prints a document in a line.
func printLine(out io.Writer, document any) error {
	body, err := json.Marshal(document)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n", body)
	return err
}

// failure returns the error of a job that ended without a result. It is not the job's own
// error, whose code would be taken for the command's: this command was not refused.
func failure(job contract.Job) error {
	switch job.State {
	case contract.JobFailed:
		return fmt.Errorf("the job %s failed: %v", job.ID, job.Error) //nolint:errorlint // see above
	case contract.JobCanceled:
		return fmt.Errorf("the job %s was canceled", job.ID)
	default:
		return nil
	}
}
