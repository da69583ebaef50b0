/* SPDX-License-Identifier: MIT */
/* The guest's kernel log: kept in a file, and searched for complaints. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "klog.h"
#include "say.h"

static const char panic_text[] = "Kernel panic - not syncing";

/* How the kernel's own checks begin to speak, after the time stamp. */
static const char *const complaints_begin[] = {
	"BUG: ",     /* KASAN, page tables, sleeping in atomic, ... */
	"WARNING: ", /* WARN_ON(), lockdep */
	"INFO: trying to register non-static key",
	"INFO: task ", /* hung task */
	"INFO: rcu",
	"Oops",
	"general protection fault",
	"traps: PANIC",
	"divide error: ",
	"invalid opcode: ",
	"stack segment: ",
	"UBSAN: ",
	"kernel BUG at ",
	panic_text,
};

/* Behind a prefix of the subsystem. */
static const char *const complaints_within[] = {
	"BUG: soft lockup",
	"BUG: workqueue lockup",
	"hard LOCKUP",
	"INFO: rcu_", /* "rcu: INFO: rcu_preempt self-detected stall" */
	"new suspected memory leaks",
	" allocated at module unload", /* memory that a module leaks, by allocation profiling */
	/* Checkers that give up: what they would have found is not known. */
	"kmemleak: Cannot ",
	"DMA-API: debugging out of memory",
	"dma-debug disabled",
	"ODEBUG disabled",
	"INFO: lockdep is turned off",
	"printk messages dropped **", /* who knows what they said */
	"nobody cared (try booting with the \"irqpoll\" option)",
	"[fault reason 0x",	       /* DMAR: Intel's IOMMU refused a request */
	"Event logged [IO_PAGE_FAULT", /* so did AMD's */
	" fault from EP ",	       /* so did virtio's */
};

static const char *message(const char *line)
{
	/* "[    1.234567] text", with CONFIG_PRINTK_CALLER "[    1.234567][   T12] text" */
	while (*line == '[') {
		const char *end = strchr(line, ']');

		if (!end || strspn(line + 1, " 0123456789.TC") != (size_t)(end - line - 1))
			break;
		line = end + 1;
		while (*line == ' ')
			line++;
	}
	return line;
}

bool klog_is_complaint(const char *line)
{
	const char *text = message(line);

	for (size_t i = 0; i < sizeof(complaints_within) / sizeof(*complaints_within); i++)
		if (strstr(text, complaints_within[i]))
			return true;
	for (size_t i = 0; i < sizeof(complaints_begin) / sizeof(*complaints_begin); i++)
		if (!strncmp(text, complaints_begin[i], strlen(complaints_begin[i])))
			return true;
	return false;
}

static void keep_splat_line(struct klog *log, const char *line)
{
	if (line && log->splat_count < KLOG_SPLAT_LINES)
		log->splat[log->splat_count++] = strdup(line);
}

static void see_line(void *context, const char *line)
{
	struct klog *log = context;
	char **slot = &log->last[log->last_count++ % KLOG_LAST_LINES];

	if (klog_is_complaint(line)) {
		/* The text of a WARN() is a line above. */
		if (!log->complaints++ && log->last_count > 1)
			keep_splat_line(log, log->last[(log->last_count - 2) % KLOG_LAST_LINES]);
		if (strstr(line, panic_text))
			log->panic = true;
	}
	if (log->complaints)
		keep_splat_line(log, line);
	free(*slot);
	*slot = strdup(line);
}

void klog_open(struct klog *log, const char *path)
{
	log->path = path;
	log->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (log->fd < 0)
		die("cannot write the kernel log %s: %s", path, strerror(errno));
}

void klog_feed(struct klog *log, const char *data, size_t size)
{
	const char *rest = data;

	for (size_t left = size; left && !log->error;) {
		ssize_t n = write(log->fd, rest, left);

		if (n < 0 && errno != EINTR)
			log->error = errno;
		if (n > 0) {
			rest += n;
			left -= n;
		}
	}
	lines_feed(&log->lines, data, size, see_line, log);
}

void klog_end(struct klog *log)
{
	lines_end(&log->lines, see_line, log);
	if (close(log->fd) && !log->error)
		log->error = errno;
}

void klog_show_splat(const struct klog *log)
{
	for (int i = 0; i < log->splat_count; i++)
		fprintf(stderr, "    %s\n", log->splat[i]);
}

void klog_show_last(const struct klog *log)
{
	unsigned int count = log->last_count < KLOG_LAST_LINES ? log->last_count : KLOG_LAST_LINES;

	for (unsigned int i = log->last_count - count; i != log->last_count; i++)
		fprintf(stderr, "    %s\n", log->last[i % KLOG_LAST_LINES]);
}
