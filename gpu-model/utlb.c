/* SPDX-License-Identifier: MIT */
/*
 * Stalled requests of the shader cores: reported, replayed or cancelled. Source: see utlb.h.
 * That a uTLB reports a page once while a request for it waits is inference [INF]; drivers expect
 * duplicates anyway, as each TPC has a uTLB of its own.
 * A prefetch stalls nobody, so there is nothing to replay and nothing to fail [INF]; it is kept to
 * be reported once, until a replay or a cancel.
 */
#include "gpu.h"

#define PAGE_MASK UINT64_C(0xfff)

/* GPC clients: T1 of each TPC, and GCC. */
enum {
	CLIENT_T1_0 = 0x01,
	CLIENT_T1_STRIDE = 3,
	CLIENT_GCC = 0x0d,
};

static unsigned int client_of(unsigned int utlb)
{
	return utlb == UTLB_GCC ? CLIENT_GCC : CLIENT_T1_0 + CLIENT_T1_STRIDE * utlb;
}

static struct fault_info describe(const struct gpu *gpu, unsigned int utlb,
				  const struct utlb_request *request)
{
	return (struct fault_info){
		.unit = FAULT_UNIT_GRAPHICS,
		.type = request->type,
		.access = request->access,
		.client = client_of(utlb),
		.va = request->page,
		.inst_aperture = gpu->sked.space.inst_aperture,
		.inst = gpu->sked.space.inst,
	};
}

void utlb_miss(struct gpu *gpu, unsigned int utlb, u64 va, enum mmu_access access,
	       enum mmu_fault type)
{
	const struct mmu_space *space = &gpu->sked.space;
	const struct utlb_request request = { va & ~PAGE_MASK, access, type };
	struct utlb *t = &gpu->gr.utlb[utlb];
	struct fault_info info = describe(gpu, utlb, &request);

	if (!(utlb == UTLB_GCC ? space->replay_gcc : space->replay_tex)) {
		if (access == MMU_PREFETCH)
			return;
		info.va = va;
		sked_fatal(gpu, &info);
		return;
	}
	for (unsigned int i = 0; i < t->count; i++)
		if (t->pending[i].page == request.page && t->pending[i].access == access)
			return;
	if (access == MMU_PREFETCH && t->hints == UTLB_HINTS)
		return;
	t->hints += access == MMU_PREFETCH;
	if (t->count < ARRAY_SIZE(t->pending))
		t->pending[t->count++] = request;
	/* what the buffer has no room for is reported when it faults again, after a replay */
	(void)fault_buffer_push(gpu, &info);
}

static void forget(struct utlb *t)
{
	t->count = 0;
	t->hints = 0;
}

void utlb_reset(struct gpu *gpu)
{
	for (unsigned int i = 0; i < UTLB_COUNT; i++)
		forget(&gpu->gr.utlb[i]);
}

/* The first request that somebody waits for, or t->count. */
static unsigned int first_stalled(const struct utlb *t)
{
	unsigned int i = 0;

	while (i < t->count && t->pending[i].access == MMU_PREFETCH)
		i++;
	return i;
}

/* The request is answered as failed: from here on a fault like any other. */
static void cancel(struct gpu *gpu, unsigned int utlb)
{
	struct utlb *t = &gpu->gr.utlb[utlb];
	unsigned int first = first_stalled(t);
	bool stalled = first < t->count;
	struct fault_info info;

	if (stalled)
		info = describe(gpu, utlb, &t->pending[first]);
	forget(t);
	if (stalled)
		sked_fatal(gpu, &info);
}

static void on_replay(struct gpu *gpu, const struct mmu_replay *replay)
{
	switch (replay->op) {
	case MMU_REPLAY_START:
	case MMU_REPLAY_START_ACK_ALL:
		utlb_reset(gpu);
		sked_replay(gpu);
		return;
	case MMU_REPLAY_CANCEL_TARGETED: /* of the one GPC; HUB clients have nothing to cancel */
		for (unsigned int i = 0; i < UTLB_COUNT; i++)
			if (!replay->hub && !replay->gpc && replay->client == client_of(i))
				cancel(gpu, i);
		return;
	case MMU_REPLAY_CANCEL_GLOBAL:
		for (unsigned int i = 0; i < UTLB_COUNT; i++)
			cancel(gpu, i);
		return;
	case MMU_REPLAY_NONE:
		return;
	}
}

static void utlb_init(struct gpu *gpu)
{
	gpu->mmu.on_replay = on_replay;
}

const struct unit utlb_unit = { .name = "UTLB", .init = utlb_init };
