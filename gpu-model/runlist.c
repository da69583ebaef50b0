/* SPDX-License-Identifier: MIT */
/*
 * Runlists: which channels Host may schedule, in which order.
 * Source: open-gpu-doc manuals/volta/gv100/dev_fifo, dev_ram; entries of 8 bytes as gp106
 * hw_ram has them (a channel's second word, its instance block, repeats channel RAM's).
 */
#include <string.h>

#include "gpu.h"
#include "pfifo.h"

enum {
	PFIFO_RUNLIST_BASE = 0x002270,
	PFIFO_RUNLIST = 0x002274,
	PFIFO_ENG_RUNLIST_BASE_0 = 0x002280, /* each followed by its PFIFO_ENG_RUNLIST */
};

#define RUNLIST_PENDING		   BIT(20)
#define ENTRY_BYTES		   8
#define ENTRIES_AT_ONCE		   64
#define ENTRY_TSG		   BIT(13)
#define ENTRY_RUNQUEUE		   BIT(14)
#define BIND_ERROR_INVALID_RUNLIST 5

static void unlist_all(struct gpu *gpu, unsigned int id)
{
	struct host_state *host = gpu->host.state;
	struct runlist *list = &host->runlist[id];

	for (unsigned int i = 0; i < list->count; i++)
		host->channels[list->channels[i]].listed = false;
	list->count = 0;
	list->next = 0;
}

static void add_channel(struct gpu *gpu, unsigned int id, u32 entry, const u32 *tsg)
{
	struct runlist *list = &gpu->host.state->runlist[id];
	u32 chid = bits(entry, 11, 0);
	struct channel *channel;

	if (chid >= gpu->config.channels) {
		gpu_log(gpu, GPU_WARN, "runlist %u: there is no channel %u", id, chid);
		return;
	}
	channel = &gpu->host.state->channels[chid];
	if (channel->listed) {
		gpu_log(gpu, GPU_WARN, "runlist %u: channel %u stands in a runlist already", id,
			chid);
		return;
	}
	channel->listed = true;
	channel->pending = true; /* it may have work */
	channel->runlist = (u8)id;
	channel->runqueue = !!(entry & ENTRY_RUNQUEUE);
	channel->in_tsg = tsg;
	channel->tsg = tsg ? (u16)*tsg : 0;
	list->channels[list->count++] = (u16)chid;
}

void runlist_drop_contexts(struct gpu *gpu, unsigned int id)
{
	struct host_state *host = gpu->host.state;

	for (unsigned int i = 0; i < ENGINE_MAX; i++) {
		struct engine_context *context = &host->engine[i];

		if (context->channel && context->channel->runlist == id &&
		    !context->channel->listed && !context->faulted && !host_engine_working(gpu, i))
			*context = (struct engine_context){ 0 };
	}
}

void runlist_load(struct gpu *gpu, unsigned int id)
{
	struct host_state *host = gpu->host.state;
	struct runlist *list = &host->runlist[id];
	enum aperture target = bits(list->base, 29, 28);
	u64 base = bits(list->base, 27, 0) << 12;
	u32 left_in_tsg = 0, tsg = 0, length = list->length;

	unlist_all(gpu, id);
	for (u32 done = 0; done < length;) {
		u32 entry[ENTRIES_AT_ONCE][2];
		u32 count = length - done < ENTRIES_AT_ONCE ? length - done : ENTRIES_AT_ONCE;

		if (mem_read(gpu, target, base + (u64)done * ENTRY_BYTES, entry,
			     count * ENTRY_BYTES, CLIENT_HOST)) {
			gpu_log(gpu, GPU_WARN, "runlist %u: no memory at %#llx", id,
				(unsigned long long)base);
			break;
		}
		if (!list->pending) /* Host was reset meanwhile */
			return;
		for (u32 i = 0; i < count; i++) {
			if (entry[i][0] & ENTRY_TSG) {
				tsg = bits(entry[i][0], 11, 0);
				left_in_tsg = bits(entry[i][0], 31, 26);
				continue;
			}
			add_channel(gpu, id, entry[i][0], left_in_tsg ? &tsg : NULL);
			if (left_in_tsg)
				left_in_tsg--;
		}
		done += count;
	}
	list->pending = false;
	runlist_drop_contexts(gpu, id);
	host->runlist_event |= BIT(id);
	host_update(gpu);
}

static void submit(struct gpu *gpu, u32 val)
{
	struct host_state *host = gpu->host.state;
	unsigned int id = bits(val, 23, 20);

	if (id >= gpu->config.chip->runlists) {
		host->bind_error = BIND_ERROR_INVALID_RUNLIST;
		host_raise(gpu, PFIFO_INTR_BIND_ERROR);
		return;
	}
	host->runlist[id].base = host->runlist_base;
	host->runlist[id].length = bits(val, 15, 0);
	host->runlist[id].pending = true;
	engine_kick(gpu);
}

u32 runlist_read(struct gpu *gpu, u32 addr)
{
	const struct host_state *host = gpu->host.state;
	const struct runlist *list; /* those beyond the chip's stay empty */

	switch (addr) {
	case PFIFO_RUNLIST_BASE:
		return host->runlist_base;
	case PFIFO_RUNLIST:
		return 0;
	}
	list = &host->runlist[(addr - PFIFO_ENG_RUNLIST_BASE_0) / 8];
	return addr % 8 ? list->length | (list->pending ? RUNLIST_PENDING : 0) : list->base;
}

void runlist_write(struct gpu *gpu, u32 addr, u32 val)
{
	if (addr == PFIFO_RUNLIST_BASE)
		gpu->host.state->runlist_base = val;
	else if (addr == PFIFO_RUNLIST)
		submit(gpu, val);
}
