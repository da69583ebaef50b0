/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target without libFuzzer: on the files named, or on pseudo-random inputs, the
 * same ones each time. For `make test`; fuzz/run does the real fuzzing.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

#define INPUTS	  3000
#define BYTES_MAX 2048

static void run_file(const char *path)
{
	static u8 data[1 << 20];
	FILE *in = fopen(path, "rb");
	size_t size;

	if (!in) {
		perror(path);
		exit(1);
	}
	size = fread(data, 1, sizeof(data), in);
	fclose(in);
	LLVMFuzzerTestOneInput(data, size);
}

int main(int argc, char **argv)
{
	static u8 data[BYTES_MAX];

	for (int i = 1; i < argc; i++)
		run_file(argv[i]);
	if (argc > 1)
		return 0;
	srand(1);
	for (unsigned int i = 0; i < INPUTS; i++) {
		size_t size = (size_t)rand() % sizeof(data);
		unsigned int sparse = (unsigned int)rand() % 4;

		/* small numbers and zeros come further than noise */
		for (size_t n = 0; n < size; n++)
			data[n] = (u8)(rand() % 4 < (int)sparse ? rand() % 8 : rand());
		LLVMFuzzerTestOneInput(data, size);
	}
	return 0;
}
