/* SPDX-License-Identifier: MIT */
/* The private directory of one run, for its sockets. */
#ifndef RIG_SCRATCH_H
#define RIG_SCRATCH_H

/*
 * Makes a directory under `parent` and removes those of runs that were killed.
 * Dies with a message when it cannot.
 */
char *scratch_make(const char *parent);
void scratch_remove(const char *directory);

#endif
