/* SPDX-License-Identifier: MIT */
/*
 * SKED: grids become CTAs, CTAs become warps, warps get turns.
 * Source: open-gpu-doc classes/compute/clc0c0qmd.h; limits of compute capability 6.0. How CTAs are
 * spread over SMs and warps take turns is unpublished: any order is allowed, ours is round robin.
 * A GP100 has two SMs a TPC; here it is one. Local memory is kept apart from the GPU's memory, as
 * its layout there is unpublished.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "gpu.h"
#include "sm.h"

/* Instructions of a warp's turn, and of one round of the engine thread. */
#define TURN  64
#define ROUND 2048
/* When the model itself had no memory for a CTA. */
#define MEMORY_RETRY_NS 1000000

#define CLIENT_HUB_SKED	    0x1d
#define REGISTER_UNIT	    8
#define LOCAL_THREAD_BYTES  (512u << 10)
#define SKED_ESR_TOTAL_TEMP BIT(12)

struct grid {
	struct grid *next;
	struct qmd qmd;
	u64 program, shared_window, local_window;
	u64 ctas, started, done;
};

enum warp_state {
	WARP_READY,
	WARP_STALLED, /* until a replay */
	WARP_GONE,    /* exited, or trapped */
};

struct warp {
	struct sm_warp sm;
	struct cta *cta;
	enum warp_state state;
	bool retry;			/* woken by a replay */
	enum mmu_fault fault[SM_LANES]; /* of each lane of the access that faulted */
	enum mmu_fault gcc_fault;
	u8 *local;
};

struct cta {
	struct sm_cta sm;
	struct gpu *gpu;
	struct grid *grid;
	struct cta *next;
	unsigned int tpc, count, registers;
	struct warp warp[];
};

bool sked_busy(const struct gpu *gpu)
{
	return gpu->sked.grids;
}

bool sked_has_room(const struct gpu *gpu)
{
	return gpu->sked.grid_count < SKED_GRIDS;
}

void sked_halt(struct gpu *gpu)
{
	gpu->sked.halted = true;
}

void sked_fatal(struct gpu *gpu, const struct fault_info *info)
{
	if (gpu->sked.halted)
		return;
	sked_halt(gpu);
	fault_report(gpu, info);
	host_gr_faulted(gpu);
}

static void make_ready(struct sked *sked, struct warp *warp)
{
	unsigned int slot = (sked->ready_first + sked->ready_count++) % SKED_WARPS;

	warp->state = WARP_READY;
	sked->ready[slot] = warp;
}

static struct warp *take_ready(struct sked *sked)
{
	struct warp *warp = sked->ready[sked->ready_first];

	sked->ready_first = (sked->ready_first + 1) % SKED_WARPS;
	sked->ready_count--;
	return warp;
}

void sked_replay(struct gpu *gpu)
{
	struct sked *sked = &gpu->sked;

	for (struct cta *cta = sked->ctas; cta; cta = cta->next)
		for (unsigned int i = 0; i < cta->count; i++) {
			if (cta->warp[i].state != WARP_STALLED)
				continue;
			make_ready(sked, &cta->warp[i]);
			cta->warp[i].retry = true;
			sked->retries++;
		}
	engine_kick(gpu);
}

bool sked_replaying(const struct gpu *gpu)
{
	return gpu->sked.retries && !gpu->sked.halted && !gpu->sked.cancelled;
}

/* What the warps of a CTA do to memory. */

static struct warp *warp_of(struct sm_warp *sm)
{
	return (struct warp *)((char *)sm - offsetof(struct warp, sm));
}

static enum mmu_access access_code(enum sm_access_type type)
{
	return type == SM_STORE ? MMU_WRITE : type == SM_ATOMIC ? MMU_ATOMIC : MMU_READ;
}

static void atomic_lane(struct gpu *gpu, struct sm_access *access, unsigned int lane,
			const struct mmu_page *page)
{
	u64 old = 0, val;

	if (page->sparse) {
		memset(access->data[lane], 0, access->bytes);
		return;
	}
	/* unanswered reads give ones and unanswered writes are lost, as on the bus */
	mmu_access_begin(gpu);
	(void)mem_read(gpu, page->aperture, page->addr, &old, access->bytes, CLIENT_GR);
	val = sm_atomic_result(access, lane, old);
	if (!gpu->sked.cancelled)
		(void)mem_write(gpu, page->aperture, page->addr, &val, access->bytes, CLIENT_GR);
	mmu_access_end(gpu);
	memcpy(access->data[lane], &old, access->bytes);
}

/* Lanes from the first on whose bytes follow each other, in one transfer, as far as the page goes. */
static u32 transfer_run(struct gpu *gpu, struct sm_access *access, unsigned int first,
			const struct mmu_page *page)
{
	u8 buf[SM_LANES * sizeof(access->data[0])];
	u64 start = access->va[first], end = start;
	bool store = access->type == SM_STORE;
	u32 run = 0;

	for (unsigned int lane = first; lane < SM_LANES; lane++) {
		u64 va = access->va[lane];

		if (!(access->lanes & BIT(lane)))
			continue;
		if (va == end && end - start + access->bytes <= page->span)
			end += access->bytes;
		else if (store || va < start || va + access->bytes > end)
			break;
		if (store)
			memcpy(buf + (va - start), access->data[lane], access->bytes);
		run |= BIT(lane);
	}
	mmu_access_begin(gpu);
	if (page->sparse)
		memset(buf, 0, end - start);
	else if (store)
		(void)mem_write(gpu, page->aperture, page->addr, buf, end - start, CLIENT_GR);
	else
		(void)mem_read(gpu, page->aperture, page->addr, buf, end - start, CLIENT_GR);
	mmu_access_end(gpu);
	if (!store && !gpu->sked.cancelled)
		for (unsigned int lane = first; lane < SM_LANES; lane++)
			if (run & BIT(lane))
				memcpy(access->data[lane], buf + (access->va[lane] - start),
				       access->bytes);
	return run;
}

static u32 global_access(struct sm_warp *sm, struct sm_access *access)
{
	struct warp *warp = warp_of(sm);
	struct gpu *gpu = warp->cta->gpu;
	u32 done = 0, tried = 0;

	for (unsigned int lane = 0; lane < SM_LANES; lane++) {
		struct mmu_page page;
		u32 run = BIT(lane);

		if (!(access->lanes & BIT(lane)) || (tried & BIT(lane)))
			continue;
		warp->fault[lane] = mmu_translate(gpu, &gpu->sked.space, access->va[lane],
						  access_code(access->type), false, &page);
		if (gpu->sked.cancelled)
			return done;
		if (warp->fault[lane] != MMU_FAULT_NONE)
			continue;
		if (access->type == SM_ATOMIC)
			atomic_lane(gpu, access, lane, &page);
		else
			run = transfer_run(gpu, access, lane, &page);
		tried |= run;
		if (gpu->sked.cancelled)
			return done;
		done |= run;
	}
	return done;
}

/* Instructions and constants come through GCC. */
static enum sm_mem gcc_read(struct sm_warp *sm, u64 va, void *buf, size_t len)
{
	struct warp *warp = warp_of(sm);
	struct gpu *gpu = warp->cta->gpu;

	warp->gcc_fault = mmu_read(gpu, &gpu->sked.space, va, buf, len, CLIENT_GR, &sm->fault.va);
	if (gpu->sked.cancelled)
		return SM_MEM_FAULT;
	return warp->gcc_fault == MMU_FAULT_NONE ? SM_MEM_OK : SM_MEM_FAULT;
}

static enum sm_mem fetch(struct sm_warp *sm, u32 pc, u64 bundle[4])
{
	return gcc_read(sm, warp_of(sm)->cta->grid->program + pc, bundle, SM_BUNDLE_BYTES);
}

static enum sm_mem constant(struct sm_warp *sm, u32 bank, u32 offset, u32 *word)
{
	const struct qmd *qmd = &warp_of(sm)->cta->grid->qmd;

	if (bank >= QMD_CONSTANTS || !qmd->constant[bank].valid ||
	    offset + sizeof(*word) > qmd->constant[bank].bytes)
		return SM_MEM_OUT_OF_RANGE;
	return gcc_read(sm, qmd->constant[bank].address + offset, word, sizeof(*word));
}

static void prefetch(struct sm_warp *sm, u64 va)
{
	struct warp *warp = warp_of(sm);
	struct gpu *gpu = warp->cta->gpu;
	struct mmu_page page;
	enum mmu_fault fault;

	if (gpu->sked.cancelled)
		return;
	fault = mmu_translate(gpu, &gpu->sked.space, va, MMU_PREFETCH, false, &page);
	if (fault != MMU_FAULT_NONE && !gpu->sked.cancelled)
		utlb_miss(gpu, warp->cta->tpc, va, MMU_PREFETCH, fault);
}

static u64 now(struct sm_warp *sm)
{
	return ptimer_now(warp_of(sm)->cta->gpu);
}

static const struct sm_ops ops = {
	.access = global_access,
	.fetch = fetch,
	.constant = constant,
	.prefetch = prefetch,
	.time = now,
};

/* CTAs come and go. */

static u32 registers_of(const struct grid *grid, u32 warps)
{
	u32 registers = (grid->qmd.registers + REGISTER_UNIT - 1) / REGISTER_UNIT * REGISTER_UNIT;

	return registers * warps * SM_LANES;
}

static u32 warps_of(const struct grid *grid)
{
	const u32 *block = grid->qmd.block;

	return (block[0] * block[1] * block[2] + SM_LANES - 1) / SM_LANES;
}

/* An SM with room for a CTA of the grid, or GR_TPCS. */
static unsigned int find_sm(const struct sked *sked, const struct grid *grid)
{
	u32 warps = warps_of(grid), registers = registers_of(grid, warps);

	for (unsigned int i = 0; i < GR_TPCS; i++) {
		unsigned int tpc = (sked->next_tpc + i) % GR_TPCS;

		if (sked->used[tpc].ctas < SM_CTAS && sked->used[tpc].warps + warps <= SM_WARPS &&
		    sked->used[tpc].registers + registers <= SM_REGISTER_FILE &&
		    sked->used[tpc].shared + grid->qmd.shared_bytes <= SM_SHARED_BYTES)
			return tpc;
	}
	return GR_TPCS;
}

static void free_cta(struct cta *cta)
{
	for (unsigned int i = 0; i < cta->count; i++)
		free(cta->warp[i].local);
	free(cta->sm.shared);
	free(cta);
}

static struct cta *new_cta(struct gpu *gpu, struct grid *grid, unsigned int tpc)
{
	u32 warps = warps_of(grid);
	u64 index = grid->started;
	struct cta *cta = calloc(1, sizeof(*cta) + warps * sizeof(cta->warp[0]));

	if (!cta)
		return NULL;
	cta->gpu = gpu;
	cta->grid = grid;
	cta->tpc = tpc;
	cta->count = warps;
	cta->registers = registers_of(grid, warps);
	cta->sm = (struct sm_cta){
		.ops = &ops,
		.owner = cta,
		.registers = grid->qmd.registers,
		.barriers = grid->qmd.barriers,
		.shared_bytes = grid->qmd.shared_bytes,
		.local_bytes = grid->qmd.local_bytes,
		.shared_window = grid->shared_window,
		.local_window = grid->local_window,
		.smid = tpc,
		.shared = calloc(1, grid->qmd.shared_bytes + 1),
	};
	for (unsigned int i = 0; i < 3; i++) {
		cta->sm.ntid[i] = grid->qmd.block[i];
		cta->sm.ctaid[i] = (u32)(index % grid->qmd.grid[i]);
		index /= grid->qmd.grid[i];
	}
	for (unsigned int i = 0; i < warps; i++)
		cta->warp[i].local = calloc(SM_LANES, grid->qmd.local_bytes + 1);
	for (unsigned int i = 0; i < warps; i++) {
		if (cta->sm.shared && cta->warp[i].local)
			continue;
		free_cta(cta);
		return NULL;
	}
	return cta;
}

static bool start_cta(struct gpu *gpu, struct grid *grid)
{
	struct sked *sked = &gpu->sked;
	unsigned int tpc = find_sm(sked, grid);
	struct cta *cta;

	if (tpc == GR_TPCS)
		return false;
	cta = new_cta(gpu, grid, tpc);
	if (!cta) {
		gpu_log(gpu, GPU_ERROR, "SKED: no memory for a CTA now");
		return false;
	}
	grid->started++;
	sked->next_tpc = (tpc + 1) % GR_TPCS;
	sked->used[tpc].ctas++;
	sked->used[tpc].warps += cta->count;
	sked->used[tpc].registers += cta->registers;
	sked->used[tpc].shared += grid->qmd.shared_bytes;
	cta->next = sked->ctas;
	sked->ctas = cta;
	sm_cta_init(&cta->sm);
	for (unsigned int i = 0; i < cta->count; i++) {
		struct warp *warp = &cta->warp[i];

		warp->cta = cta;
		sm_warp_start(&warp->sm, &cta->sm, i, grid->qmd.program_offset, warp->local);
		make_ready(sked, warp);
	}
	return true;
}

static void retire_cta(struct sked *sked, struct cta *cta)
{
	struct cta **link = &sked->ctas;

	while (*link != cta)
		link = &(*link)->next;
	*link = cta->next;
	cta->grid->done++;
	sked->used[cta->tpc].ctas--;
	sked->used[cta->tpc].warps -= cta->count;
	sked->used[cta->tpc].registers -= cta->registers;
	sked->used[cta->tpc].shared -= cta->grid->qmd.shared_bytes;
	free_cta(cta);
}

/* As many CTAs as there is room for, of the oldest grids first. */
static void fill_sms(struct gpu *gpu)
{
	for (struct grid *grid = gpu->sked.grids; grid; grid = grid->next)
		while (grid->started < grid->ctas)
			if (!start_cta(gpu, grid))
				return;
}

/* The semaphores of a grid that has come to its end. False when something went wrong. */
static bool release(struct gpu *gpu, const struct qmd_release *r)
{
	const struct mmu_space *space = &gpu->sked.space;
	u64 fault_va = r->address;
	enum mmu_fault fault;

	if (!r->enable)
		return true;
	if (r->reduce)
		fault = semaphore_reduce(gpu, space, r->address, r->payload, r->op, !r->is_signed,
					 CLIENT_GR);
	else
		fault = semaphore_release(gpu, space, r->address, r->payload, !r->one_word,
					  CLIENT_GR, &fault_va);
	if (gpu->sked.cancelled)
		return false;
	if (fault == MMU_FAULT_NONE)
		return true;
	sked_fatal(gpu, &(struct fault_info){
				.unit = FAULT_UNIT_GRAPHICS,
				.type = fault,
				.access = r->reduce ? MMU_ATOMIC : MMU_WRITE,
				.hub = true,
				.client = CLIENT_HUB_SKED,
				.va = fault_va,
				.inst_aperture = space->inst_aperture,
				.inst = space->inst,
			});
	return false;
}

/* Each grid whose CTAs are all done ends: its semaphores say so. */
static void retire_grids(struct gpu *gpu)
{
	struct sked *sked = &gpu->sked;
	struct grid **link = &sked->grids;

	while (*link) {
		struct grid *grid = *link;

		if (grid->done < grid->ctas) {
			link = &grid->next;
			continue;
		}
		if (gpu->engine.delay.gr)
			engine_sleep_us(gpu, gpu->engine.delay.gr);
		for (unsigned int i = 0; i < QMD_RELEASES; i++)
			if (sked->cancelled || sked->halted || !release(gpu, &grid->qmd.release[i]))
				return;
		*link = grid->next;
		sked->grid_count--;
		free(grid);
	}
	if (!sked->grids)
		host_gr_idle(gpu);
}

/* A warp cannot go on: whichever of its lanes faulted, each page is reported. */
static void stall(struct gpu *gpu, struct warp *warp)
{
	const struct sm_access *access = &warp->sm.access;
	enum sm_access_type type = warp->sm.fault.type;

	warp->state = WARP_STALLED;
	if (type == SM_FETCH || type == SM_CONSTANT) {
		utlb_miss(gpu, UTLB_GCC, warp->sm.fault.va, MMU_READ, warp->gcc_fault);
		return;
	}
	for (unsigned int lane = 0; lane < SM_LANES && !gpu->sked.halted; lane++)
		if (access->lanes & BIT(lane))
			utlb_miss(gpu, warp->cta->tpc, access->va[lane], access_code(type),
				  warp->fault[lane]);
}

/* Its warp stays where it is: nothing but a reset gets it off the SM [INF]. */
static void trap(struct gpu *gpu, struct warp *warp)
{
	const struct sm_warp *sm = &warp->sm;

	warp->state = WARP_GONE;
	gpu_log(gpu, GPU_WARN,
		"SM %u: warp %u of CTA %u,%u,%u: %s at %#x, instruction %016llx, address %#llx",
		warp->cta->tpc, sm->index, sm->cta->ctaid[0], sm->cta->ctaid[1], sm->cta->ctaid[2],
		sm_error_name(sm->trap.error), sm->trap.pc, (unsigned long long)sm->trap.encoding,
		(unsigned long long)sm->trap.va);
	gr_sm_exception(gpu, warp->cta->tpc, sm->index, sm->trap.error);
}

static void retire_warp(struct gpu *gpu, struct warp *warp)
{
	struct cta *cta = warp->cta;

	warp->state = WARP_GONE;
	if (cta->sm.warps)
		return;
	retire_cta(&gpu->sked, cta);
	fill_sms(gpu); /* in its place */
}

/* One turn. Returns whether the warp did anything. */
static bool take_turn(struct gpu *gpu, struct warp *warp)
{
	struct sked *sked = &gpu->sked;
	enum sm_result result = SM_CONTINUE;
	unsigned int steps = 0;

	while (result == SM_CONTINUE && steps < TURN) {
		result = sm_step(&warp->sm);
		if (sked->cancelled || sked->halted)
			return true;
		steps += result == SM_CONTINUE;
	}
	sked->instructions += steps;
	if (warp->retry)
		sked->retries--;
	warp->retry = false;
	switch (result) {
	case SM_CONTINUE:
	case SM_WAIT:
		make_ready(sked, warp);
		return steps;
	case SM_FAULT:
		stall(gpu, warp);
		break;
	case SM_TRAP:
		trap(gpu, warp);
		break;
	case SM_EXIT:
		retire_warp(gpu, warp);
		break;
	}
	return true;
}

static void free_all(struct sked *sked)
{
	while (sked->ctas) {
		struct cta *cta = sked->ctas;

		sked->ctas = cta->next;
		free_cta(cta);
	}
	while (sked->grids) {
		struct grid *grid = sked->grids;

		sked->grids = grid->next;
		free(grid);
	}
	*sked = (struct sked){ .instructions = sked->instructions };
}

u64 sked_run(struct gpu *gpu)
{
	struct sked *sked = &gpu->sked;
	u64 until = sked->instructions + ROUND;
	unsigned int idle = 0; /* warps in a row that only wait at a barrier */

	if (!sked->grids || sked->halted)
		return UINT64_MAX;
	sked->running = true;
	fill_sms(gpu);
	while (idle < sked->ready_count && sked->instructions < until) {
		idle = take_turn(gpu, take_ready(sked)) ? 0 : idle + 1;
		if (sked->cancelled || sked->halted)
			break;
	}
	if (!sked->cancelled && !sked->halted)
		retire_grids(gpu);
	sked->running = false;
	if (sked->cancelled)
		free_all(sked);
	if (sked->instructions >= until)
		return 0;
	return sked->grids && !sked->ctas ? MEMORY_RETRY_NS : UINT64_MAX;
}

void sked_reset(struct gpu *gpu)
{
	if (gpu->sked.running) {
		gpu->sked.cancelled = true;
		engine_kick(gpu);
		return;
	}
	free_all(&gpu->sked);
}

static u32 check_context(const struct sked_state *state, const struct qmd *qmd)
{
	u64 local = qmd->local_bytes;
	u32 error = 0;

	if (local > LOCAL_THREAD_BYTES)
		error |= SKED_ESR_LOCAL_MEMORY_SIZE_POS;
	if (local * SM_LANES * SM_WARPS > state->local_bytes)
		error |= SKED_ESR_TOTAL_TEMP;
	if (state->shared_window && state->shared_window < state->local_window + SM_WINDOW_BYTES &&
	    state->local_window < state->shared_window + SM_WINDOW_BYTES)
		error |= SKED_ESR_MEMORY_WINDOW_OVERLAP;
	return error;
}

void sked_launch(struct gpu *gpu, const struct channel *channel, const struct sked_state *state,
		 const u32 words[QMD_WORDS])
{
	struct sked *sked = &gpu->sked;
	struct grid **link = &sked->grids, *grid = calloc(1, sizeof(*grid));
	u32 error;

	if (!grid) {
		gpu_log(gpu, GPU_ERROR, "SKED: no memory for a grid: it is not run");
		return;
	}
	error = qmd_parse(words, &grid->qmd) | check_context(state, &grid->qmd);
	if (error) {
		gpu_log(gpu, GPU_WARN, "SKED: bad QMD: error %#x", error);
		gr_sked_exception(gpu, error);
		free(grid);
		return;
	}
	if (grid->qmd.is_queue || grid->qmd.has_dependent)
		gpu_log(gpu, GPU_ERROR, "SKED: %s not modelled: %s",
			grid->qmd.is_queue ? "queues are" : "dependent QMDs are",
			grid->qmd.is_queue ? "run as a grid" : "the dependent is not run");
	grid->program = state->program_region;
	grid->shared_window = state->shared_window;
	grid->local_window = state->local_window;
	grid->ctas = (u64)grid->qmd.grid[0] * grid->qmd.grid[1] * grid->qmd.grid[2];
	if (!sked->grids)
		sked->space = channel->space;
	while (*link)
		link = &(*link)->next;
	*link = grid;
	sked->grid_count++;
	engine_kick(gpu);
}
