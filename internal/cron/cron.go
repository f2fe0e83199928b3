// Package cron reads cron expressions and says when they are due next. It starts nothing:
// the broker does that, with the same expression, and this package is for saying what is
// wrong with one and when it is due. It takes what the broker takes (nats-server 2.15) and
// the usual form with five fields, which the broker does not know.
//
//	e, err := cron.Parse("30 6 * * 1-5")
//	if err != nil {
//		return err
//	}
//	next := e.Next(time.Now().In(berlin))
package cron

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // images of containers may have no time zones
)

// field is what a place of an expression may say, with names in the order of their numbers.
type field struct {
	name     string
	min, max int
	names    string // three letters each
}

var fields = [...]field{
	{"second", 0, 59, ""},
	{"minute", 0, 59, ""},
	{"hour", 0, 23, ""},
	{"day of the month", 1, 31, ""},
	{"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
	{"day of the week", 0, 6, "sunmontuewedthufrisat"},
}

// The places of the fields.
const (
	second = iota
	minute
	hour
	day
	month
	weekday
)

// nicknames are short forms and what they stand for.
var nicknames = map[string]string{
	"@yearly":   "0 0 0 1 1 *",
	"@annually": "0 0 0 1 1 *",
	"@monthly":  "0 0 0 1 * *",
	"@weekly":   "0 0 0 * * 0",
	"@daily":    "0 0 0 * * *",
	"@midnight": "0 0 0 * * *",
	"@hourly":   "0 0 * * * *",
}

// set is the numbers that a field matches, as bits.
type set uint64

func (s set) has(n int) bool { return s>>n&1 == 1 }

// Expression is a cron expression. It is made by [Parse] and never changes.
type Expression struct {
	text string
	sets [len(fields)]set
	any  [len(fields)]bool // the field begins with a star
}

// Parse reads an expression: five fields (minute, hour, day of the month, month, day of the
// week), six with the second before them, or a nickname such as @daily. A field is a list,
// with commas, of numbers or names, ranges such as 1-5, and steps such as */15; a star or a
// question mark is every value. The error is a predicate: "has 3 fields; …".
func Parse(text string) (Expression, error) {
	words := strings.Fields(text)
	e := Expression{text: strings.Join(words, " ")}
	if strings.HasPrefix(e.text, "@") {
		long, ok := nicknames[e.text]
		if !ok {
			return e, fmt.Errorf("has the short form %q, which there is not; there are @hourly, @daily, @weekly, @monthly and @yearly", shortened(e.text))
		}
		words = strings.Fields(long)
	}
	switch len(words) {
	case len(fields) - 1:
		words = append([]string{"0"}, words...)
		e.text = "0 " + e.text
	case len(fields):
	default:
		return e, fmt.Errorf("has %d fields; it must have 5, minute, hour, day of the month, month and day of the week, or 6 with the second first", len(words))
	}
	for i, word := range words {
		var err error
		if e.sets[i], e.any[i], err = fields[i].parse(word); err != nil {
			return e, fmt.Errorf("has %q as its %s: %w", shortened(word), fields[i].name, err)
		}
	}
	return e, nil
}

// shortened returns the beginning of what may be long.
func shortened(text string) string { return text[:min(len(text), 40)] }

// parse reads one field.
func (f field) parse(text string) (all set, isAny bool, err error) {
	for part := range strings.SplitSeq(text, ",") {
		s, star, err := f.parsePart(part)
		if err != nil {
			return 0, false, err
		}
		all, isAny = all|s, isAny || star
	}
	return all, isAny, nil
}

// parsePart reads one element of a list.
func (f field) parsePart(text string) (s set, isAny bool, err error) {
	span, stepText, stepped := strings.Cut(text, "/")
	low, high, ranged := strings.Cut(span, "-")
	from, to, step := f.min, f.max, 1
	if stepped {
		if step, err = strconv.Atoi(stepText); err != nil || step < 1 || strings.HasPrefix(stepText, "+") {
			return 0, false, fmt.Errorf("the step after the slash must be a number from 1 up")
		}
	}
	if isAny = (low == "*" || low == "?") && !ranged; !isAny {
		if from, err = f.number(low); err != nil {
			return 0, false, err
		}
		switch {
		case ranged:
			if to, err = f.number(high); err != nil {
				return 0, false, err
			}
		case !stepped: // "5/10" is 5, 15, 25, …
			to = from
		}
	}
	if from > to {
		return 0, false, fmt.Errorf("a range goes from the lower to the higher")
	}
	for n := from; n <= to; n += step {
		s |= 1 << n
		if step > f.max {
			break
		}
	}
	return s, isAny && step == 1, nil
}

// number reads a number or a name.
func (f field) number(text string) (int, error) {
	if len(text) == 3 {
		if at := strings.Index(f.names, strings.ToLower(text)); at >= 0 && at%3 == 0 {
			return f.min + at/3, nil
		}
	}
	n, err := strconv.Atoi(text)
	if err == nil && n >= f.min && n <= f.max && text[0] != '+' && text[0] != '-' {
		return n, nil
	}
	hint := ""
	if f.name == fields[weekday].name {
		hint = ", Sunday is 0"
	}
	return 0, fmt.Errorf("it must be from %d to %d%s", f.min, f.max, hint)
}

// String returns the expression in the form that the broker takes: a nickname or six
// fields.
func (e Expression) String() string { return e.text }

// Short returns the expression with five fields if its second is 0, as people write it.
func (e Expression) Short() string { return strings.TrimPrefix(e.text, "0 ") }

// horizon is how many years ahead is looked for a time.
const horizon = 5

// Next returns the first time after t that matches in the zone of t, or the zero time if
// there is none within five years. Where clocks are changed, a time that is jumped over does
// not match, and one that comes twice does so twice.
func (e Expression) Next(t time.Time) time.Time {
	end := t.Year() + horizon
	t = t.Truncate(time.Second).Add(time.Second)
	for t.Year() <= end {
		h, m, s := t.Clock()
		switch {
		case !e.sets[month].has(int(t.Month())), !e.matchesDay(t):
			t = nextDay(t)
		case !e.sets[hour].has(h):
			t = t.Add(time.Hour - time.Duration(m)*time.Minute - time.Duration(s)*time.Second)
		case !e.sets[minute].has(m):
			t = t.Add(time.Minute - time.Duration(s)*time.Second)
		case !e.sets[second].has(s):
			t = t.Add(time.Second)
		default:
			return t
		}
	}
	return time.Time{}
}

// matchesDay reports whether both days match, or, where both are limited, one of them: the
// old rule of cron.
func (e Expression) matchesDay(t time.Time) bool {
	inMonth, inWeek := e.sets[day].has(t.Day()), e.sets[weekday].has(int(t.Weekday()))
	if e.any[day] || e.any[weekday] {
		return inMonth && inWeek
	}
	return inMonth || inWeek
}

// nextDay returns the first moment of the next day, which is not midnight everywhere.
func nextDay(t time.Time) time.Time {
	y, m, d := t.Date()
	next := time.Date(y, m, d+1, 0, 0, 0, 0, t.Location())
	for next.Day() == d { // there is no midnight
		next = next.Add(time.Hour)
	}
	if before := next.Add(-time.Hour); before.Day() == next.Day() { // there are two
		return before
	}
	return next
}
