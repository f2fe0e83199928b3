package main

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/solver"
)

// maxSide is the longest side of an image in pixels. It is checked before an image is
// unpacked, since a small file may hold a huge one.
const maxSide = 512

// file is an image as it was received.
type file struct {
	Data []byte `json:"data" doc:"A PNG file of at most 512 by 512 pixels."`
}

// pixels are an image in shades of grey.
type pixels struct {
	Width  int    `json:"width" doc:"Pixels in a row."`
	Height int    `json:"height" doc:"Number of rows."`
	Gray   []byte `json:"gray" doc:"The rows, one byte for each pixel."`
}

var (
	parse = contract.Define[file, pixels](
		contract.Spec{Service: "image", Operation: "parse", Summary: "The pixels of a PNG file", Pure: true},
	)
	filter = contract.Define(
		contract.Spec{Service: "image", Operation: "filter", Summary: "An image made smooth", Pure: true},
		contract.Example[pixels, pixels]{
			Request: pixels{Width: 2, Height: 1, Gray: []byte{0, 100}},
			Result:  pixels{Width: 2, Height: 1, Gray: []byte{50, 50}},
		},
	)
)

// service is what the instances solve.
func service() solver.Service {
	return solver.Service{
		Name: "image", Version: "1.0.0", Description: "Two stages of an image pipeline",
		Operations: []solver.Operation{solver.Bind(parse, solveParse), solver.Bind(filter, solveFilter)},
	}
}

func solveParse(_ context.Context, r file) (pixels, error) {
	size, err := png.DecodeConfig(bytes.NewReader(r.Data))
	if err != nil {
		return pixels{}, contract.Invalid("data", "must be a PNG file").WithCause(err)
	}
	if size.Width > maxSide || size.Height > maxSide {
		return pixels{}, contract.Invalid("data", "has %d by %d pixels; at most %d by %d are taken", size.Width, size.Height, maxSide, maxSide)
	}
	picture, err := png.Decode(bytes.NewReader(r.Data))
	if err != nil {
		return pixels{}, contract.Invalid("data", "is a damaged PNG file").WithCause(err)
	}
	p := pixels{Width: size.Width, Height: size.Height, Gray: make([]byte, 0, size.Width*size.Height)}
	for y := range size.Height {
		for x := range size.Width {
			gray := color.GrayModel.Convert(picture.At(x, y)).(color.Gray)
			p.Gray = append(p.Gray, gray.Y)
		}
	}
	return p, nil
}

// solveFilter gives every pixel the mean of itself and its neighbours.
func solveFilter(_ context.Context, r pixels) (pixels, error) {
	smooth := make([]byte, len(r.Gray))
	for y := range r.Height {
		for x := range r.Width {
			around := image.Rect(x-1, y-1, x+2, y+2).Intersect(image.Rect(0, 0, r.Width, r.Height))
			sum := 0
			for v := around.Min.Y; v < around.Max.Y; v++ {
				for u := around.Min.X; u < around.Max.X; u++ {
					sum += int(r.Gray[v*r.Width+u])
				}
			}
			smooth[y*r.Width+x] = byte(sum / (around.Dx() * around.Dy()))
		}
	}
	return pixels{Width: r.Width, Height: r.Height, Gray: smooth}, nil
}

// Validate checks that there is a file.
func (r file) Validate() error {
	if len(r.Data) == 0 {
		return contract.Invalid("data", "is missing; send a PNG file in base64")
	}
	return nil
}

// Validate checks that the sizes fit together.
func (r pixels) Validate() error {
	switch {
	case r.Width < 1 || r.Width > maxSide:
		return contract.Invalid("width", "must be from 1 to %d", maxSide)
	case r.Height < 1 || r.Height > maxSide:
		return contract.Invalid("height", "must be from 1 to %d", maxSide)
	case len(r.Gray) != r.Width*r.Height:
		return contract.Invalid("gray", "must have width times height bytes")
	}
	return nil
}
