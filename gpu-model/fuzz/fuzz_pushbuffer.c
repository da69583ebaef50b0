/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: everything a channel's owner can write. The input is words: first those laid
 * over RAMFC and the page tables, as their index says, then GP entries, then pushbuffer.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "bench.h"
#include "fuzz.h"

#define OVERLAYS_MAX 15
#define ENTRIES_MAX  7
#define RUN_US	     20000
#define STEPS_MAX    64

static struct bench *bench;
static u64 heap;

/* A copy of 2^60 bytes is legal, and slow: it ends as any work of a stopped engine. */
static void stop(int sig)
{
	(void)sig;
	bench->gpu->engine.stop = true;
}

static void set_timer(long us)
{
	const struct itimerval timer = { .it_value.tv_usec = us };

	setitimer(ITIMER_REAL, &timer, NULL);
}

static u32 take(const u8 **data, size_t *size)
{
	u32 word = 0;
	size_t n = *size < 4 ? *size : 4;

	memcpy(&word, *data, n);
	*data += n;
	*size -= n;
	return word;
}

static void run(void)
{
	struct gpu *gpu = bench->gpu;

	set_timer(RUN_US);
	pthread_mutex_lock(&gpu->lock);
	for (unsigned int i = 0; i < STEPS_MAX && !gpu->engine.stop; i++)
		engine_step(gpu);
	set_timer(0);
	gpu->engine.stop = false;
	pthread_mutex_unlock(&gpu->lock);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct bench_channel channel;
	u32 counts;

	if (!bench) {
		bench = bench_new();
		heap = bench->free;
		signal(SIGALRM, stop);
	}
	counts = take(&data, &size);
	bench_restart(bench, heap);
	bench_channel(bench, &channel, 3, counts >> 16 & 1, counts >> 17 & 1);
	bench_map_new(bench, 0x1000000, 0x10000);
	for (unsigned int i = 0; i < (counts & OVERLAYS_MAX); i++) {
		u32 at = take(&data, &size), word = take(&data, &size);

		if (at & 1)
			bench_set_vram32(bench, channel.inst + (at & 0x3fc), word);
		else
			bench_set_vram32(bench, heap + at % (bench->free - heap) / 4 * 4, word);
	}
	for (unsigned int i = 0; i < (counts >> 8 & ENTRIES_MAX); i++) {
		u32 lo = take(&data, &size), hi = take(&data, &size);

		bench_kick_entry(&channel, lo, hi);
	}
	while (size && channel.words < BENCH_PUSH_BYTES / 8)
		push(&channel, take(&data, &size));
	bench_kick(&channel);
	run();
	/* as a driver goes on after an interrupt */
	bench_set_reg(bench, 0x0400c0 + 0x2000 * channel.runlist, 0x80600008);
	bench_set_reg(bench, 0x040108 + 0x2000 * channel.runlist, ~0u);
	bench_set_reg(bench, 0x040148 + 0x2000 * channel.runlist, ~0u);
	run();
	return 0;
}
