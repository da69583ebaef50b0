/* SPDX-License-Identifier: MIT */
/*
 * The control port that a modelled GPU has beside it, and a real board has not: byte counters of
 * every link, a delay for the engines, and interrupts that are late or lost. Tests that can do
 * without it do.
 */
#ifndef NV_MODEL_H
#define NV_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "nouveau/nv_device.h"

/* Bytes that one unit of one GPU moved, by the memory they were in. */
struct nv_model_bytes {
	uint64_t system_read, system_write;
	uint64_t peer_read, peer_write;
	uint64_t vram_read, vram_write;
};

struct nv_model_stats {
	struct nv_model_bytes ce;		/* payload: copy engines, sum over all GPUs */
	struct nv_model_bytes gr;		/* shaders, their code and descriptors */
	struct nv_model_bytes host;		/* push buffers and semaphores */
	struct nv_model_bytes dma[NV_MAX_GPUS]; /* all that each GPU did as bus master */
	uint64_t faults[NV_MAX_GPUS];		/* that each GPU reported to its driver */
	uint64_t overflows;			/* faults that found the fault buffer full */
	uint64_t lost;				/* interrupts, as nv_model_irq_drop() wants it */
	uint64_t across; /* between GPUs, by a switch: counted where there is an IOMMU */
};

bool nv_model_present(void);
void nv_model_require(void);
void nv_model_stats(struct nv_model_stats *stats);
void nv_model_stats_since(struct nv_model_stats *stats, const struct nv_model_stats *before);
void nv_model_delay(const char *unit, unsigned int us);
void nv_model_irq_delay(unsigned int us);
void nv_model_irq_drop(unsigned int count);

#endif
