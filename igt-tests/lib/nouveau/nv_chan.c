// SPDX-License-Identifier: MIT
/*
 * Buffer objects and channels of nouveau. Host methods as in NVIDIA's published class 906F, which
 * Pascal's C06F continues: SEMAPHOREA to D at 0x10 to 0x1c.
 */
#include "igt.h"
#include "nouveau_drm.h"
#include "nouveau/nv_chan.h"

#define PUSH_SIZE (64 << 10)

#define HOST_SEMAPHOREA 0x10
#define RELEASE_4_BYTES (1 << 24 | 2) /* SEMAPHORED: RELEASE_SIZE 4BYTE, OPERATION RELEASE */

/* Returns: 0, or -errno; -ENOMEM where there is no room in @domain. */
int __nv_bo_create(struct nv_bo *bo, int fd, uint64_t size, uint32_t domain)
{
	struct drm_nouveau_gem_new new = {
		.info = { .size = size, .domain = domain | NOUVEAU_GEM_DOMAIN_MAPPABLE },
		.align = 4096,
	};

	if (igt_ioctl(fd, DRM_IOCTL_NOUVEAU_GEM_NEW, &new))
		return -errno;
	bo->fd = fd;
	bo->handle = new.info.handle;
	bo->size = new.info.size;
	bo->domain = domain & (NOUVEAU_GEM_DOMAIN_VRAM | NOUVEAU_GEM_DOMAIN_GART);
	bo->va = new.info.offset;
	bo->map = mmap(NULL, bo->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, new.info.map_handle);
	igt_assert_f(bo->map != MAP_FAILED, "mmap of a buffer object: %s\n", strerror(errno));

	return 0;
}

void nv_bo_create(struct nv_bo *bo, int fd, uint64_t size, uint32_t domain)
{
	igt_assert_eq(__nv_bo_create(bo, fd, size, domain), 0);
}

void nv_bo_unmap(struct nv_bo *bo)
{
	munmap(bo->map, bo->size);
}

void nv_bo_destroy(struct nv_bo *bo)
{
	struct drm_gem_close gem_close = { .handle = bo->handle };

	nv_bo_unmap(bo);
	do_ioctl(bo->fd, DRM_IOCTL_GEM_CLOSE, &gem_close);
}

/* Waits for the kernel's fences on @bo. Returns 0 or -errno. */
int nv_bo_wait(const struct nv_bo *bo)
{
	struct drm_nouveau_gem_cpu_prep prep = {
		.handle = bo->handle,
		.flags = NOUVEAU_GEM_CPU_PREP_WRITE,
	};

	return igt_ioctl(bo->fd, DRM_IOCTL_NOUVEAU_GEM_CPU_PREP, &prep) ? -errno : 0;
}

/* Gives @bo back to the GPU after nv_bo_wait(). */
void nv_bo_flush(const struct nv_bo *bo)
{
	struct drm_nouveau_gem_cpu_fini fini = { .handle = bo->handle };

	do_ioctl(bo->fd, DRM_IOCTL_NOUVEAU_GEM_CPU_FINI, &fini);
}

/**
 * __nv_chan_create:
 * @chan: filled in
 * @fd: device file; a channel made after SVM_INIT runs in the SVM address space
 * @engine: NOUVEAU_FIFO_ENGINE_x
 */
int __nv_chan_create(struct nv_chan *chan, int fd, uint32_t engine)
{
	struct drm_nouveau_channel_alloc alloc = {
		.fb_ctxdma_handle = ~0u,
		.tt_ctxdma_handle = engine,
	};

	memset(chan, 0, sizeof(*chan));
	if (igt_ioctl(fd, DRM_IOCTL_NOUVEAU_CHANNEL_ALLOC, &alloc))
		return -errno;
	chan->fd = fd;
	chan->id = alloc.channel;
	nv_bo_create(&chan->push, fd, PUSH_SIZE, NOUVEAU_GEM_DOMAIN_GART);
	nv_bo_create(&chan->sem, fd, 4096, NOUVEAU_GEM_DOMAIN_GART | NOUVEAU_GEM_DOMAIN_COHERENT);
	memset(chan->sem.map, 0, chan->sem.size);
	nv_chan_attach(chan, &chan->push);
	nv_chan_attach(chan, &chan->sem);

	return 0;
}

void nv_chan_create(struct nv_chan *chan, int fd, uint32_t engine)
{
	igt_assert_eq(__nv_chan_create(chan, fd, engine), 0);
}

void nv_chan_destroy(struct nv_chan *chan)
{
	struct drm_nouveau_channel_free channel_free = { .channel = chan->id };

	do_ioctl(chan->fd, DRM_IOCTL_NOUVEAU_CHANNEL_FREE, &channel_free);
	nv_bo_destroy(&chan->sem);
	nv_bo_destroy(&chan->push);
}

/* Names a buffer object that the channel's work uses: it is then resident, and fenced. */
void nv_chan_attach(struct nv_chan *chan, struct nv_bo *bo)
{
	igt_assert(chan->nr_bos < NV_CHAN_MAX_BOS);
	chan->bos[chan->nr_bos++] = bo;
}

void nv_chan_method(struct nv_chan *chan, unsigned int subchannel, unsigned int method,
		    unsigned int count, const uint32_t *data)
{
	uint32_t *push = chan->push.map;

	igt_assert_f(chan->next + 1 + count <= PUSH_SIZE / sizeof(*push),
		     "push buffer full: submit and wait first\n");
	push[chan->next++] = 1 << 29 | count << 16 | subchannel << 13 | method >> 2;
	memcpy(push + chan->next, data, count * sizeof(*push));
	chan->next += count;
}

/* Has Host write @payload to @va, an address below 2^40. */
void nv_chan_release(struct nv_chan *chan, uint64_t va, uint32_t payload)
{
	const uint32_t release[] = { va >> 32, va, payload, RELEASE_4_BYTES };

	nv_chan_method(chan, 0, HOST_SEMAPHOREA, ARRAY_SIZE(release), release);
}

/**
 * __nv_chan_submit:
 *
 * Starts all methods since the last submission, with a semaphore release behind them.
 * Returns: 0, or -errno; -ENODEV when the channel was killed.
 */
int __nv_chan_submit(struct nv_chan *chan)
{
	struct drm_nouveau_gem_pushbuf_bo bos[NV_CHAN_MAX_BOS] = {};
	struct drm_nouveau_gem_pushbuf_push push = {};
	struct drm_nouveau_gem_pushbuf submit = {
		.channel = chan->id,
		.nr_buffers = chan->nr_bos,
		.buffers = (uintptr_t)bos,
		.nr_push = 1,
		.push = (uintptr_t)&push,
	};

	nv_chan_release(chan, chan->sem.va, ++chan->payload);
	for (int i = 0; i < chan->nr_bos; i++) {
		bos[i].handle = chan->bos[i]->handle;
		bos[i].valid_domains = chan->bos[i]->domain;
		bos[i].write_domains = chan->bos[i]->domain;
	}
	push.offset = chan->start * sizeof(uint32_t);
	push.length = (chan->next - chan->start) * sizeof(uint32_t);
	if (igt_ioctl(chan->fd, DRM_IOCTL_NOUVEAU_GEM_PUSHBUF, &submit))
		return -errno;
	chan->start = chan->next;

	return 0;
}

/* Returns: 0, or -ETIME when the latest submission is not done after @ms milliseconds. */
int __nv_chan_wait(struct nv_chan *chan, unsigned int ms)
{
	const volatile uint32_t *sem = chan->sem.map;
	struct timespec start = {};

	while ((int32_t)(*sem - chan->payload) < 0) {
		if (igt_nsec_elapsed(&start) / 1000000 > ms)
			return -ETIME;
		usleep(200);
	}
	if (chan->start == chan->next) {
		chan->start = 0;
		chan->next = 0;
	}

	return 0;
}

int __nv_chan_run(struct nv_chan *chan)
{
	int ret = __nv_chan_submit(chan);

	return ret ? ret : __nv_chan_wait(chan, NV_CHAN_WAIT_MS);
}

void nv_chan_run(struct nv_chan *chan)
{
	int ret = __nv_chan_run(chan);

	igt_assert_f(!ret, "channel %d did not finish its work: %s\n", chan->id, strerror(-ret));
}

/* Returns: 0 when what was queued came to its end, -ENODEV when its channel was killed, -ETIME. */
int __nv_chan_ends(struct nv_chan *chan)
{
	int ret = __nv_chan_submit(chan);

	/* Less and less often, as what is submitted waits in a queue that is not endless. */
	for (int waited = 0, ms = 20; waited < 60000 && !ret; waited += ms) {
		if (!__nv_chan_wait(chan, ms))
			return 0;
		if (ms < 1000)
			ms *= 2;
		ret = __nv_chan_submit(chan);
	}
	return ret ? ret : -ETIME;
}

/* Returns: whether what was queued came to its end; otherwise the driver has killed the channel. */
bool nv_chan_ends(struct nv_chan *chan)
{
	const int ret = __nv_chan_ends(chan);

	igt_assert_f(ret != -ETIME, "channel %d: its work neither ends nor is killed\n", chan->id);
	igt_assert(!ret || ret == -ENODEV);
	return !ret;
}
