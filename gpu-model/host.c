/* SPDX-License-Identifier: MIT */
/*
 * Host (PFIFO): its registers, channel RAM, interrupts, preemption, and the scheduler.
 * Source: open-gpu-doc manuals/volta/gv100/dev_fifo; gp106 hw_fifo, hw_ccsr. Order of
 * scheduling is round robin over each runlist; timeslices and TSG priorities are not modelled,
 * as nothing that software is promised depends on them.
 */
#include <stdlib.h>
#include <string.h>

#include "gpu.h"
#include "pfifo.h"

enum {
	PFIFO_CFG0 = 0x002004,
	PFIFO_CHANNELS = 0x002008,
	PFIFO_INTR_0 = 0x002100,
	PFIFO_INTR_EN_0 = 0x002140,
	PFIFO_BAR1_BASE = 0x002254,
	PFIFO_PBDMA_MAP_0 = 0x002390,
	PFIFO_INTR_EN_1 = 0x002528,
	PFIFO_INTR_BIND_ERROR_CODE = 0x00252c,
	PFIFO_INTR_SCHED_ERROR_CODE = 0x00254c,
	PFIFO_INTR_CHSW_ERROR_CODE = 0x00256c,
	PFIFO_INTR_MMU_FAULT_ID = 0x00259c,
	PFIFO_INTR_PBDMA_ID = 0x0025a0,
	PFIFO_ERROR_SCHED_DISABLE = 0x00262c,
	PFIFO_SCHED_DISABLE = 0x002630,
	PFIFO_PREEMPT = 0x002634,
	PFIFO_ENGINE_STATUS_0 = 0x002640,
	PFIFO_INTR_RUNLIST = 0x002a00,
	PFIFO_ENG_TIMEOUT = 0x002a0c,
	PFIFO_TRIGGER_MMU_FAULT_0 = 0x002a30,
	PFIFO_PBDMA_STATUS_0 = 0x003080,
	PCCSR_FIRST = 0x800000,
};

#define INTR_FOLLOWING (PFIFO_INTR_MMU_FAULT | PFIFO_INTR_PBDMA | PFIFO_INTR_RUNLIST_EVENT)

#define BAR1_BASE_VALID BIT(28)
#define USERD_BYTES	0x200
#define USERD_GP_PUT	0x8c

#define PREEMPT_TYPE_TSG BIT(24)
#define PREEMPT_PENDING	 BIT(20)

#define STATUS_TYPE_TSG	   BIT(12)
#define STATUS_CTX_VALID   BIT(13)
#define STATUS_CTX_SAVE	   (UINT32_C(6) << 13)
#define STATUS_CTX_SWITCH  (UINT32_C(7) << 13)
#define STATUS_NEXT_SHIFT  16
#define STATUS_NEXT_TSG	   BIT(28)
#define STATUS_ENG_FAULTED BIT(30)
#define STATUS_ENG_BUSY	   BIT(31)

#define TRIGGER_MMU_FAULT_ENABLE BIT(8)

#define INST_BIND	  BIT(31)
#define INST_TARGET_WRONG 1
#define INST_FIELDS	  0x3fffffff

#define CHANNEL_ENABLE	      BIT(0)
#define CHANNEL_ENABLE_SET    BIT(10)
#define CHANNEL_ENABLE_CLR    BIT(11)
#define CHANNEL_PBDMA_FAULTED BIT(22)
#define CHANNEL_ENG_FAULTED   BIT(23)
#define CHANNEL_STATUS_SHIFT  24
#define CHANNEL_BUSY	      BIT(28)

enum {
	CHANNEL_STATUS_IDLE = 0,
	CHANNEL_STATUS_PENDING = 1,
	CHANNEL_STATUS_PENDING_ACQUIRE = 3,
	CHANNEL_STATUS_ON_PBDMA = 5,
	CHANNEL_STATUS_ON_PBDMA_AND_ENG = 6,
	CHANNEL_STATUS_ON_ENG = 7,
};

enum {
	BIND_ERROR_NOT_UNBOUND = 1,
	BIND_ERROR_UNBIND_WHILE_RUNNING = 3,
	BIND_ERROR_INVALID_CTX_TGT = 6,
};

#define SCHED_ERROR_CTXSW_TIMEOUT 0x0a

#define ENG_TIMEOUT_DETECTION BIT(31)
#define ENG_TIMEOUT_RESET     0x803fffff /* enabled; in microseconds */

/* How long a failed semaphore acquire waits for its next look. */
#define ACQUIRE_POLL_NS 100000

static u32 pbdma_intr_mask(const struct gpu *gpu)
{
	const struct host_state *host = gpu->host.state;
	u32 mask = 0;

	for (unsigned int i = 0; i < gpu->config.chip->pbdmas; i++) {
		const struct pbdma *pbdma = &host->pbdma[i];

		if ((pbdma->intr[0] & pbdma->intr_en[0]) || (pbdma->intr[1] & pbdma->intr_en[1]))
			mask |= BIT(i);
	}
	return mask;
}

static u32 intr_0(const struct gpu *gpu)
{
	const struct host_state *host = gpu->host.state;

	return host->intr | (host->mmu_fault ? PFIFO_INTR_MMU_FAULT : 0) |
	       (pbdma_intr_mask(gpu) ? PFIFO_INTR_PBDMA : 0) |
	       (host->runlist_event ? PFIFO_INTR_RUNLIST_EVENT : 0);
}

void host_update(struct gpu *gpu)
{
	pmc_set_intr(gpu, PMC_INTR_PFIFO, intr_0(gpu) & gpu->host.state->intr_en[0]);
}

void host_raise(struct gpu *gpu, u32 intr0_bits)
{
	gpu->host.state->intr |= intr0_bits;
	host_update(gpu);
}

void host_set_mmu_fault(struct gpu *gpu, unsigned int unit)
{
	gpu->host.state->mmu_fault |= BIT(unit);
	host_update(gpu);
}

static void bind_error(struct gpu *gpu, u32 code)
{
	gpu->host.state->bind_error = code;
	host_raise(gpu, PFIFO_INTR_BIND_ERROR);
}

bool host_cancelled(const struct gpu *gpu)
{
	return gpu->host.state->cancelled || gpu->engine.stop;
}

static bool in_group(const struct channel *channel, u32 id, bool tsg)
{
	return tsg ? channel->in_tsg && channel->tsg == id : channel->id == id;
}

static bool preempted(const struct host_state *host, const struct channel *channel)
{
	return (host->preempt & PREEMPT_PENDING) &&
	       in_group(channel, bits(host->preempt, 11, 0), host->preempt & PREEMPT_TYPE_TSG);
}

static bool may_run(const struct host_state *host, const struct channel *channel)
{
	return channel->bound && channel->enabled && channel->listed && !channel->pbdma_faulted &&
	       !channel->engine_faulted && !host->runlist[channel->runlist].stopped &&
	       !(host->sched_disable & BIT(channel->runlist)) && !preempted(host, channel);
}

bool host_wants_stop(const struct gpu *gpu)
{
	return !may_run(gpu->host.state, gpu->host.state->running);
}

static bool is_graphics(const struct gpu *gpu, unsigned int engine)
{
	const struct chip *chip = gpu->config.chip;

	for (unsigned int i = 0; i < chip->engine_count; i++)
		if (chip->engines[i].engine == engine)
			return chip->engines[i].type == ENGINE_TYPE_GRAPHICS;
	return false;
}

/* What is on GR, or NULL. */
static struct engine_context *graphics_context(struct gpu *gpu)
{
	for (unsigned int i = 0; i < ENGINE_MAX; i++)
		if (gpu->host.state->engine[i].channel && is_graphics(gpu, i))
			return &gpu->host.state->engine[i];
	return NULL;
}

bool host_engine_working(const struct gpu *gpu, unsigned int engine)
{
	return sked_busy(gpu) && is_graphics(gpu, engine);
}

bool host_channel_working(const struct gpu *gpu, const struct channel *channel)
{
	for (unsigned int i = 0; i < ENGINE_MAX; i++)
		if (gpu->host.state->engine[i].channel == channel && host_engine_working(gpu, i))
			return true;
	return false;
}

/*
 * Contexts are switched when the engine is idle: finer preemption of compute work is something that
 * software asks for in its context image.
 */
static void want_switch(struct gpu *gpu, struct engine_context *context, const struct channel *next)
{
	context->next = next;
	if (!context->switch_since)
		context->switch_since = ptimer_now(gpu);
}

bool host_engine_enter(struct gpu *gpu, unsigned int engine, struct channel *channel)
{
	struct engine_context *context = &gpu->host.state->engine[engine];

	if (context->channel == channel)
		return true;
	if (context->channel && host_engine_working(gpu, engine)) {
		want_switch(gpu, context, channel);
		return false;
	}
	if (gpu->gr.ctxsw_stopped && is_graphics(gpu, engine))
		return false;
	*context = (struct engine_context){
		.channel = channel,
		.id = channel->in_tsg ? channel->tsg : (u16)channel->id,
		.tsg = channel->in_tsg,
	};
	return true;
}

/* The channel's work is void: its engine thread finds out when it next has the lock. */
static void cancel(struct host_state *host, const struct channel *channel)
{
	if (host->running && host->running == channel)
		host->cancelled = true;
}

void host_engine_reset(struct gpu *gpu, unsigned int pmc_bit)
{
	const struct chip *chip = gpu->config.chip;
	struct host_state *host = gpu->host.state;

	for (unsigned int i = 0; i < chip->engine_count; i++) {
		struct engine_context *context = &host->engine[chip->engines[i].engine];

		if (chip->engines[i].reset != pmc_bit)
			continue;
		cancel(host, context->channel);
		*context = (struct engine_context){ 0 };
	}
	engine_kick(gpu);
}

bool host_gr_channel(struct gpu *gpu, enum aperture *aperture, u64 *inst)
{
	const struct engine_context *context = graphics_context(gpu);

	if (!context)
		return false;
	*aperture = context->channel->inst_aperture;
	*inst = context->channel->inst;
	return true;
}

static bool pbdma_frozen(const struct pbdma *pbdma)
{
	return pbdma->intr[0] || pbdma->intr[1];
}

/* The runqueue-th of the PBDMAs that serve the channel's runlist. */
static struct pbdma *pbdma_of(struct gpu *gpu, const struct channel *channel)
{
	const struct chip *chip = gpu->config.chip;
	unsigned int runqueue = channel->runqueue;

	for (unsigned int i = 0; i < chip->pbdmas; i++)
		if ((chip->pbdma_runlists[i] & BIT(channel->runlist)) && !runqueue--)
			return &gpu->host.state->pbdma[i];
	return NULL;
}

static void engine_faulted(struct gpu *gpu, struct channel *channel)
{
	struct host_state *host = gpu->host.state;

	channel->engine_faulted = true;
	host->runlist[channel->runlist].stopped = true;
	for (unsigned int i = 0; i < ENGINE_MAX; i++)
		if (host->engine[i].channel == channel)
			host->engine[i].faulted = true;
}

void host_gr_faulted(struct gpu *gpu)
{
	struct engine_context *context = graphics_context(gpu);

	if (context)
		engine_faulted(gpu, context->channel);
}

void host_gr_idle(struct gpu *gpu)
{
	struct engine_context *context = graphics_context(gpu);

	if (!context)
		return;
	context->switch_since = 0;
	context->next = NULL;
	runlist_drop_contexts(gpu, context->channel->runlist);
	engine_kick(gpu);
}

/* Give the PBDMA's channel a slice. Returns false when it only found that it must wait. */
static bool run_loaded(struct gpu *gpu, struct pbdma *pbdma)
{
	struct host_state *host = gpu->host.state;
	struct channel *channel = pbdma->channel;
	enum pbdma_result result;

	host->running = channel;
	host->cancelled = false;
	channel->pending = false; /* from here on a kick is news again */
	result = pbdma_run(gpu, pbdma);
	host->running = NULL;
	switch (result) {
	case PBDMA_FROZEN:
		return true;
	case PBDMA_IDLE:
		break;
	case PBDMA_SLICE:
		channel->pending = true;
		break;
	case PBDMA_WAITING:
		channel->acquiring = true;
		break;
	case PBDMA_FAULTED:
		channel->pbdma_faulted = true;
		host->runlist[channel->runlist].stopped = true;
		break;
	case PBDMA_ENGINE_FAULTED:
		engine_faulted(gpu, channel);
		break;
	case PBDMA_CANCELLED:
		if (pbdma->channel != channel) /* Host itself was reset */
			return true;
		pbdma_drop_method(pbdma);
		break;
	}
	pbdma_save(gpu, pbdma);
	return result != PBDMA_WAITING;
}

static bool load_and_run(struct gpu *gpu, struct pbdma *pbdma, struct channel *channel)
{
	struct host_state *host = gpu->host.state;
	bool loaded;

	host->running = channel;
	host->cancelled = false;
	loaded = pbdma_load(gpu, pbdma, channel);
	host->running = NULL;
	if (!loaded) {
		pbdma->channel = NULL;
		return true;
	}
	return run_loaded(gpu, pbdma);
}

/* One slice for one channel of the runlist. Returns false when none could do anything. */
static bool run_runlist(struct gpu *gpu, unsigned int id, bool *waiting)
{
	struct host_state *host = gpu->host.state;
	struct runlist *list = &host->runlist[id];

	for (unsigned int left = list->count; left && list->count; left--) {
		struct channel *channel;
		struct pbdma *pbdma;

		list->next %= list->count;
		channel = &host->channels[list->channels[list->next++]];
		if (!(channel->pending || channel->acquiring) || !may_run(host, channel))
			continue;
		pbdma = pbdma_of(gpu, channel);
		if (!pbdma || pbdma->channel)
			continue;
		if (gpu->engine.delay.host && channel->pending) {
			engine_sleep_us(gpu, gpu->engine.delay.host);
			if (!may_run(host, channel) || pbdma->channel)
				return true;
		}
		if (load_and_run(gpu, pbdma, channel))
			return true;
		*waiting = true;
	}
	return false;
}

/* Those that were frozen by an interrupt which software has cleared. */
static bool resume_pbdmas(struct gpu *gpu)
{
	struct host_state *host = gpu->host.state;
	bool worked = false;

	for (unsigned int i = 0; i < gpu->config.chip->pbdmas; i++) {
		struct pbdma *pbdma = &host->pbdma[i];

		if (!pbdma->channel || pbdma_frozen(pbdma))
			continue;
		run_loaded(gpu, pbdma); /* one that may not run is put away at once */
		worked = true;
	}
	return worked;
}

/* Off Host and off the engine: done, unless an interrupt or a fault holds it there. */
static void run_preempt(struct gpu *gpu)
{
	struct host_state *host = gpu->host.state;

	if (!(host->preempt & PREEMPT_PENDING))
		return;
	for (unsigned int i = 0; i < PBDMA_MAX; i++)
		if (host->pbdma[i].channel && preempted(host, host->pbdma[i].channel))
			return;
	for (unsigned int i = 0; i < ENGINE_MAX; i++)
		if (host->engine[i].channel && host->engine[i].faulted &&
		    preempted(host, host->engine[i].channel))
			return;
	for (unsigned int i = 0; i < ENGINE_MAX; i++)
		if (host->engine[i].channel && preempted(host, host->engine[i].channel) &&
		    host_engine_working(gpu, i)) {
			want_switch(gpu, &host->engine[i], NULL);
			return;
		}
	for (unsigned int i = 0; i < ENGINE_MAX; i++)
		if (host->engine[i].channel && preempted(host, host->engine[i].channel))
			host->engine[i] = (struct engine_context){ 0 };
	host->preempt &= ~PREEMPT_PENDING;
}

/* A switch takes too long: software is told, and the runlist waits for it. True while one is awaited. */
static bool check_switches(struct gpu *gpu)
{
	struct host_state *host = gpu->host.state;
	u32 timeout = mmio_peek(gpu, PFIFO_ENG_TIMEOUT);
	bool awaited = false;

	for (unsigned int i = 0; i < ENGINE_MAX; i++) {
		struct engine_context *context = &host->engine[i];

		if (!context->switch_since || context->timed_out || !context->channel)
			continue;
		awaited = true;
		if (!(timeout & ENG_TIMEOUT_DETECTION) ||
		    ptimer_now(gpu) - context->switch_since < bits(timeout, 30, 0) * 1000)
			continue;
		context->timed_out = true;
		host->runlist[context->channel->runlist].stopped = true;
		host->sched_error = SCHED_ERROR_CTXSW_TIMEOUT;
		gpu_log(gpu, GPU_WARN, "HOST: channel %u does not leave its engine",
			context->channel->id);
		host_raise(gpu, PFIFO_INTR_SCHED_ERROR);
	}
	return awaited;
}

u64 host_run(struct gpu *gpu)
{
	struct host_state *host = gpu->host.state;
	bool worked, waiting = false;

	worked = resume_pbdmas(gpu);
	run_preempt(gpu);
	for (unsigned int i = 0; i < gpu->config.chip->runlists; i++)
		if (host->runlist[i].pending)
			runlist_load(gpu, i);
	for (unsigned int i = 0; i < gpu->config.chip->runlists; i++)
		worked |= run_runlist(gpu, i, &waiting);
	waiting |= check_switches(gpu);
	if (worked)
		return 0;
	return waiting ? ACQUIRE_POLL_NS : UINT64_MAX;
}

/* A write to the USERD window of BAR1. */
static void userd_snoop(struct gpu *gpu, u64 offset, size_t len)
{
	struct host_state *host = gpu->host.state;
	u64 base = bits(host->userd_base, 27, 0) << 12;
	bool kick = false;

	for (u64 i = offset > base ? (offset - base) / USERD_BYTES : 0; i < gpu->config.channels;
	     i++) {
		u64 put = base + i * USERD_BYTES + USERD_GP_PUT;

		if (put >= offset + len)
			break;
		if (put + 4 <= offset)
			continue;
		host->channels[i].pending = true;
		kick = true;
	}
	if (kick)
		engine_kick(gpu);
}

static void set_userd_window(struct gpu *gpu, u32 val)
{
	u64 base = bits(val, 27, 0) << 12;

	gpu->host.state->userd_base = val;
	gpu->bars.snoop = val & BAR1_BASE_VALID ? userd_snoop : NULL;
	gpu->bars.snoop_first = base;
	gpu->bars.snoop_last = base + (u64)gpu->config.channels * USERD_BYTES - 1;
}

static bool loaded(const struct gpu *gpu, const struct channel *channel)
{
	for (unsigned int i = 0; i < PBDMA_MAX; i++)
		if (gpu->host.state->pbdma[i].channel == channel)
			return true;
	return false;
}

static void bind_channel(struct gpu *gpu, struct channel *channel, u32 val)
{
	if (!(val & INST_BIND)) {
		if (loaded(gpu, channel))
			bind_error(gpu, BIND_ERROR_UNBIND_WHILE_RUNNING);
		else
			channel->bound = false;
		return;
	}
	if (channel->bound) {
		bind_error(gpu, BIND_ERROR_NOT_UNBOUND);
		return;
	}
	if (bits(val, 29, 28) == INST_TARGET_WRONG) {
		bind_error(gpu, BIND_ERROR_INVALID_CTX_TGT);
		return;
	}
	channel->bound = true;
	channel->inst_aperture = bits(val, 29, 28);
	channel->inst = bits(val, 27, 0) << 12;
	channel->pbdma_faulted = false;
	channel->engine_faulted = false;
	channel->acquiring = false;
	channel->pending = true;
	memset(channel->object, 0, sizeof(channel->object));
	ce_context_reset(&channel->ce);
	channel->compute = (struct compute_context){ 0 };
	engine_kick(gpu);
}

static void control_channel(struct gpu *gpu, struct channel *channel, u32 val)
{
	if (val & CHANNEL_PBDMA_FAULTED)
		channel->pbdma_faulted = false;
	if (val & CHANNEL_ENG_FAULTED)
		channel->engine_faulted = false;
	if (val & CHANNEL_ENABLE_SET) {
		channel->enabled = true;
		channel->pending = true;
	}
	if (val & CHANNEL_ENABLE_CLR)
		channel->enabled = false;
	engine_kick(gpu);
}

static u32 channel_status(const struct gpu *gpu, const struct channel *channel)
{
	const struct host_state *host = gpu->host.state;
	bool on_engine = false;

	for (unsigned int i = 0; i < ENGINE_MAX; i++)
		on_engine |= host->engine[i].channel == channel;
	if (loaded(gpu, channel))
		return on_engine ? CHANNEL_STATUS_ON_PBDMA_AND_ENG : CHANNEL_STATUS_ON_PBDMA;
	if (channel->acquiring)
		return CHANNEL_STATUS_PENDING_ACQUIRE;
	if (channel->pending && channel->enabled)
		return CHANNEL_STATUS_PENDING;
	return on_engine ? CHANNEL_STATUS_ON_ENG : CHANNEL_STATUS_IDLE;
}

static u32 ccsr_read(struct gpu *gpu, u32 addr)
{
	const struct channel *channel = &gpu->host.state->channels[(addr - PCCSR_FIRST) / 8];

	if (!(addr & 4))
		return (channel->bound ? INST_BIND : 0) | (u32)channel->inst_aperture << 28 |
		       (u32)(channel->inst >> 12);
	return (channel->enabled ? CHANNEL_ENABLE : 0) |
	       (channel->pbdma_faulted ? CHANNEL_PBDMA_FAULTED : 0) |
	       (channel->engine_faulted ? CHANNEL_ENG_FAULTED : 0) |
	       channel_status(gpu, channel) << CHANNEL_STATUS_SHIFT |
	       (gpu->host.state->running == channel ? CHANNEL_BUSY : 0);
}

static void ccsr_write(struct gpu *gpu, u32 addr, u32 val)
{
	struct channel *channel = &gpu->host.state->channels[(addr - PCCSR_FIRST) / 8];

	if (channel->id >= gpu->config.channels)
		return;
	if (addr & 4)
		control_channel(gpu, channel, val);
	else
		bind_channel(gpu, channel, val);
}

static u32 engine_status(const struct gpu *gpu, unsigned int engine)
{
	const struct host_state *host = gpu->host.state;
	const struct engine_context *context = &host->engine[engine];

	const struct channel *next = context->next;
	u32 status = STATUS_CTX_VALID;

	if (!context->channel)
		return 0;
	if (context->switch_since && next)
		status = STATUS_CTX_SWITCH | (next->in_tsg ? STATUS_NEXT_TSG : 0) |
			 (next->in_tsg ? next->tsg : next->id) << STATUS_NEXT_SHIFT;
	else if (context->switch_since)
		status = STATUS_CTX_SAVE;
	if (context->faulted)
		status |= STATUS_ENG_FAULTED;
	if (context->faulted || host->running == context->channel ||
	    host_engine_working(gpu, engine))
		status |= STATUS_ENG_BUSY;
	return status | context->id | (context->tsg ? STATUS_TYPE_TSG : 0);
}

static u32 pbdma_status(const struct gpu *gpu, unsigned int id)
{
	const struct channel *channel = gpu->host.state->pbdma[id].channel;

	if (!channel)
		return 0;
	return (channel->in_tsg ? STATUS_TYPE_TSG | channel->tsg : channel->id) | STATUS_CTX_VALID;
}

static u32 stopped_runlists(const struct gpu *gpu)
{
	u32 mask = 0;

	for (unsigned int i = 0; i < gpu->config.chip->runlists; i++)
		if (gpu->host.state->runlist[i].stopped)
			mask |= BIT(i);
	return mask;
}

/* Software's way out of a stuck engine: a fault on whatever it has. */
static void trigger_mmu_fault(struct gpu *gpu, unsigned int engine, u32 val)
{
	struct host_state *host = gpu->host.state;
	struct channel *channel = host->engine[engine].channel;
	bool was = host->trigger_mmu_fault[engine] & TRIGGER_MMU_FAULT_ENABLE;

	host->trigger_mmu_fault[engine] = val;
	if (was || !(val & TRIGGER_MMU_FAULT_ENABLE))
		return;
	fault_report(gpu, &(struct fault_info){
				  .unit = bits(val, 4, 0),
				  .type = MMU_FAULT_PDE,
				  .hub = true,
				  .inst_aperture = channel ? channel->inst_aperture : 0,
				  .inst = channel ? channel->inst : 0,
			  });
	if (!channel)
		return;
	cancel(host, channel);
	if (is_graphics(gpu, engine))
		sked_halt(gpu);
	engine_faulted(gpu, channel);
}

/* The index of a register in an array of them. */
static bool in_array(u32 addr, u32 first, u32 stride, u32 count, unsigned int *index)
{
	if (addr < first || addr >= first + stride * count || (addr - first) % stride)
		return false;
	*index = (addr - first) / stride;
	return true;
}

static u32 host_read(struct gpu *gpu, u32 addr)
{
	const struct chip *chip = gpu->config.chip;
	struct host_state *host = gpu->host.state;
	unsigned int i;

	switch (addr) {
	case PFIFO_CFG0:
		return chip->pbdmas;
	case PFIFO_CHANNELS:
		return gpu->config.channels;
	case PFIFO_INTR_0:
		return intr_0(gpu);
	case PFIFO_INTR_EN_0:
		return host->intr_en[0];
	case PFIFO_INTR_EN_1: /* routes to PMC's second leaf, which leads nowhere */
		return host->intr_en[1];
	case PFIFO_BAR1_BASE:
		return host->userd_base;
	case PFIFO_INTR_BIND_ERROR_CODE:
		return host->bind_error;
	case PFIFO_INTR_SCHED_ERROR_CODE:
		return host->sched_error;
	case PFIFO_INTR_CHSW_ERROR_CODE: /* never raised */
		return 0;
	case PFIFO_INTR_MMU_FAULT_ID:
		return host->mmu_fault;
	case PFIFO_INTR_PBDMA_ID:
		return pbdma_intr_mask(gpu);
	case PFIFO_ERROR_SCHED_DISABLE:
		return stopped_runlists(gpu);
	case PFIFO_SCHED_DISABLE:
		return host->sched_disable;
	case PFIFO_PREEMPT:
		return host->preempt;
	case PFIFO_INTR_RUNLIST:
		return host->runlist_event;
	}
	if (in_array(addr, PFIFO_PBDMA_MAP_0, 4, chip->pbdmas, &i))
		return chip->pbdma_runlists[i];
	if (in_array(addr, PFIFO_ENGINE_STATUS_0, 8, ENGINE_MAX, &i))
		return engine_status(gpu, i);
	if (in_array(addr, PFIFO_TRIGGER_MMU_FAULT_0, 4, ENGINE_MAX, &i))
		return host->trigger_mmu_fault[i];
	if (in_array(addr, PFIFO_PBDMA_STATUS_0, 4, chip->pbdmas, &i))
		return pbdma_status(gpu, i);
	return mmio_unmodelled_read(gpu, addr);
}

static void host_write(struct gpu *gpu, u32 addr, u32 val)
{
	const struct chip *chip = gpu->config.chip;
	struct host_state *host = gpu->host.state;
	unsigned int i;

	switch (addr) {
	case PFIFO_INTR_0:
		host->intr &= ~val | INTR_FOLLOWING;
		host_update(gpu);
		return;
	case PFIFO_INTR_EN_0:
		host->intr_en[0] = val;
		host_update(gpu);
		return;
	case PFIFO_INTR_EN_1:
		host->intr_en[1] = val;
		return;
	case PFIFO_BAR1_BASE:
		set_userd_window(gpu, val);
		return;
	case PFIFO_INTR_MMU_FAULT_ID:
		host->mmu_fault &= ~val;
		host_update(gpu);
		return;
	case PFIFO_INTR_RUNLIST:
		host->runlist_event &= ~val;
		host_update(gpu);
		return;
	case PFIFO_ERROR_SCHED_DISABLE:
		for (i = 0; i < chip->runlists; i++)
			if (val & BIT(i))
				host->runlist[i].stopped = false;
		engine_kick(gpu);
		return;
	case PFIFO_SCHED_DISABLE:
		host->sched_disable = val;
		engine_kick(gpu);
		return;
	case PFIFO_PREEMPT:
		host->preempt = (val & (PREEMPT_TYPE_TSG | 0xfff)) | PREEMPT_PENDING;
		engine_kick(gpu);
		return;
	case PFIFO_CFG0:
	case PFIFO_CHANNELS:
	case PFIFO_INTR_BIND_ERROR_CODE:
	case PFIFO_INTR_SCHED_ERROR_CODE:
	case PFIFO_INTR_CHSW_ERROR_CODE:
	case PFIFO_INTR_PBDMA_ID:
		return; /* read-only */
	}
	if (in_array(addr, PFIFO_TRIGGER_MMU_FAULT_0, 4, ENGINE_MAX, &i)) {
		trigger_mmu_fault(gpu, i, val);
		return;
	}
	if (in_array(addr, PFIFO_PBDMA_MAP_0, 4, chip->pbdmas, &i) ||
	    in_array(addr, PFIFO_ENGINE_STATUS_0, 8, ENGINE_MAX, &i) ||
	    in_array(addr, PFIFO_PBDMA_STATUS_0, 4, chip->pbdmas, &i))
		return; /* read-only */
	mmio_unmodelled_write(gpu, addr, val);
}

static void host_reset(struct gpu *gpu)
{
	struct host_state *host = gpu->host.state;

	for (unsigned int i = 0; i < CHANNEL_MAX; i++) {
		memset(&host->channels[i], 0, sizeof(host->channels[i]));
		host->channels[i].id = i;
	}
	for (unsigned int i = 0; i < PBDMA_MAX; i++)
		host->pbdma[i] = (struct pbdma){ .id = i };
	for (unsigned int i = 0; i < RUNLIST_MAX; i++)
		host->runlist[i] = (struct runlist){ .channels = host->runlist[i].channels };
	memset(host->engine, 0, sizeof(host->engine));
	memset(host->trigger_mmu_fault, 0, sizeof(host->trigger_mmu_fault));
	host->intr = 0;
	host->intr_en[0] = 0;
	host->intr_en[1] = 0;
	host->bind_error = 0;
	host->sched_error = 0;
	host->mmu_fault = 0;
	host->runlist_event = 0;
	host->sched_disable = 0;
	host->runlist_base = 0;
	host->preempt = 0;
	host->cancelled = true; /* what the engine thread is at, if anything */
	set_userd_window(gpu, 0);
	host_update(gpu);
}

static void host_pmc_reset(struct gpu *gpu, unsigned int bit)
{
	(void)bit;
	host_reset(gpu);
	fault_unit.reset(gpu); /* its registers are Host's */
}

static const struct mmio_plain host_plain[] = {
	{ 0x002204, "NV_PFIFO_PB_ENABLE", .writable = ~0u },
	{ 0x002a04, "NV_PFIFO_FB_TIMEOUT", .writable = ~0u },
	{ PFIFO_ENG_TIMEOUT, "NV_PFIFO_ENG_TIMEOUT", .reset = ENG_TIMEOUT_RESET, .writable = ~0u },
};

/* fault.c has what lies between. */
static const struct mmio_range host_ranges[] = {
	{ 0x002000, 0x00226f, "HOST", host_read, host_write },
	{ 0x002270, 0x002277, "RUNLIST", runlist_read, runlist_write },
	{ 0x002280, 0x002280 + 8 * RUNLIST_MAX - 1, "RUNLIST", runlist_read, runlist_write },
	{ 0x002380, 0x0027ff, "HOST", host_read, host_write },
	{ 0x002a00, 0x002a6f, "HOST", host_read, host_write },
	{ 0x003000, 0x003fff, "HOST", host_read, host_write },
	{ 0x040000, 0x040000 + 0x2000 * PBDMA_MAX - 1, "PBDMA", pbdma_read, pbdma_write },
	{ PCCSR_FIRST, PCCSR_FIRST + 8 * CHANNEL_MAX - 1, "CCSR", ccsr_read, ccsr_write },
};

static void host_init(struct gpu *gpu)
{
	const struct chip *chip = gpu->config.chip;
	const struct mmio_plain pbdma_plain[] = {
		{ 0x04012c, "NV_PPBDMA_TIMEOUT", .writable = ~0u, .count = chip->pbdmas,
		  .stride = 0x2000 },
		{ 0x04013c, "NV_PPBDMA_INTR_STALL", .writable = ~0u, .count = chip->pbdmas,
		  .stride = 0x2000 },
	};
	struct host_state *host = calloc(1, sizeof(*host));

	if (!host)
		abort(); /* out of memory before anything runs */
	host->channels = calloc(CHANNEL_MAX, sizeof(*host->channels));
	if (!host->channels)
		abort();
	for (unsigned int i = 0; i < RUNLIST_MAX; i++) {
		host->runlist[i].channels = calloc(gpu->config.channels, sizeof(u16));
		if (!host->runlist[i].channels)
			abort();
	}
	gpu->host.state = host;
	for (size_t i = 0; i < ARRAY_SIZE(host_ranges); i++)
		mmio_register(gpu, &host_ranges[i]);
	mmio_register_plain(gpu, host_plain, ARRAY_SIZE(host_plain));
	mmio_register_plain(gpu, pbdma_plain, ARRAY_SIZE(pbdma_plain));
	pmc_on_reset(gpu, PMC_ENABLE_PFIFO, host_pmc_reset);
}

static void host_fini(struct gpu *gpu)
{
	struct host_state *host = gpu->host.state;

	for (unsigned int i = 0; i < RUNLIST_MAX; i++)
		free(host->runlist[i].channels);
	free(host->channels);
	free(host);
}

const struct unit host_unit = {
	.name = "HOST",
	.init = host_init,
	.reset = host_reset,
	.fini = host_fini,
};
