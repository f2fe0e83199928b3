// Command imagepipeline receives images, parses them, filters them and stores them, in
// stages that run at once. Parsing and filtering are requests to a service.
//
//	go run ./examples/imagepipeline
//	go run ./examples/imagepipeline -to filtered a.png b.png
//
// It answers the book's assembly line of images, which has no program; the crawlers that
// the book calls pipelines finish one stage before the next begins. Here an image is
// filtered while the next one is parsed, a slow stage slows the ones before it, and an
// image that fails says where and costs no other its place.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/daemon"
	"github.com/seed-649d3d38/heddle/local"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := run(ctx, os.Args[1:], os.Getenv("NATS_URL"), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "imagepipeline:", err)
		os.Exit(1)
	}
}

// run is the program without the process around it.
func run(ctx context.Context, args []string, server string, out io.Writer) error {
	flags := flag.NewFlagSet("imagepipeline", flag.ExitOnError)
	broker := flags.String("server", server, "broker to use instead of one in this process")
	to := flags.String("to", "", "existing folder for the results (default a temporary one)")
	_ = flags.Parse(args) // exits instead
	if *to == "" {
		dir, err := os.MkdirTemp("", "imagepipeline-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		*to = dir
	}
	images := samples()
	if flags.NArg() > 0 {
		images = nil
		for _, name := range flags.Args() {
			images = append(images, item{name: name})
		}
	}
	cfg := local.Config{Server: *broker, Services: daemon.Fixed(service()), Instances: 2}
	return local.Run(ctx, cfg, func(ctx context.Context, nc *nats.Conn) error {
		for i, err := range pipeline(&client.NATS{Conn: nc}, images, *to)(ctx) {
			switch {
			case err != nil:
				return err
			case i.failure != nil:
				fmt.Fprintf(out, "%s failed: %s\n", i.name, contract.FromError(i.failure).Detail)
			default:
				fmt.Fprintf(out, "%s is stored: %d x %d\n", i.name, i.pixels.Width, i.pixels.Height)
			}
		}
		return nil
	})
}

// item is an image on its way: its file, then its pixels, or why it failed.
type item struct {
	name    string
	file    []byte
	pixels  pixels
	failure error
}

// step makes a stage of a function: images that have failed pass it by, and an image
// that fails in it goes on as such.
func step(do func(context.Context, *item) error) func(context.Context, item) (item, error) {
	return func(ctx context.Context, i item) (item, error) {
		if i.failure == nil {
			i.failure = do(ctx, &i)
		}
		return i, ctx.Err()
	}
}

// pipeline is the plan: four stages, each with as many images at once as it is good for.
func pipeline(c client.Caller, images []item, to string) client.Pipeline[item] {
	received := client.Stage(client.From(slices.Values(images)), 2, step(func(_ context.Context, i *item) (err error) {
		if i.file == nil {
			i.file, err = os.ReadFile(i.name)
		}
		return err
	}))
	parsed := client.Stage(received, 4, step(func(ctx context.Context, i *item) (err error) {
		i.pixels, err = client.Call(ctx, c, parse, file{Data: i.file})
		return err
	}))
	filtered := client.Stage(parsed, 4, step(func(ctx context.Context, i *item) (err error) {
		i.pixels, err = client.Call(ctx, c, filter, i.pixels)
		return err
	}))
	return client.Stage(filtered, 1, step(func(_ context.Context, i *item) error {
		p := i.pixels
		picture := &image.Gray{Pix: p.Gray, Stride: p.Width, Rect: image.Rect(0, 0, p.Width, p.Height)}
		var data bytes.Buffer
		if err := png.Encode(&data, picture); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, filepath.Base(i.name)), data.Bytes(), 0o644)
	}))
}

// samples are images to begin with: three good ones and one that is none.
func samples() []item {
	none := item{name: "none.png", file: []byte("this is no image")}
	return []item{sample("small.png", 8), sample("large.png", 16), none, sample("wide.png", 64)}
}

func sample(name string, width int) item {
	picture := image.NewGray(image.Rect(0, 0, width, 16))
	for i := range picture.Pix {
		picture.Pix[i] = byte(i * 37)
	}
	var data bytes.Buffer
	err := png.Encode(&data, picture)
	return item{name: name, file: data.Bytes(), failure: err}
}
