/* SPDX-License-Identifier: MIT */
/*
 * Methods of PASCAL_COMPUTE_A, and with them inline-to-memory.
 * Source: open-gpu-doc classes/compute/clc0c0.h. There are no caches, so that invalidates have
 * nothing to do but to wait where they wait. Conditional rendering, textures and performance
 * counters are accepted and change nothing.
 */
#include "channel.h"
#include "compute.h"
#include "gpu.h"
#include "semaphore.h"

enum {
	SET_OBJECT = 0x000,
	WAIT_FOR_IDLE = 0x110,
	LINE_LENGTH_IN = 0x180,
	LINE_COUNT = 0x184,
	OFFSET_OUT_UPPER = 0x188,
	OFFSET_OUT = 0x18c,
	PITCH_OUT = 0x190,
	LAUNCH_DMA = 0x1b0,
	LOAD_INLINE_DATA = 0x1b4,
	SET_I2M_SEMAPHORE_A = 0x1dc,
	SET_I2M_SEMAPHORE_B = 0x1e0,
	SET_I2M_SEMAPHORE_C = 0x1e4,
	SET_SHADER_SHARED_MEMORY_WINDOW = 0x214,
	INVALIDATE_SHADER_CACHES = 0x21c,
	WAIT_FOR_IDLE_SCG_TYPE = 0x294,
	SET_SHADER_SHARED_MEMORY_WINDOW_A = 0x2a0,
	SET_SHADER_SHARED_MEMORY_WINDOW_B = 0x2a4,
	SEND_PCAS_A = 0x2b4,
	SEND_PCAS_B = 0x2b8,
	SEND_SIGNALING_PCAS_B = 0x2bc,
	SET_SHADER_LOCAL_MEMORY_NON_THROTTLED_A = 0x2e4,
	SET_SHADER_LOCAL_MEMORY_NON_THROTTLED_B = 0x2e8,
	SET_INLINE_QMD_ADDRESS_A = 0x318,
	SET_INLINE_QMD_ADDRESS_B = 0x31c,
	LOAD_INLINE_QMD_DATA_0 = 0x320,
	LOAD_INLINE_QMD_DATA_LAST = 0x320 + 4 * (QMD_WORDS - 1),
	SET_SHADER_LOCAL_MEMORY_WINDOW = 0x77c,
	SET_SHADER_LOCAL_MEMORY_WINDOW_A = 0x7b0,
	SET_SHADER_LOCAL_MEMORY_WINDOW_B = 0x7b4,
	SET_PROGRAM_REGION_A = 0x1608,
	SET_PROGRAM_REGION_B = 0x160c,
	SET_REPORT_SEMAPHORE_A = 0x1b00,
	SET_REPORT_SEMAPHORE_B = 0x1b04,
	SET_REPORT_SEMAPHORE_C = 0x1b08,
	SET_REPORT_SEMAPHORE_D = 0x1b0c,
};

/* What the class has; the rest is illegal. */
static const struct {
	u16 first, last;
} methods[] = {
	{ SET_OBJECT, SET_OBJECT },
	{ 0x100, WAIT_FOR_IDLE },
	{ 0x130, 0x144 },
	{ 0x150, 0x154 },
	{ LINE_LENGTH_IN, LOAD_INLINE_DATA },
	{ SET_I2M_SEMAPHORE_A, SET_I2M_SEMAPHORE_C },
	{ 0x1f0, 0x2a4 },
	{ 0x2b0, SEND_SIGNALING_PCAS_B },
	{ SET_SHADER_LOCAL_MEMORY_NON_THROTTLED_A, 0x2f8 },
	{ 0x310, 0x310 },
	{ SET_INLINE_QMD_ADDRESS_A, LOAD_INLINE_QMD_DATA_LAST },
	{ 0x500, 0x57c },
	{ SET_SHADER_LOCAL_MEMORY_WINDOW, SET_SHADER_LOCAL_MEMORY_WINDOW },
	{ 0x790, 0x794 },
	{ SET_SHADER_LOCAL_MEMORY_WINDOW_A, SET_SHADER_LOCAL_MEMORY_WINDOW_B },
	{ 0xd94, 0xd94 },
	{ 0xde4, 0xde4 },
	{ 0xf44, 0xf50 },
	{ 0x1040, 0x106c },
	{ 0x120c, 0x1210 },
	{ 0x1288, 0x1288 },
	{ 0x12a8, 0x12a8 },
	{ 0x1330, 0x1338 },
	{ 0x1424, 0x1424 },
	{ 0x1528, 0x1528 },
	{ 0x1550, 0x1564 },
	{ 0x1574, 0x157c },
	{ SET_PROGRAM_REGION_A, SET_PROGRAM_REGION_B },
	{ 0x1698, 0x1698 },
	{ 0x1944, 0x1944 },
	{ 0x1a2c, 0x1a3c },
	{ SET_REPORT_SEMAPHORE_A, SET_REPORT_SEMAPHORE_D },
	{ 0x2608, 0x260c },
	{ 0x333c, 0x33ec },
	{ 0x3400, 0x3ffc },
};

#define PCAS_B_SCHEDULE BIT(1)

#define LAUNCH_PITCH		 BIT(0)
#define LAUNCH_REDUCTION_ENABLE	 BIT(1)
#define LAUNCH_RELEASE_SEMAPHORE 2
#define LAUNCH_ONE_WORD		 BIT(12)

#define REPORT_RELEASE		0
#define REPORT_REDUCTION_ENABLE BIT(3)
#define REPORT_ONE_WORD		BIT(28)

#define CLIENT_HUB_FE	0x04
#define CLIENT_HUB_SKED 0x1d

/* RED_ADD and so on, in the order of the class. */
static const enum semaphore_reduction reductions[] = {
	SEMAPHORE_ADD, SEMAPHORE_MIN, SEMAPHORE_MAX, SEMAPHORE_INC,
	SEMAPHORE_DEC, SEMAPHORE_AND, SEMAPHORE_OR,  SEMAPHORE_XOR,
};

static bool has_method(u32 method)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (method >= methods[i].first && method <= methods[i].last)
			return true;
	return false;
}

static void set_upper(u64 *addr, u32 upper)
{
	*addr = (u64)upper << 32 | (u32)*addr;
}

static void set_lower(u64 *addr, u32 lower)
{
	*addr = (*addr & ~UINT64_C(0xffffffff)) | lower;
}

/* What an access of the front end or of SKED came to; those of HUB clients are never replayed. */
static enum gr_result finish(struct gpu *gpu, const struct channel *channel, unsigned int client,
			     enum mmu_fault fault, enum mmu_access access, u64 va)
{
	if (host_cancelled(gpu))
		return GR_CANCELLED;
	if (fault == MMU_FAULT_NONE)
		return GR_DONE;
	sked_halt(gpu);
	fault_report(gpu, &(struct fault_info){
				  .unit = FAULT_UNIT_GRAPHICS,
				  .type = fault,
				  .access = access,
				  .hub = true,
				  .client = client,
				  .va = va,
				  .inst_aperture = channel->inst_aperture,
				  .inst = channel->inst,
			  });
	return GR_FAULT;
}

static enum gr_result write_inline(struct gpu *gpu, struct channel *channel, u64 va,
				   const void *data, size_t len)
{
	u64 fault_va = va;
	enum mmu_fault fault = mmu_write(gpu, &channel->space, va, data, len, CLIENT_GR, &fault_va);

	return finish(gpu, channel, CLIENT_HUB_FE, fault, MMU_WRITE, fault_va);
}

static enum gr_result release(struct gpu *gpu, struct channel *channel, u64 va, u32 payload,
			      bool one_word)
{
	u64 fault_va = va;
	enum mmu_fault fault = semaphore_release(gpu, &channel->space, va, payload, !one_word,
						 CLIENT_GR, &fault_va);

	return finish(gpu, channel, CLIENT_HUB_FE, fault, MMU_WRITE, fault_va);
}

static enum gr_result reduce(struct gpu *gpu, struct channel *channel, u64 va, u32 payload,
			     unsigned int op, bool is_signed)
{
	enum mmu_fault fault = semaphore_reduce(gpu, &channel->space, va, payload, reductions[op],
						!is_signed, CLIENT_GR);

	return finish(gpu, channel, CLIENT_HUB_FE, fault, MMU_ATOMIC, va);
}

static enum gr_result report_semaphore(struct gpu *gpu, struct channel *channel, u32 data)
{
	const struct compute_context *context = &channel->compute;

	if (bits(data, 1, 0) != REPORT_RELEASE)
		return GR_BAD_DATA; /* traps are not modelled */
	if (sked_busy(gpu))
		return GR_RETRY; /* it comes after the work before it */
	if (data & REPORT_REDUCTION_ENABLE)
		return reduce(gpu, channel, context->semaphore, context->payload, bits(data, 11, 9),
			      bits(data, 18, 17));
	return release(gpu, channel, context->semaphore, context->payload, data & REPORT_ONE_WORD);
}

static enum gr_result i2m_launch(struct channel *channel, u32 data)
{
	struct compute_context *context = &channel->compute;

	if (!(data & LAUNCH_PITCH) || (data & LAUNCH_REDUCTION_ENABLE))
		return GR_BAD_DATA; /* neither is modelled */
	context->i2m.launch = data;
	context->i2m.done = 0;
	context->i2m.total = (u64)context->i2m.line_length * context->i2m.line_count;
	return GR_DONE;
}

/* Four bytes; lines follow each other without gaps in the data [INF]. */
static enum gr_result i2m_data(struct gpu *gpu, struct channel *channel, u32 data)
{
	struct compute_context *context = &channel->compute;
	u32 length = context->i2m.line_length;

	if (context->i2m.done >= context->i2m.total)
		return GR_BAD_DATA;
	for (unsigned int i = 0; i < sizeof(data) && context->i2m.done < context->i2m.total;) {
		u64 line = context->i2m.done / length, x = context->i2m.done % length;
		u64 va = context->i2m.offset + line * context->i2m.pitch + x;
		size_t n = sizeof(data) - i;
		enum gr_result result;

		if (n > length - x)
			n = length - x;
		result = write_inline(gpu, channel, va, (const u8 *)&data + i, n);
		if (result != GR_DONE)
			return result;
		context->i2m.done += n;
		i += n;
	}
	if (context->i2m.done < context->i2m.total ||
	    bits(context->i2m.launch, 5, 4) != LAUNCH_RELEASE_SEMAPHORE)
		return GR_DONE;
	return release(gpu, channel, context->i2m.semaphore, context->i2m.payload,
		       context->i2m.launch & LAUNCH_ONE_WORD);
}

static enum gr_result launch(struct gpu *gpu, struct channel *channel, u32 data)
{
	const struct compute_context *context = &channel->compute;
	const struct sked_state state = {
		.program_region = context->program_region,
		.shared_window = context->shared_window,
		.local_window = context->local_window,
		.local_bytes = context->local_bytes,
	};
	u32 words[QMD_WORDS];
	u64 fault_va = context->qmd;
	enum gr_result result;
	enum mmu_fault fault;

	if (!(data & PCAS_B_SCHEDULE))
		return GR_DONE;
	if (!sked_has_room(gpu))
		return GR_RETRY;
	fault = mmu_read(gpu, &channel->space, context->qmd, words, sizeof(words), CLIENT_GR,
			 &fault_va);
	result = finish(gpu, channel, CLIENT_HUB_SKED, fault, MMU_READ, fault_va);
	if (result != GR_DONE)
		return result;
	if (!qmd_known(words))
		return GR_BAD_DATA;
	sked_launch(gpu, channel, &state, words);
	return GR_DONE;
}

enum gr_result compute_method(struct gpu *gpu, struct channel *channel, u32 method, u32 data)
{
	struct compute_context *context = &channel->compute;

	if (!has_method(method))
		return GR_ILLEGAL;
	if (method >= LOAD_INLINE_QMD_DATA_0 && method <= LOAD_INLINE_QMD_DATA_LAST)
		return write_inline(gpu, channel,
				    context->inline_qmd + (method - LOAD_INLINE_QMD_DATA_0), &data,
				    sizeof(data));
	switch (method) {
	case WAIT_FOR_IDLE:
	case WAIT_FOR_IDLE_SCG_TYPE:
	case INVALIDATE_SHADER_CACHES: /* the one that waits */
		return sked_busy(gpu) ? GR_RETRY : GR_DONE;
	case LINE_LENGTH_IN:
		context->i2m.line_length = data;
		break;
	case LINE_COUNT:
		context->i2m.line_count = data;
		break;
	case OFFSET_OUT_UPPER:
		set_upper(&context->i2m.offset, bits(data, 16, 0));
		break;
	case OFFSET_OUT:
		set_lower(&context->i2m.offset, data);
		break;
	case PITCH_OUT:
		context->i2m.pitch = data;
		break;
	case LAUNCH_DMA:
		return i2m_launch(channel, data);
	case LOAD_INLINE_DATA:
		return i2m_data(gpu, channel, data);
	case SET_I2M_SEMAPHORE_A:
		set_upper(&context->i2m.semaphore, bits(data, 7, 0));
		break;
	case SET_I2M_SEMAPHORE_B:
		set_lower(&context->i2m.semaphore, data);
		break;
	case SET_I2M_SEMAPHORE_C:
		context->i2m.payload = data;
		break;
	case SET_SHADER_SHARED_MEMORY_WINDOW:
		context->shared_window = data;
		break;
	case SET_SHADER_SHARED_MEMORY_WINDOW_A:
		set_upper(&context->shared_window, bits(data, 16, 0));
		break;
	case SET_SHADER_SHARED_MEMORY_WINDOW_B:
		set_lower(&context->shared_window, data);
		break;
	case SET_SHADER_LOCAL_MEMORY_WINDOW:
		context->local_window = data;
		break;
	case SET_SHADER_LOCAL_MEMORY_WINDOW_A:
		set_upper(&context->local_window, bits(data, 16, 0));
		break;
	case SET_SHADER_LOCAL_MEMORY_WINDOW_B:
		set_lower(&context->local_window, data);
		break;
	case SET_SHADER_LOCAL_MEMORY_NON_THROTTLED_A:
		set_upper(&context->local_bytes, bits(data, 7, 0));
		break;
	case SET_SHADER_LOCAL_MEMORY_NON_THROTTLED_B:
		set_lower(&context->local_bytes, data);
		break;
	case SET_PROGRAM_REGION_A:
		set_upper(&context->program_region, bits(data, 16, 0));
		break;
	case SET_PROGRAM_REGION_B:
		set_lower(&context->program_region, data);
		break;
	case SEND_PCAS_A:
		context->qmd = (u64)data << 8;
		break;
	case SEND_PCAS_B: /* entries of a queue, which is not modelled */
		return GR_BAD_DATA;
	case SEND_SIGNALING_PCAS_B:
		return launch(gpu, channel, data);
	case SET_INLINE_QMD_ADDRESS_A: /* both halves of address >> 8 */
		context->inline_qmd = ((u64)data << 40 | (context->inline_qmd & 0xffffffffff)) &
				      (BIT_ULL(49) - 1);
		break;
	case SET_INLINE_QMD_ADDRESS_B:
		context->inline_qmd =
			(context->inline_qmd & ~UINT64_C(0xffffffffff)) | (u64)data << 8;
		break;
	case SET_REPORT_SEMAPHORE_A:
		set_upper(&context->semaphore, bits(data, 7, 0));
		break;
	case SET_REPORT_SEMAPHORE_B:
		set_lower(&context->semaphore, data);
		break;
	case SET_REPORT_SEMAPHORE_C:
		context->payload = data;
		break;
	case SET_REPORT_SEMAPHORE_D:
		return report_semaphore(gpu, channel, data);
	}
	return GR_DONE;
}
