/* SPDX-License-Identifier: MIT */
/* See control.h. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"

#define LINE_BYTES   128
#define DELAY_US_MAX 60000000

bool control_set_delay(struct engine_delay *delay, const char *name, const char *us)
{
	char *end;
	unsigned long val = strtoul(us, &end, 10);

	if (end == us || *end || val > DELAY_US_MAX)
		return false;
	if (!strcmp(name, "ce"))
		delay->ce = (u32)val;
	else if (!strcmp(name, "gr"))
		delay->gr = (u32)val;
	else if (!strcmp(name, "host"))
		delay->host = (u32)val;
	else if (!strcmp(name, "mmu"))
		delay->mmu = (u32)val;
	else
		return false;
	return true;
}

static bool set_delays(struct machine *machine, const char *name, const char *us)
{
	bool ok = true;

	for (unsigned int i = 0; i < machine->count && ok; i++) {
		struct gpu *gpu = machine->port[i].gpu;

		pthread_mutex_lock(&gpu->lock);
		ok = control_set_delay(&gpu->engine.delay, name, us);
		pthread_mutex_unlock(&gpu->lock);
	}
	return ok;
}

/* One line in, one line out. */
static void answer(struct machine *machine, const char *line, FILE *out)
{
	char name[16], us[16];

	if (!strcmp(line, "stats"))
		machine_stats(machine, out);
	else if (sscanf(line, "delay %15s %15s", name, us) == 2 && set_delays(machine, name, us))
		fputs("ok\n", out);
	else
		fputs("error: stats, or delay UNIT US with ce, gr, host or mmu for UNIT\n", out);
}

/* The rest of a line that is too long to be a command: it may have no end. */
static void skip_line(FILE *in)
{
	int c;

	do
		c = getc(in);
	while (c != EOF && c != '\n');
}

void control_serve(struct machine *machine, int fd)
{
	FILE *in = fdopen(fd, "r"), *out = in ? fdopen(dup(fd), "w") : NULL;
	char line[LINE_BYTES];

	while (out && fgets(line, sizeof(line), in)) {
		size_t len = strcspn(line, "\r\n");

		if (!line[len])
			skip_line(in);
		line[len] = '\0';
		answer(machine, line, out);
		fflush(out);
	}
	if (out)
		fclose(out);
	if (in)
		fclose(in);
	else
		close(fd);
}
