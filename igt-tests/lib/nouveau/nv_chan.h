/* SPDX-License-Identifier: MIT */
/*
 * Buffer objects and channels of nouveau by the GEM_PUSHBUF interface, the one that works together
 * with SVM. Completion is a semaphore that the channel writes and the CPU polls, so a test does not
 * depend on the kernel's fences unless it tests them.
 */
#ifndef NV_CHAN_H
#define NV_CHAN_H

#include <stdbool.h>
#include <stdint.h>

#define NV_CHAN_MAX_BOS 8
#define NV_CHAN_WAIT_MS 10000 /* what work may take */

struct nv_bo {
	int fd;
	uint32_t handle;
	uint32_t domain; /* VRAM, GART, or both */
	uint64_t size;
	uint64_t va; /* in the GPU's address space */
	void *map;
};

struct nv_chan {
	int fd;
	int id;
	struct nv_bo push;
	struct nv_bo sem;
	uint32_t start, next; /* words in push: first not submitted, first free */
	uint32_t payload;     /* of the latest submission */
	struct nv_bo *bos[NV_CHAN_MAX_BOS];
	int nr_bos;
};

int __nv_bo_create(struct nv_bo *bo, int fd, uint64_t size, uint32_t domain);
void nv_bo_create(struct nv_bo *bo, int fd, uint64_t size, uint32_t domain);
void nv_bo_unmap(struct nv_bo *bo);
void nv_bo_destroy(struct nv_bo *bo);
int nv_bo_wait(const struct nv_bo *bo);
void nv_bo_flush(const struct nv_bo *bo);

int __nv_chan_create(struct nv_chan *chan, int fd, uint32_t engine);
void nv_chan_create(struct nv_chan *chan, int fd, uint32_t engine);
void nv_chan_destroy(struct nv_chan *chan);
void nv_chan_attach(struct nv_chan *chan, struct nv_bo *bo);

void nv_chan_method(struct nv_chan *chan, unsigned int subchannel, unsigned int method,
		    unsigned int count, const uint32_t *data);
void nv_chan_release(struct nv_chan *chan, uint64_t va, uint32_t payload);
int __nv_chan_submit(struct nv_chan *chan);
int __nv_chan_wait(struct nv_chan *chan, unsigned int ms);
int __nv_chan_run(struct nv_chan *chan);
void nv_chan_run(struct nv_chan *chan);
int __nv_chan_ends(struct nv_chan *chan);
bool nv_chan_ends(struct nv_chan *chan);

#endif
