/* SPDX-License-Identifier: MIT */
/* What the VM runner tells its user. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "say.h"

static void say_list(const char *format, va_list args)
{
	fputs("rig/vm: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_list(format, args);
	va_end(args);
}

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_list(format, args);
	va_end(args);
	exit(STATUS_NO_RUN);
}
