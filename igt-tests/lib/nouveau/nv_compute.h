/* SPDX-License-Identifier: MIT */
/*
 * Pascal's compute engine (classes C0C0 and C1C0): kernels that are launched as grids of blocks of
 * 32 threads on a channel of the GR engine. In an SVM address space their accesses may fault, and
 * go on once the driver has mapped the page.
 */
#ifndef NV_COMPUTE_H
#define NV_COMPUTE_H

#include <stddef.h>
#include <stdint.h>

#include "nouveau/nv_chan.h"
#include "nouveau/nv_kernels.h"

#define NV_COMPUTE_BLOCK 32 /* threads */
#define NV_COMPUTE_SLOTS 16 /* grids that may be in flight */

#define NV_COMPUTE_ALIGN_CODE	   128
#define NV_COMPUTE_ALIGN_CONSTANTS 256

struct nv_compute {
	struct nv_chan chan;
	struct nv_bo bo; /* in each slot: a kernel, its parameters, and the grid's descriptor */
	uint32_t chipset;
	uint32_t region; /* upper half of the addresses of code */
	unsigned int slot;
};

void nv_compute_create(struct nv_compute *compute, int fd, uint32_t chipset);
void nv_compute_destroy(struct nv_compute *compute);
void nv_compute_free_object(struct nv_compute *compute);
void nv_compute_abandon(struct nv_compute *compute);
void nv_compute_grid(struct nv_compute *compute, const struct nv_kernel *kernel,
		     unsigned int threads, const struct nv_kernel_args *args);
void nv_compute_grid_at(struct nv_compute *compute, const struct nv_kernel *kernel,
			unsigned int threads, uint64_t code, uint64_t constants);
void nv_compute_launch(struct nv_compute *compute, uint64_t qmd);
void nv_compute_run(struct nv_compute *compute, const struct nv_kernel *kernel,
		    unsigned int threads, const struct nv_kernel_args *args);

#endif
