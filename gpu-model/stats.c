/* SPDX-License-Identifier: MIT */
/* The counters of one GPU as JSON. */
#include "gpu.h"

_Static_assert(STATS_CLIENTS == CLIENT_COUNT, "one row a client");

static const char *const client_names[CLIENT_COUNT] = {
	[CLIENT_CPU] = "cpu", [CLIENT_HOST] = "host", [CLIENT_CE] = "ce",
	[CLIENT_GR] = "gr",   [CLIENT_MMU] = "mmu",   [CLIENT_OTHER] = "other",
};

static const char *const kind_names[STATS_KINDS] = {
	[STATS_SYSTEM_READ] = "system_read_bytes", [STATS_SYSTEM_WRITE] = "system_write_bytes",
	[STATS_PEER_READ] = "peer_read_bytes",	   [STATS_PEER_WRITE] = "peer_write_bytes",
	[STATS_VRAM_READ] = "vram_read_bytes",	   [STATS_VRAM_WRITE] = "vram_write_bytes",
};

static unsigned long long ull(u64 v)
{
	return v;
}

void stats_print(struct gpu *gpu, FILE *out)
{
	const struct stats *stats = &gpu->stats;

	pthread_mutex_lock(&gpu->lock);
	fprintf(out, "{\"index\":%u,\"bdf\":null", gpu->config.index);
	for (int client = 0; client < CLIENT_COUNT; client++) {
		fprintf(out, ",\"%s\":{", client_names[client]);
		for (int kind = 0; kind < STATS_KINDS; kind++)
			fprintf(out, "%s\"%s\":%llu", kind ? "," : "", kind_names[kind],
				ull(stats->bytes[client][kind]));
		fputc('}', out);
	}
	fprintf(out,
		",\"bar1\":{\"read_bytes\":%llu,\"write_bytes\":%llu,"
		"\"peer_served_read_bytes\":%llu,\"peer_served_write_bytes\":%llu}",
		ull(stats->bar1_read), ull(stats->bar1_write), ull(stats->bar1_peer_read),
		ull(stats->bar1_peer_write));
	fprintf(out, ",\"switch\":{\"peer_bytes\":%llu}", ull(stats->across));
	fprintf(out, ",\"mmio\":{\"bar0_reads\":%llu,\"bar0_writes\":%llu}", ull(gpu->mmio.reads),
		ull(gpu->mmio.writes));
	fprintf(out, ",\"tlb\":{\"walks\":%llu,\"hits\":%llu,\"invalidates\":%llu}",
		ull(gpu->mmu.walks), ull(gpu->mmu.hits), ull(gpu->mmu.invalidates));
	fprintf(out, ",\"interrupts\":%llu,\"interrupts_lost\":%llu", ull(stats->interrupts),
		ull(stats->interrupts_lost));
	fprintf(out, ",\"faults\":%llu,\"fault_overflows\":%llu}", ull(gpu->fault.reported),
		ull(gpu->fault.overflows));
	pthread_mutex_unlock(&gpu->lock);
}
