/* SPDX-License-Identifier: MIT */
/* A GPU: its units in the order of their initialisation, its reset, and its log. */
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gpu.h"

static const struct unit *const units[] = {
	&pmc_unit,   &xve_unit,	 &pbus_unit,   &fuse_unit, &therm_unit, &ptimer_unit,
	&ptop_unit,  &prom_unit, &fb_unit,     &mmu_unit,  &bar_unit,	&host_unit,
	&fault_unit, &ce_unit,	 &falcon_unit, &acr_unit,  &gr_unit,	&fecs_unit,  &utlb_unit,
};

static bool config_makes_sense(const struct gpu_config *config)
{
	if (config->vram_bytes && !(config->vram_bytes % (UINT64_C(64) << 20)) &&
	    config->bar1_bytes >= (UINT64_C(64) << 20) &&
	    !(config->bar1_bytes & (config->bar1_bytes - 1)))
		return true;
	fprintf(stderr, "gp100: VRAM must be a multiple of 64 MiB and BAR1 a power of two from "
			"64 MiB on\n");
	return false;
}

void gpu_reset(struct gpu *gpu)
{
	mmio_reset(gpu);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (units[i]->reset)
			units[i]->reset(gpu);
}

struct gpu *gpu_create(const struct gpu_config *config)
{
	struct gpu *gpu;

	if (!config_makes_sense(config))
		return NULL;
	gpu = calloc(1, sizeof(*gpu));
	if (!gpu) {
		fprintf(stderr, "gp100: out of memory\n");
		return NULL;
	}
	gpu->config = *config;
	if (!gpu->config.channels)
		gpu->config.channels = config->chip->channels;
	if (!gpu->config.fault_entries)
		gpu->config.fault_entries = config->chip->fault_buffer_entries;
	pthread_mutex_init(&gpu->lock, NULL);
	pthread_mutex_lock(&gpu->lock);
	mmio_init(gpu);
	dma_map_init(&gpu->bus.map);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (units[i]->init)
			units[i]->init(gpu);
	pci_init(gpu);
	gpu_reset(gpu);
	pthread_mutex_unlock(&gpu->lock);
	return gpu;
}

void gpu_destroy(struct gpu *gpu)
{
	engine_stop(gpu);
	pthread_mutex_lock(&gpu->lock);
	for (size_t i = ARRAY_SIZE(units); i--;)
		if (units[i]->fini)
			units[i]->fini(gpu);
	dma_map_fini(&gpu->bus.map);
	mmio_fini(gpu);
	pthread_mutex_unlock(&gpu->lock);
	pthread_mutex_destroy(&gpu->lock);
	free(gpu);
}

/* Lines about what the guest did: as many as anybody reads, not as many as it can cause. */
#define GUEST_LINES_MAX 10000

static FILE *log_file;
static enum log_level log_threshold = GPU_WARN;
static atomic_uint guest_lines;

void gpu_log_to(FILE *out, enum log_level level)
{
	log_file = out;
	log_threshold = level;
	guest_lines = 0;
}

void gpu_log(const struct gpu *gpu, enum log_level level, const char *fmt, ...)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };
	struct timespec ts;
	unsigned int number = 0;
	char line[512];
	va_list args;

	if (level > log_threshold)
		return;
	if (level >= GPU_WARN && guest_lines <= GUEST_LINES_MAX)
		number = ++guest_lines;
	else if (level >= GPU_WARN)
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	/* one call, so that lines of several threads do not mix */
	fprintf(log_file ? log_file : stderr, "[%5lld.%06ld] GPU %u: %s: %s\n",
		(long long)ts.tv_sec, ts.tv_nsec / 1000, gpu->config.index, names[level],
		number > GUEST_LINES_MAX ? "too many lines: errors alone from here on" : line);
}
