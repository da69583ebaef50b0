/* SPDX-License-Identifier: MIT */
/* See control.h. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"

#define LINE_BYTES   128
#define DELAY_US_MAX 60000000
#define DROP_MAX     1000000

static bool number(const char *text, int base, unsigned long max, u32 *val)
{
	char *end;
	unsigned long parsed = strtoul(text, &end, base);

	if (end == text || *end || *text == '-' || parsed > max)
		return false;
	*val = (u32)parsed;
	return true;
}

bool control_set_delay(struct engine_delay *delay, const char *name, const char *us)
{
	u32 val;

	if (!number(us, 10, DELAY_US_MAX, &val))
		return false;
	if (!strcmp(name, "ce"))
		delay->ce = val;
	else if (!strcmp(name, "gr"))
		delay->gr = val;
	else if (!strcmp(name, "host"))
		delay->host = val;
	else if (!strcmp(name, "mmu"))
		delay->mmu = val;
	else
		return false;
	return true;
}

/* What is to go wrong with interrupts: all of them late, or the next ones lost. */
static bool set_irq(struct gpu *gpu, const char *what, const char *value)
{
	u32 count;

	if (!strcmp(what, "delay"))
		return number(value, 10, DELAY_US_MAX, &gpu->pci.msi_delay_us);
	if (strcmp(what, "drop") != 0 || !number(value, 10, DROP_MAX, &count))
		return false;
	pci_msi_drop(gpu, count);
	return true;
}

static bool set_irqs(struct machine *machine, const char *what, const char *value)
{
	bool ok = true;

	for (unsigned int i = 0; i < machine->count && ok; i++) {
		struct gpu *gpu = machine->port[i].gpu;

		pthread_mutex_lock(&gpu->lock);
		ok = set_irq(gpu, what, value);
		pthread_mutex_unlock(&gpu->lock);
	}
	return ok;
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

static bool hold_next(struct machine *machine, const char *addr, const char *us)
{
	u32 at, time;

	if (!number(addr, 16, BAR0_SIZE - 4, &at) || at % 4 || !number(us, 10, DELAY_US_MAX, &time))
		return false;
	for (unsigned int i = 0; i < machine->count; i++) {
		struct gpu *gpu = machine->port[i].gpu;

		pthread_mutex_lock(&gpu->lock);
		mmio_hold(gpu, at, time);
		pthread_mutex_unlock(&gpu->lock);
	}
	return true;
}

/* One line in, one line out. */
static void answer(struct machine *machine, const char *line, FILE *out)
{
	char name[16], value[16];

	if (!strcmp(line, "stats"))
		machine_stats(machine, out);
	else if (sscanf(line, "delay %15s %15s", name, value) == 2 &&
		 set_delays(machine, name, value))
		fputs("ok\n", out);
	else if (sscanf(line, "irq %15s %15s", name, value) == 2 && set_irqs(machine, name, value))
		fputs("ok\n", out);
	else if (sscanf(line, "hold %15s %15s", name, value) == 2 &&
		 hold_next(machine, name, value))
		fputs("ok\n", out);
	else
		fputs("error: stats; delay UNIT US with ce, gr, host or mmu for UNIT; irq delay US; "
		      "irq drop N; or hold REGISTER US\n",
		      out);
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
