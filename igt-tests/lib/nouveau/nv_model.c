// SPDX-License-Identifier: MIT
/*
 * Control port of a modelled GPU: one line out, one line back. "stats" answers JSON, of which we
 * read the numbers of the flat objects in each element of "gpus".
 */
#include <fcntl.h>

#include "igt.h"
#include "nouveau/nv_model.h"

#define PORT	   "/dev/virtio-ports/gp100.control"
#define MAX_ANSWER (64 << 10)

bool nv_model_present(void)
{
	return !access(PORT, R_OK | W_OK);
}

void nv_model_require(void)
{
	igt_require_f(nv_model_present(),
		      "needs the counters of a modelled GPU (" PORT "), a real board has none\n");
}

static void command(const char *line, char *answer, size_t size)
{
	int fd = open(PORT, O_RDWR);
	size_t used = 0;

	igt_assert_f(fd >= 0, PORT ": %s\n", strerror(errno));
	igt_assert_eq_u64(write(fd, line, strlen(line)), strlen(line));
	do {
		ssize_t got = read(fd, answer + used, size - 1 - used);

		igt_assert_f(got > 0, PORT ": no answer to %s", line);
		used += got;
	} while (answer[used - 1] != '\n');
	answer[used] = 0;
	close(fd);
}

/* The number of @key in the flat object @name in @json, [@json, @end). */
static uint64_t number(const char *json, const char *end, const char *name, const char *key)
{
	const char *object = strstr(json, name), *found, *close;

	igt_assert_f(object && object < end, "the model's answer has no %s\n", name);
	close = strchr(object, '}');
	found = strstr(object, key);
	igt_assert_f(found && found < close, "the model's %s has no %s\n", name, key);

	return strtoull(strchr(found, ':') + 1, NULL, 10);
}

static void add_bytes(const char *json, const char *end, const char *name,
		      struct nv_model_bytes *bytes)
{
	bytes->system_read += number(json, end, name, "\"system_read_bytes\"");
	bytes->system_write += number(json, end, name, "\"system_write_bytes\"");
	bytes->peer_read += number(json, end, name, "\"peer_read_bytes\"");
	bytes->peer_write += number(json, end, name, "\"peer_write_bytes\"");
	bytes->vram_read += number(json, end, name, "\"vram_read_bytes\"");
	bytes->vram_write += number(json, end, name, "\"vram_write_bytes\"");
}

void nv_model_stats(struct nv_model_stats *stats)
{
	static const char *const masters[] = { "\"host\"", "\"ce\"", "\"gr\"", "\"mmu\"",
					       "\"other\"" };
	char *answer = malloc(MAX_ANSWER), *gpu;

	igt_assert(answer);
	command("stats\n", answer, MAX_ANSWER);
	memset(stats, 0, sizeof(*stats));
	gpu = strstr(answer, "\"index\"");
	igt_assert_f(gpu, "the model counts no GPU: %s", answer);
	while (gpu) {
		char *next = strstr(gpu + 1, "\"index\"");
		const char *end = next ? next : answer + strlen(answer);
		const unsigned int index = strtoul(strchr(gpu, ':') + 1, NULL, 10);

		igt_assert(index < NV_MAX_GPUS);
		add_bytes(gpu, end, "\"ce\"", &stats->ce);
		add_bytes(gpu, end, "\"gr\"", &stats->gr);
		add_bytes(gpu, end, "\"host\"", &stats->host);
		stats->across += number(gpu, end, "\"switch\"", "\"peer_bytes\"");
		for (int i = 0; i < ARRAY_SIZE(masters); i++)
			add_bytes(gpu, end, masters[i], &stats->dma[index]);
		stats->faults[index] = number(gpu, end, "\"interrupts\"", "\"faults\"");
		stats->overflows += number(gpu, end, "\"interrupts\"", "\"fault_overflows\"");
		stats->lost += number(gpu, end, "\"interrupts\"", "\"interrupts_lost\"");
		gpu = next;
	}
	free(answer);
}

static void subtract(struct nv_model_bytes *bytes, const struct nv_model_bytes *before)
{
	bytes->system_read -= before->system_read;
	bytes->system_write -= before->system_write;
	bytes->peer_read -= before->peer_read;
	bytes->peer_write -= before->peer_write;
	bytes->vram_read -= before->vram_read;
	bytes->vram_write -= before->vram_write;
}

/* What was moved since @before was taken. */
void nv_model_stats_since(struct nv_model_stats *stats, const struct nv_model_stats *before)
{
	nv_model_stats(stats);
	subtract(&stats->ce, &before->ce);
	subtract(&stats->gr, &before->gr);
	subtract(&stats->host, &before->host);
	stats->overflows -= before->overflows;
	stats->lost -= before->lost;
	stats->across -= before->across;
	for (int i = 0; i < NV_MAX_GPUS; i++) {
		subtract(&stats->dma[i], &before->dma[i]);
		stats->faults[i] -= before->faults[i];
	}
}

static void order(const char *line)
{
	char answer[256];

	command(line, answer, sizeof(answer));
	igt_assert_f(!strcmp(answer, "ok\n"), "the model answered '%s' to %s", answer, line);
}

/* Makes what @unit ("ce", "mmu") does on any GPU take @us longer. */
void nv_model_delay(const char *unit, unsigned int us)
{
	char line[64];

	snprintf(line, sizeof(line), "delay %s %u\n", unit, us);
	order(line);
}

/* From here on, interrupts of all GPUs are @us late. */
void nv_model_irq_delay(unsigned int us)
{
	char line[64];

	snprintf(line, sizeof(line), "irq delay %u\n", us);
	order(line);
}

/* The next @count interrupts of each GPU get lost. With 0 none do, and the latest comes late. */
void nv_model_irq_drop(unsigned int count)
{
	char line[64];

	snprintf(line, sizeof(line), "irq drop %u\n", count);
	order(line);
}
