package figure

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Table is a plain table. Its first column is aligned to the left, the others to the
// right.
type Table struct {
	columns []string
	rows    [][]string
}

// NewTable returns an empty table.
func NewTable(columns ...string) *Table { return &Table{columns: columns} }

// Add appends a row with one cell for each column.
func (t *Table) Add(cells ...string) { t.rows = append(t.rows, cells) }

// gap stands between two columns.
const gap = "  "

// Print writes the table and an empty line.
func (t *Table) Print(w io.Writer) error {
	all := append([][]string{t.columns}, t.rows...)
	widths := make([]int, len(t.columns))
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range all {
		line := make([]string, len(row))
		for i, cell := range row {
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				line[i] = cell + space
			} else {
				line[i] = space + cell
			}
		}
		b.WriteString(strings.TrimRight(strings.Join(line, gap), " ") + "\n")
	}
	_, err := fmt.Fprintln(w, b.String())
	return err
}

// Goals is a table of figures with their goals. The zero value is empty.
type Goals struct{ rows [][]string }

// Add judges the median of a figure and appends it.
func (g *Goals) Add(name string, s Series, goal Goal, decimals int) {
	g.rows = append(g.rows, append([]string{name}, goal.Cells(s, decimals)...))
}

// GoalColumns are the names of the cells of [Goal.Cells].
func GoalColumns() []string { return []string{"median", "min–max", "must", "aim", "verdict"} }

// Cells judges the median of a figure and returns what a table shows of it. The zero Goal
// judges nothing.
func (g Goal) Cells(s Series, decimals int) []string {
	verdict := none
	if g != (Goal{}) {
		verdict = g.Judge(s.Median())
	}
	return []string{Number(s.Median(), decimals), s.Spread(decimals), g.bound(g.Must, decimals), g.bound(g.Aim, decimals), verdict}
}

// Print writes the table and an empty line.
func (g *Goals) Print(w io.Writer) error {
	return (&Table{
		columns: append([]string{"figure"}, GoalColumns()...),
		rows:    g.rows,
	}).Print(w)
}
