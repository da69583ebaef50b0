/* SPDX-License-Identifier: MIT */
/*
 * One GPU: the sum of its units, and the few things all of them share.
 *
 * Two threads serve a GPU. The socket thread answers QEMU (registers, BARs,
 * configuration space) and never waits for DMA. The engine thread runs
 * channels and may wait for DMA. Both hold gpu->lock while they touch state.
 */
#ifndef GPU_H
#define GPU_H

#include <pthread.h>
#include <stdio.h>

#include "bar.h"
#include "bus.h"
#include "ce.h"
#include "chip.h"
#include "engine.h"
#include "fault.h"
#include "fb.h"
#include "gr.h"
#include "host.h"
#include "mmio.h"
#include "mmu.h"
#include "falcon.h"
#include "pbus.h"
#include "pci.h"
#include "pmc.h"
#include "ptimer.h"
#include "sked.h"
#include "stats.h"
#include "types.h"

/*
 * A hardware unit. gpu.c lists them in the order in which they are
 * initialised; init registers the unit's registers (mmio_register()) and its
 * reset with the PMC, reset puts its state to what a cold board has.
 * All three run with gpu->lock held; init and fini run once, reset at power
 * on and on a PCI reset (state is kept through D3hot). Optional ones may be NULL.
 */
struct unit {
	const char *name;
	void (*init)(struct gpu *gpu);
	void (*reset)(struct gpu *gpu);
	void (*fini)(struct gpu *gpu);
};

struct gpu_config {
	const struct chip *chip;
	unsigned int index; /* position in the machine, 0-based */
	u64 vram_bytes;	    /* multiple of 64 MiB */
	u64 bar1_bytes;	    /* power of two, >= 64 MiB */
	u32 channels;	    /* fewer than the chip has; 0: as many */
	u32 fault_entries;  /* of the replayable-fault buffer; 0: as many as the chip has */
};

struct gpu {
	struct gpu_config config;
	pthread_mutex_t lock;

	struct pci_function pci;
	struct bus bus;
	struct stats stats;
	struct mmio mmio;
	struct engine engine;

	struct fb fb;
	struct mmu mmu;
	struct bars bars;
	struct pmc pmc;
	struct pbus pbus;
	struct ptimer ptimer;
	struct falcons falcons;
	struct host host;
	struct ce ce;
	struct fault fault;
	struct gr gr;
	struct sked sked;
};

/*
 * Create a GPU in its power-on state, without any connection: bus.ops and
 * pci.irq are set by whoever attaches it (the vfio-user server, or a test).
 * Returns NULL with a message on stderr when memory is short or the
 * configuration makes no sense. The engine thread is started by
 * engine_start(), so that a unit test can step the engines itself.
 */
struct gpu *gpu_create(const struct gpu_config *config);
void gpu_destroy(struct gpu *gpu);

/* PCI reset: all units, memory contents kept. Caller holds gpu->lock. */
void gpu_reset(struct gpu *gpu);

/* Log one line, prefixed by time and GPU index. GPU_WARN means the guest did something wrong. */
enum log_level {
	GPU_ERROR,
	GPU_WARN,
	GPU_INFO,
	GPU_DEBUG
};
/* Where the log goes and from which level on: stderr and GPU_WARN, unless this says otherwise. */
void gpu_log_to(FILE *out, enum log_level level);
void gpu_log(const struct gpu *gpu, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
