/* The peer: square roots of a large batch of doubles in C, vectorised by the compiler.
 *
 *   floats COUNT REPS
 *
 * prints the processor time and the elapsed time per batch in nanoseconds, and a hash of
 * the roots (FNV-1a over their words).
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double clock_of(clockid_t id) {
	struct timespec t;
	clock_gettime(id, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

__attribute__((noinline)) static void roots(double *restrict out, const double *restrict in, long n) {
	for (long i = 0; i < n; i++)
		out[i] = sqrt(in[i]);
}

int main(int argc, char **argv) {
	if (argc != 3) {
		fprintf(stderr, "usage: floats COUNT REPS\n");
		return 2;
	}
	long n = atol(argv[1]), reps = atol(argv[2]);
	double *in = malloc(n * sizeof *in), *out = malloc(n * sizeof *out);
	for (long i = 0; i < n; i++)
		in[i] = i + 0.5;
	roots(out, in, n);
	double cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID), wall = clock_of(CLOCK_MONOTONIC);
	for (long i = 0; i < reps; i++)
		roots(out, in, n);
	cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	wall = clock_of(CLOCK_MONOTONIC) - wall;
	uint64_t hash = 0xcbf29ce484222325;
	for (long i = 0; i < n; i++) {
		uint64_t word;
		memcpy(&word, &out[i], sizeof word);
		hash = (hash ^ word) * 0x100000001b3;
	}
	printf("%.1f %.1f %016lx\n", cpu / reps, wall / reps, (unsigned long)hash);
	return 0;
}
