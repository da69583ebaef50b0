/* SPDX-License-Identifier: MIT */
/* Cuts a byte stream into lines. */
#include "lines.h"

static void flush(struct lines *lines, lines_fn *fn, void *context)
{
	lines->text[lines->length] = '\0';
	lines->length = 0;
	fn(context, lines->text);
}

void lines_feed(struct lines *lines, const char *data, size_t size, lines_fn *fn, void *context)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\n') {
			flush(lines, fn, context);
		} else if (data[i] != '\r' && data[i] != '\0') {
			lines->text[lines->length++] = data[i];
			if (lines->length == LINE_MAX_LENGTH)
				flush(lines, fn, context);
		}
	}
}

void lines_end(struct lines *lines, lines_fn *fn, void *context)
{
	if (lines->length)
		flush(lines, fn, context);
}
