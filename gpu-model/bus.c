/* SPDX-License-Identifier: MIT */
/*
 * Memory as units see it: VRAM, and bus addresses. Announced guest RAM is touched in place,
 * the rest is asked for by message, with gpu->lock dropped.
 */
#include <errno.h>
#include <string.h>

#include "gpu.h"

/* "kind" is that of a read; that of a write comes next. */
static void count(struct gpu *gpu, enum client client, enum stats_kind kind, bool write, size_t len)
{
	gpu->stats.bytes[client][kind + write] += len;
}

static void log_unanswered(struct gpu *gpu, bool write, u64 addr, size_t len, const char *why)
{
	gpu_log(gpu, GPU_WARN, "%s of %zu bytes at bus address %#llx: %s", write ? "write" : "read",
		len, (unsigned long long)addr, why);
}

static int vram_access(struct gpu *gpu, u64 addr, void *rbuf, const void *wbuf, size_t len,
		       enum client client)
{
	u64 size = gpu->config.vram_bytes;

	if (addr > size || len > size - addr) {
		gpu_log(gpu, GPU_WARN, "%s of %zu bytes at %#llx, past the end of VRAM",
			wbuf ? "write" : "read", len, (unsigned long long)addr);
		return -EIO;
	}
	if (wbuf)
		memcpy(gpu->fb.vram + addr, wbuf, len);
	else
		memcpy(rbuf, gpu->fb.vram + addr, len);
	count(gpu, client, STATS_VRAM_READ, wbuf, len);
	return 0;
}

/* Where we cannot look ourselves: RAM without a file, a peer, or nobody. */
static int message_access(struct gpu *gpu, u64 addr, void *rbuf, const void *wbuf, size_t len,
			  enum client client, enum stats_kind kind)
{
	const struct bus_ops *ops = gpu->bus.ops;
	int err;

	if (!engine_is_current(gpu)) {
		log_unanswered(gpu, wbuf, addr, len, "not possible outside the engine thread");
		return -EDEADLK;
	}
	if (!ops) {
		log_unanswered(gpu, wbuf, addr, len, "nothing is connected");
		return -EIO;
	}
	engine_block(gpu);
	pthread_mutex_unlock(&gpu->lock);
	err = wbuf ? ops->dma_write(gpu->bus.ctx, addr, wbuf, len)
		   : ops->dma_read(gpu->bus.ctx, addr, rbuf, len);
	pthread_mutex_lock(&gpu->lock);
	engine_unblock(gpu);
	if (err) {
		log_unanswered(gpu, wbuf, addr, len, "nobody answers");
		return -EIO;
	}
	count(gpu, client, kind, wbuf, len);
	return 0;
}

static int system_access(struct gpu *gpu, u64 addr, void *rbuf, const void *wbuf, size_t len,
			 enum client client)
{
	if (!pci_bus_master(gpu)) {
		log_unanswered(gpu, wbuf, addr, len, "bus mastering is off");
		return -EIO;
	}
	for (size_t done = 0; done < len;) {
		const struct dma_range *range = dma_map_find(&gpu->bus.map, addr + done);
		const struct dma_range *next;
		u8 *in = rbuf ? (u8 *)rbuf + done : NULL;
		const u8 *out = wbuf ? (const u8 *)wbuf + done : NULL;
		size_t n = len - done;
		int err = 0;

		if (range && n - 1 > range->addr + (range->size - 1) - (addr + done))
			n = range->addr + (range->size - 1) - (addr + done) + 1;
		if (!range) {
			/* up to where RAM begins */
			next = dma_map_next(&gpu->bus.map, addr + done);
			if (next && n > next->addr - (addr + done))
				n = next->addr - (addr + done);
			err = message_access(gpu, addr + done, in, out, n, client, STATS_PEER_READ);
		} else if (!range->memory || (out && !range->writable)) {
			err = message_access(gpu, addr + done, in, out, n, client,
					     STATS_SYSTEM_READ);
		} else {
			u8 *memory = range->memory + (addr + done - range->addr);

			if (out)
				memcpy(memory, out, n);
			else
				memcpy(in, memory, n);
			count(gpu, client, STATS_SYSTEM_READ, out, n);
		}
		if (err)
			return err;
		done += n;
	}
	return 0;
}

static int mem_access(struct gpu *gpu, enum aperture aperture, u64 addr, void *rbuf,
		      const void *wbuf, size_t len, enum client client)
{
	switch (aperture) {
	case APERTURE_VIDMEM:
		return vram_access(gpu, addr, rbuf, wbuf, len, client);
	case APERTURE_SYS_COH:
	case APERTURE_SYS_NCOH:
		/* what the bus cannot carry is not on it */
		return system_access(gpu, addr & (BIT_ULL(gpu->config.chip->dma_bits) - 1), rbuf,
				     wbuf, len, client);
	case APERTURE_PEER:
		break;
	}
	log_unanswered(gpu, wbuf, addr, len, "no peer is set up");
	return -EIO;
}

int mem_read(struct gpu *gpu, enum aperture aperture, u64 addr, void *buf, size_t len,
	     enum client client)
{
	int err = mem_access(gpu, aperture, addr, buf, NULL, len, client);

	if (err)
		memset(buf, 0xff, len);
	return err;
}

int mem_write(struct gpu *gpu, enum aperture aperture, u64 addr, const void *buf, size_t len,
	      enum client client)
{
	return mem_access(gpu, aperture, addr, NULL, buf, len, client);
}

u32 mem_read32(struct gpu *gpu, enum aperture aperture, u64 addr, enum client client)
{
	u32 val;

	(void)mem_read(gpu, aperture, addr, &val, sizeof(val), client);
	return val;
}

u64 mem_read64(struct gpu *gpu, enum aperture aperture, u64 addr, enum client client)
{
	u64 val;

	(void)mem_read(gpu, aperture, addr, &val, sizeof(val), client);
	return val;
}

int mem_write32(struct gpu *gpu, enum aperture aperture, u64 addr, u32 val, enum client client)
{
	return mem_write(gpu, aperture, addr, &val, sizeof(val), client);
}
