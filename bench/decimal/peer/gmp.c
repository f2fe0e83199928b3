/* The peer: the same computations with GMP, text to text.
 *
 *   peer fibonacci N REPS    mpz_fib_ui and mpz_get_str
 *   peer root DIGITS REPS    mpz_set_str, mpz_sqrt, mpz_get_str
 *   peer sqrt2 DIGITS REPS   2*10^(2 DIGITS), mpz_sqrt, mpz_get_str
 *
 * prints the processor time and the elapsed time per repetition in
 * nanoseconds, and a hash of the text (FNV-1a, 64 bits).
 */
#include <gmp.h>
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

int main(int argc, char **argv) {
	if (argc != 4) {
		fprintf(stderr, "usage: peer fibonacci|root|sqrt2 N REPS\n");
		return 2;
	}
	const char *op = argv[1];
	unsigned long n = strtoul(argv[2], NULL, 10);
	long reps = strtol(argv[3], NULL, 10);
	char *in = malloc(n + 2), *out = malloc(n + 100);
	for (unsigned long i = 0; i < n; i++)
		in[i] = '0' + (i * 7 + i / 10 + 1) % 10;
	in[0] = '7';
	in[n] = 0;
	mpz_t x, y;
	mpz_init(x);
	mpz_init(y);
	double cpu = 0, wall = 0;
	for (long i = -1; i < reps; i++) { /* the first one warms up */
		if (i == 0 || reps == 1) {
			cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID);
			wall = clock_of(CLOCK_MONOTONIC);
		}
		if (!strcmp(op, "fibonacci")) {
			mpz_fib_ui(y, n);
		} else if (!strcmp(op, "root")) {
			mpz_set_str(x, in, 10);
			mpz_sqrt(y, x);
		} else {
			mpz_ui_pow_ui(x, 10, 2 * n);
			mpz_mul_2exp(x, x, 1);
			mpz_sqrt(y, x);
		}
		mpz_get_str(out, 10, y);
		if (reps == 1)
			break; /* a long one needs no warming up */
	}
	cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	wall = clock_of(CLOCK_MONOTONIC) - wall;
	uint64_t hash = 0xcbf29ce484222325;
	for (char *p = out; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 0x100000001b3;
	printf("%.1f %.1f %016lx\n", cpu / reps, wall / reps, (unsigned long)hash);
	return 0;
}
