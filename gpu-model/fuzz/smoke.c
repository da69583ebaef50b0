/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target without libFuzzer: on a kept corpus (FILE.hex, an input a line), and on
 * pseudo-random inputs, the same ones each time. For `make test`; fuzz/run does the real
 * fuzzing. On any other file it runs the target alone: to look at what libFuzzer has found.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define INPUTS		 3000
#define BYTES_MAX	 2048
#define CORPUS_BYTES_MAX 8192

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

static void run_corpus(const char *path)
{
	static char line[2 * CORPUS_BYTES_MAX + 2];
	static u8 data[CORPUS_BYTES_MAX];
	FILE *in = fopen(path, "r");
	unsigned int inputs = 0;

	if (!in) {
		perror(path);
		exit(1);
	}
	for (; fgets(line, sizeof(line), in); inputs++) {
		size_t digits = strcspn(line, "\n");

		if (line[digits] != '\n' || digits % 2 ||
		    strspn(line, "0123456789abcdef") != digits) {
			fprintf(stderr, "%s: line %u is no input\n", path, inputs + 1);
			exit(1);
		}
		for (size_t n = 0; n < digits / 2; n++)
			sscanf(line + 2 * n, "%2hhx", &data[n]);
		LLVMFuzzerTestOneInput(data, digits / 2);
	}
	fclose(in);
	printf("%s: %u inputs\n", path, inputs);
}

static void run_random(void)
{
	static u8 data[BYTES_MAX];

	srand(1);
	for (unsigned int i = 0; i < INPUTS; i++) {
		size_t size = (size_t)rand() % sizeof(data);
		unsigned int sparse = (unsigned int)rand() % 4;

		/* small numbers and zeros come further than noise */
		for (size_t n = 0; n < size; n++)
			data[n] = (u8)(rand() % 4 < (int)sparse ? rand() % 8 : rand());
		LLVMFuzzerTestOneInput(data, size);
	}
}

int main(int argc, char **argv)
{
	const char *end = argc == 2 ? strrchr(argv[1], '.') : NULL;

	if (end && !strcmp(end, ".hex")) {
		run_corpus(argv[1]);
		run_random();
		return 0;
	}
	for (int i = 1; i < argc; i++)
		run_file(argv[i]);
	if (argc == 1)
		run_random();
	return 0;
}
