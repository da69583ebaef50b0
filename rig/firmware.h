/* SPDX-License-Identifier: MIT */
/* The firmware files that nouveau wants for a GP100, as somebody else has them. */
#ifndef RIG_FIRMWARE_H
#define RIG_FIRMWARE_H

#include <stdbool.h>

/* Dies with the names of those that `directory` has not. */
void firmware_check(const char *directory);
/* `to` is made. Whatever links there are in `from`, these are files. */
bool firmware_copy(const char *from, const char *to);

#endif
