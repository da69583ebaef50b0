// SPDX-License-Identifier: MIT
/*
 * A GPU at work on this process's memory. Data goes user pointer <-> VRAM by one copy, so that what
 * is measured around it is that copy alone; looking at the VRAM buffer is a copy of its own, since
 * reading VRAM by the CPU is slow.
 */
#include "igt.h"
#include "nouveau_drm.h"
#include "nouveau/nv_ce.h"
#include "nouveau/nv_worker.h"

/* Skips where the kernel has no SVM. Whether it can map user pages for the engine is not asked. */
void nv_worker_create(struct nv_worker *worker, const struct nv_gpu *gpu)
{
	memset(worker, 0, sizeof(*worker));
	nv_svm_init(&worker->svm, drm_reopen_driver(gpu->fd));
	nv_chan_create(&worker->chan, worker->svm.fd, NOUVEAU_FIFO_ENGINE_CE);
	nv_ce_init(&worker->chan, gpu->chipset);
	nv_bo_create(&worker->vram, worker->svm.fd, NV_WORKER_SIZE, NOUVEAU_GEM_DOMAIN_VRAM);
	nv_bo_create(&worker->ram, worker->svm.fd, NV_WORKER_SIZE,
		     NOUVEAU_GEM_DOMAIN_GART | NOUVEAU_GEM_DOMAIN_COHERENT);
	nv_chan_attach(&worker->chan, &worker->vram);
	nv_chan_attach(&worker->chan, &worker->ram);
}

void nv_worker_destroy(struct nv_worker *worker)
{
	nv_chan_destroy(&worker->chan);
	nv_bo_destroy(&worker->ram);
	nv_bo_destroy(&worker->vram);
	nv_svm_fini(&worker->svm);
}

/* Lets go of a GPU whose driver went away: its files answer no ioctl any more. */
void nv_worker_abandon(struct nv_worker *worker)
{
	struct nv_bo *bos[] = { &worker->vram, &worker->ram, &worker->chan.push,
				&worker->chan.sem };

	for (int i = 0; i < ARRAY_SIZE(bos); i++)
		nv_bo_unmap(bos[i]);
	nv_svm_fini(&worker->svm);
}

static int copy(struct nv_worker *worker, uint64_t dst, uint64_t src, size_t len)
{
	igt_assert(len <= NV_WORKER_SIZE);
	nv_ce_copy(&worker->chan, dst, src, len);

	return __nv_chan_run(&worker->chan);
}

static void assert_done(const struct nv_worker *worker, int ret, const char *what)
{
	igt_assert_f(!ret, "channel %d: %s: %s\n", worker->chan.id, what, strerror(-ret));
}

/* User pointer to VRAM. */
int __nv_worker_read(struct nv_worker *worker, const void *ptr, size_t len)
{
	return copy(worker, worker->vram.va, (uintptr_t)ptr, len);
}

void nv_worker_read(struct nv_worker *worker, const void *ptr, size_t len)
{
	assert_done(worker, __nv_worker_read(worker, ptr, len), "read by the copy engine");
}

/* VRAM to user pointer. */
int __nv_worker_write(struct nv_worker *worker, void *ptr, size_t len)
{
	return copy(worker, (uintptr_t)ptr, worker->vram.va, len);
}

void nv_worker_write(struct nv_worker *worker, void *ptr, size_t len)
{
	assert_done(worker, __nv_worker_write(worker, ptr, len), "write by the copy engine");
}

static void assert_faults(struct nv_worker *worker, uint64_t dst, uint64_t src, size_t len)
{
	struct nv_chan *chan = &worker->chan;
	int ret;

	nv_ce_copy(chan, dst, src, len);
	ret = __nv_chan_submit(chan);
	/*
	 * The driver kills the channel some time after the engine stops, in 10 s at most, which
	 * may be before the submission returns.
	 */
	for (int i = 0; i < 500 && !ret; i++) {
		igt_assert_f(__nv_chan_wait(chan, 20), "the access did not fault\n");
		ret = __nv_chan_submit(chan);
	}
	igt_assert_eq(ret, -ENODEV);
}

/* Asserts that the access faults. That kills the channel, so it comes last in a subtest. */
void nv_worker_read_faults(struct nv_worker *worker, const void *ptr, size_t len)
{
	assert_faults(worker, worker->vram.va, (uintptr_t)ptr, len);
}

void nv_worker_write_faults(struct nv_worker *worker, void *ptr, size_t len)
{
	assert_faults(worker, (uintptr_t)ptr, worker->vram.va, len);
}

/* Puts the pattern of @seed into the VRAM buffer. */
void nv_worker_fill(struct nv_worker *worker, size_t len, uint32_t seed)
{
	nv_fill(worker->ram.map, len, seed);
	assert_done(worker, copy(worker, worker->vram.va, worker->ram.va, len), "fill");
}

/* Asserts that the VRAM buffer holds the pattern of @seed. */
void nv_worker_check(struct nv_worker *worker, size_t len, uint32_t seed)
{
	assert_done(worker, copy(worker, worker->ram.va, worker->vram.va, len), "check");
	nv_check(worker->ram.map, len, seed);
}
