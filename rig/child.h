/* SPDX-License-Identifier: MIT */
/*
 * A program in the toolbox, in a process group of its own, that dies with
 * the runner however the runner ends.
 */
#ifndef RIG_CHILD_H
#define RIG_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct argv {
	char **list;
	int count;
};

/* Appends one argument; the last argument is always followed by NULL. */
void argv_add(struct argv *argv, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* An option and its value. */
#define argv_option(argv, name, ...) (argv_add(argv, "%s", name), argv_add(argv, __VA_ARGS__))

#define CHILD_FDS 8

struct child {
	const char *name;
	const char *toolbox; /* the one it runs in; NULL: build/toolbox */
	struct argv argv;
	/* For the program to inherit, under the same numbers; closed here. */
	int fds[CHILD_FDS];
	int fd_count;

	pid_t pid;  /* 0: not running */
	int output; /* its stdout and stderr */
	int status; /* as waitpid() gives it, once pid is 0 again */
};

/* Hands a descriptor over; returns its number. */
int child_gives(struct child *child, int fd);
bool child_start(struct child *child, const char *top, const char *directory);
/* Did it end? */
bool child_reap(struct child *child);
void child_kill(struct child *child);
bool child_failed(const struct child *child);
/* "ended with status 3", "was killed by signal 9": in a static buffer. */
const char *child_fate(const struct child *child);

#endif
