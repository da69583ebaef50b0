/* SPDX-License-Identifier: MIT */
/*
 * A GPU at work on this process's memory: an SVM address space, a copy-engine channel in it, and a
 * buffer in the GPU's VRAM that data is copied to and from, with one in RAM to look at it from.
 */
#ifndef NV_WORKER_H
#define NV_WORKER_H

#include <stddef.h>
#include <stdint.h>

#include "nouveau/nv_chan.h"
#include "nouveau/nv_device.h"
#include "nouveau/nv_svm.h"

#define NV_WORKER_SIZE NV_HUGE_SIZE

/* What nouveau logs when it kills a channel, for igt_emit_ignore_dmesg_regex(). */
#define NV_KILLED_DMESG "nouveau [0-9a-f:.]+: .*(fault|killed|errored|rc scheduled|error fencing)"

struct nv_worker {
	struct nv_svm svm;
	struct nv_chan chan;
	struct nv_bo vram;
	struct nv_bo ram;
};

void nv_worker_create(struct nv_worker *worker, const struct nv_gpu *gpu);
void nv_worker_destroy(struct nv_worker *worker);
void nv_worker_abandon(struct nv_worker *worker);

int __nv_worker_read(struct nv_worker *worker, const void *ptr, size_t len);
void nv_worker_read(struct nv_worker *worker, const void *ptr, size_t len);
int __nv_worker_write(struct nv_worker *worker, void *ptr, size_t len);
void nv_worker_write(struct nv_worker *worker, void *ptr, size_t len);
void nv_worker_read_faults(struct nv_worker *worker, const void *ptr, size_t len);
void nv_worker_write_faults(struct nv_worker *worker, void *ptr, size_t len);

void nv_worker_fill(struct nv_worker *worker, size_t len, uint32_t seed);
void nv_worker_check(struct nv_worker *worker, size_t len, uint32_t seed);

#endif
