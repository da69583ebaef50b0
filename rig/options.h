/* SPDX-License-Identifier: MIT */
/* The command line of rig/vm. */
#ifndef RIG_OPTIONS_H
#define RIG_OPTIONS_H

#include <stdbool.h>

#include "child.h"

#define MAX_GPUS 8

struct options {
	bool arm64; /* instead of x86_64 */
	/* Folders in build/kernel and build: the kernel, what is ours, where QEMU runs. */
	const char *kernel;
	const char *host;
	const char *toolbox;
	bool debug; /* a kernel that checks a lot, and takes its time */
	const char *topology;
	const char *share;
	const char *stats;
	const char *log;
	const char *append;
	int gpus;
	int vram; /* MiB; 0: what the model takes for itself; so is bar1 */
	int bar1;
	int channels;
	int fault_entries; /* 0: as many as the chip has */
	int cpu_bits; /* 0: what QEMU takes for itself */
	int memory;   /* MiB */
	int cpus;
	int timeout;	   /* seconds; 0: none */
	const char *iommu; /* NULL: none */
	bool acs;
	bool icount;
	bool allow_splat;
	bool stop_on_splat;
	bool firmware;
	const char *firmware_dir; /* NULL: placeholders */
	bool nouveau;
	bool processes;
	bool verbose;
	struct argv model_args;
	char **command; /* NULL: an interactive shell */
};

/* Dies with a message when it makes no sense. */
void options_parse(struct options *options, int argc, char **argv);

#endif
