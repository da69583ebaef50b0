/* SPDX-License-Identifier: MIT */
/* Cuts a byte stream into lines. */
#ifndef RIG_LINES_H
#define RIG_LINES_H

#include <stddef.h>

#define LINE_MAX_LENGTH 1023

/* Longer lines come in pieces; carriage returns are left out. */
struct lines {
	char text[LINE_MAX_LENGTH + 1];
	size_t length;
};

typedef void lines_fn(void *context, const char *line);

void lines_feed(struct lines *lines, const char *data, size_t size, lines_fn *fn, void *context);
/* What stands after the last newline. */
void lines_end(struct lines *lines, lines_fn *fn, void *context);

#endif
