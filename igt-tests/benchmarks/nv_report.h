/* SPDX-License-Identifier: MIT */
/*
 * What a benchmark found, as matrices that people read, or as one JSON object with the fields of
 * nvbandwidth's; the two hold the same. A report is written as it grows: begin, cases, end.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>

#include "nouveau/nv_device.h"

#define REPORT_TEXT 128

enum report_p2p {
	REPORT_P2P_OFF,
	REPORT_P2P_ON,
	REPORT_P2P_ANY
};

enum report_status {
	REPORT_PASSED,
	REPORT_WAIVED,
	REPORT_ERROR
};

/* How one GPU reaches the memory of another. */
struct report_pair {
	int owner, importer;
	enum nv_route route;
	bool p2p;
	char reason[REPORT_TEXT]; /* the way it takes, or why there is none */
};

struct report_case {
	const char *name;
	const char *description; /* of a cell */
	const char *unit;
	const char *waived; /* why nothing was measured, or NULL */
	enum report_p2p p2p;
	enum report_status status;
	bool sum; /* has a sum that means something */
	int rows, columns;
	double value[NV_MAX_GPUS][NV_MAX_GPUS];	    /* NAN: none */
	const char *text[NV_MAX_GPUS][NV_MAX_GPUS]; /* instead of numbers, when the unit is NULL */
};

void report_begin(bool json, const char *commands, const struct nv_gpu *gpus, int nr_gpus);
void report_pairs(const struct report_pair *pairs, int nr_pairs);
void report_case(const struct report_case *c);
void report_end(bool verified);

#endif
