/* SPDX-License-Identifier: MIT */
/* The guest's kernel log: kept in a file, and searched for complaints. */
#ifndef RIG_KLOG_H
#define RIG_KLOG_H

#include <stdbool.h>
#include <stddef.h>

#include "lines.h"

#define KLOG_SPLAT_LINES 30
#define KLOG_LAST_LINES	 20

struct klog {
	const char *path;
	int fd;
	int error; /* errno of a write that failed */
	struct lines lines;
	/* The first complaint of the kernel, with what follows it. */
	char *splat[KLOG_SPLAT_LINES];
	int splat_count;
	int complaints;
	bool panic;
	/* A ring. */
	char *last[KLOG_LAST_LINES];
	unsigned int last_count;
};

/* Does a kernel that says this have a problem with itself? */
bool klog_is_complaint(const char *line);

void klog_open(struct klog *log, const char *path);
void klog_feed(struct klog *log, const char *data, size_t size);
void klog_end(struct klog *log);
void klog_show_splat(const struct klog *log);
void klog_show_last(const struct klog *log);

#endif
