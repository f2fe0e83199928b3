package decimal

import (
	"math/bits"
	"time"

	"github.com/seed-649d3d38/heddle/decimal/internal/ntt"
)

// Estimate says what a computation will take.
type Estimate struct {
	// Bytes is the memory at the peak, the result included, in a process that
	// has computed nothing of that size before. It is right within a quarter.
	Bytes int64
	// Time is the elapsed time on a current server core with two threads and
	// nothing else to do, once tables are built and memory has been touched. A
	// first computation of its size takes several times as long.
	Time time.Duration
	// Threads is how many cores the computation uses if its calculator lets its
	// length decide: 1 or 2.
	Threads int
}

// Measured: the transforms of a computation cost so many nanoseconds for every
// point of the longest one.
const (
	nsPerPointIFMA   = 50
	nsPerPointFMA    = 120
	nsPerPointScalar = 350
)

// maxEstimated keeps estimates within 64 bits.
const maxEstimated = 1_000_000_000_000_000

// fixedBytes is what the tables and stacks of any computation take.
const fixedBytes = 1 << 20

// EstimateFibonacci returns what Fibonacci(n) takes; Lucas takes the same. It
// only calculates, so it can be asked for any n; beyond 10^15 it does not grow.
func EstimateFibonacci(n int64) Estimate {
	index := min(magnitude(n), maxEstimated)
	limbs := int64(phiDigits*float64(index))/int64(longWidth(index)) + 1
	points := transformPoints(limbs)
	return Estimate{
		Bytes:   fixedBytes + 8*limbs + transformBytes(points),
		Time:    duration(points * nsPerPoint()),
		Threads: threadsFor(points),
	}
}

// EstimateRoot returns what Root takes for a root of so many digits in all, of
// a number that is short in comparison.
func EstimateRoot(digits int) Estimate {
	digits = min(max(digits, 0), maxEstimated)
	width := int64(max(min(widthFor(2*digits), width12), width11))
	limbs := int64(digits)/width + 1
	points := transformPoints(limbs)
	const touched = 5 // words of the workspace for every limb
	return Estimate{
		Bytes:   fixedBytes + 8*limbs*(touched+1) + transformBytes(points) + 2*8*min(powerOfTwo(limbs+2), ntt.LongBuffer),
		Time:    duration(points * nsPerPoint() * 3 / 2),
		Threads: threadsFor(points),
	}
}

// transformBytes returns the memory for transforms that grow up to so many points: four
// vectors for the last one, as many for the longest before it that stays in the pool, and
// a byte for each point of two tables under each prime, twice, as the collector may not
// have found yet the shorter tables that they replaced.
func transformBytes(points int64) int64 {
	return 4*8*(points+min(points, ntt.LongBuffer)) + 8*powerOfTwo(points)
}

// threadsFor returns how many threads the longest transform of a computation gets.
func threadsFor(points int64) int {
	if points >= ntt.ParallelPoints {
		return 2
	}
	return 1
}

func duration(ns int64) time.Duration { return time.Microsecond + time.Duration(ns) }

// nsPerPoint returns the cost of a point for this machine's transform.
func nsPerPoint() int64 {
	switch ntt.Tiers()[0] {
	case ntt.IFMA:
		return nsPerPointIFMA
	case ntt.FMA:
		return nsPerPointFMA
	default:
		return nsPerPointScalar
	}
}

// transformPoints returns the length of the transform of so many limbs: from
// 1024 on, the sizes are 5, 6, 7 and 8 eighths of a power of two.
func transformPoints(limbs int64) int64 {
	full := powerOfTwo(limbs)
	if full < 1024 {
		return full
	}
	eighth := full / 8
	return (limbs + eighth - 1) / eighth * eighth
}

// powerOfTwo returns the least power of two that is at least n.
func powerOfTwo(n int64) int64 { return 1 << bits.Len64(uint64(max(n, 1)-1)) }
