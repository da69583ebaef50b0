/* SPDX-License-Identifier: MIT */
/*
 * Copy engines: class C0B5, PASCAL_DMA_COPY_A.
 * Source: open-gpu-doc classes/dma-copy/clc0b5.h; gp106 hw_ce. GOB layout (64 bytes by 8 lines,
 * sectors of 16) as open drivers describe it. Which launch error belongs to which mistake is
 * published by name only: our reading. L2-bypass bits mean nothing where there is no L2.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "gpu.h"
#include "semaphore.h"

enum {
	CE_FIRST = 0x104400,
	CE_STRIDE = 0x80,
	CE_INTR_EN = 0x0c,
	CE_INTR = 0x10,
	CE_LAUNCHERR = 0x18,
};

#define INTR_BLOCKPIPE	  BIT(0)
#define INTR_NONBLOCKPIPE BIT(1)
#define INTR_LAUNCHERR	  BIT(2)

enum {
	NOP = 0x100,
	PM_TRIGGER = 0x140,
	SET_SEMAPHORE_A = 0x240,
	SET_SEMAPHORE_B = 0x244,
	SET_SEMAPHORE_PAYLOAD = 0x248,
	SET_RENDER_ENABLE_A = 0x254,
	SET_RENDER_ENABLE_B = 0x258,
	SET_RENDER_ENABLE_C = 0x25c,
	SET_SRC_PHYS_MODE = 0x260,
	SET_DST_PHYS_MODE = 0x264,
	LAUNCH_DMA = 0x300,
	OFFSET_IN_UPPER = 0x400, /* OFFSET_IN_LOWER follows */
	OFFSET_OUT_UPPER = 0x408,
	PITCH_IN = 0x410,
	PITCH_OUT = 0x414,
	LINE_LENGTH_IN = 0x418,
	LINE_COUNT = 0x41c,
	SET_REMAP_CONST_A = 0x700,
	SET_REMAP_CONST_B = 0x704,
	SET_REMAP_COMPONENTS = 0x708,
	SET_DST_BLOCK_SIZE = 0x70c, /* then WIDTH, HEIGHT, DEPTH, LAYER, ORIGIN */
	SET_DST_ORIGIN = 0x720,
	SET_SRC_BLOCK_SIZE = 0x728,
	SET_SRC_ORIGIN = 0x73c,
	PM_TRIGGER_END = 0x1114,
};

/* What the class has; the rest is illegal. */
static const struct {
	u16 first, last;
} methods[] = {
	{ NOP, NOP },
	{ PM_TRIGGER, PM_TRIGGER },
	{ SET_SEMAPHORE_A, SET_SEMAPHORE_PAYLOAD },
	{ SET_RENDER_ENABLE_A, SET_DST_PHYS_MODE },
	{ LAUNCH_DMA, LAUNCH_DMA },
	{ OFFSET_IN_UPPER, LINE_COUNT },
	{ SET_REMAP_CONST_A, SET_DST_ORIGIN },
	{ SET_SRC_BLOCK_SIZE, SET_SRC_ORIGIN },
	{ PM_TRIGGER_END, PM_TRIGGER_END },
};

enum {
	RENDER_FALSE = 0,
	RENDER_TRUE = 1,
	RENDER_CONDITIONAL = 2,
	RENDER_IF_EQUAL = 3,
	RENDER_IF_NOT_EQUAL = 4,
};

enum launch_error {
	LAUNCHERR_NONE = 0x0,
	LAUNCHERR_LAYER_EXCEEDS_DEPTH = 0x1,
	LAUNCHERR_INVALID_ALIGNMENT = 0x2,
	LAUNCHERR_RECT_OUT_OF_BOUNDS = 0x3,
	LAUNCHERR_SRC_LINE_EXCEEDS_PITCH = 0x4,
	LAUNCHERR_SRC_LINE_EXCEEDS_NEG_PITCH = 0x5,
	LAUNCHERR_DST_LINE_EXCEEDS_PITCH = 0x6,
	LAUNCHERR_DST_LINE_EXCEEDS_NEG_PITCH = 0x7,
	LAUNCHERR_BAD_SRC_PIXEL_COMP_REF = 0x8,
	LAUNCHERR_INVALID_VALUE = 0x9,
	LAUNCHERR_UNUSED_FIELD = 0xa,
};

/* LAUNCH_DMA */
enum {
	TRANSFER_NONE = 0,
	TRANSFER_RESERVED = 3
};
enum {
	SEMAPHORE_NONE = 0,
	SEMAPHORE_FOUR_WORDS = 2,
	SEMAPHORE_RESERVED = 3
};
enum {
	INTERRUPT_NONE = 0,
	INTERRUPT_BLOCKING = 1,
	INTERRUPT_RESERVED = 3
};

#define LAUNCH_SRC_PITCH	  BIT(7)
#define LAUNCH_DST_PITCH	  BIT(8)
#define LAUNCH_MULTI_LINE	  BIT(9)
#define LAUNCH_REMAP		  BIT(10)
#define LAUNCH_SRC_PHYSICAL	  BIT(12)
#define LAUNCH_DST_PHYSICAL	  BIT(13)
#define LAUNCH_REDUCTION_UNSIGNED BIT(18)
#define LAUNCH_REDUCTION_ENABLE	  BIT(19)

/* SET_REMAP_COMPONENTS: where a component of the result comes from. */
enum {
	FROM_CONST_A = 4,
	FROM_CONST_B = 5,
	FROM_NOWHERE = 6,
	FROM_RESERVED = 7
};

#define GOB_BYTES	   512
#define GOB_WIDTH	   64
#define GOB_HEIGHT	   8
#define GOB_HEIGHT_FERMI_8 1
#define BLOCK_SHIFT_MAX	   5
#define SECTOR_BYTES	   16

/* Bytes handled at a time, and how many pass before others get the lock; a line counts as some. */
#define BUFFER_BYTES (256 << 10)
#define YIELD_BYTES  (1 << 20)
#define LINE_COST    128

/* One side of a copy. Distances along x are in bytes. */
struct operand {
	enum mmu_access access;
	bool physical, pitched;
	enum aperture aperture; /* when physical */
	u64 base;
	s64 pitch;
	u64 pixel; /* bytes */
	/* block-linear */
	unsigned int block_height, block_depth; /* in GOBs, as powers of two */
	u64 width, height, depth, layer, x, y;
};

struct remap {
	unsigned int from[4], components, source_components, size;
	u32 constant[2];
	bool reads_source, keeps_result;
};

struct launch {
	struct gpu *gpu;
	struct channel *channel;
	unsigned int index;
	u32 flags;
	struct operand src, dst;
	struct remap remap;
	u64 pixels, lines;
	u64 constant_pixels; /* of the result buffer that hold the constants already */
};

static const struct chip_engine *engine(const struct gpu *gpu, unsigned int index)
{
	const struct chip *chip = gpu->config.chip;

	for (unsigned int i = 0; i < chip->engine_count; i++)
		if (chip->engines[i].type == ENGINE_TYPE_LCE && chip->engines[i].inst == index)
			return &chip->engines[i];
	return NULL;
}

static void ce_update(struct gpu *gpu, unsigned int index)
{
	const struct ce_regs *regs = &gpu->ce.regs[index];

	pmc_set_intr(gpu, engine(gpu, index)->intr, regs->intr & regs->intr_en);
}

static void ce_raise(struct gpu *gpu, unsigned int index, u32 intr)
{
	gpu->ce.regs[index].intr |= intr;
	ce_update(gpu, index);
}

static u32 *word(struct ce_context *context, u32 method)
{
	return &context->method[(method - CE_METHOD_FIRST) / 4];
}

static u32 get(const struct launch *launch, u32 method)
{
	return *word(&launch->channel->ce, method);
}

/* An address of 49 bits in two methods. */
static u64 get_address(const struct launch *launch, u32 upper)
{
	return bits(get(launch, upper), 16, 0) << 32 | get(launch, upper + 4);
}

void ce_context_reset(struct ce_context *context)
{
	memset(context, 0, sizeof(*context));
	*word(context, SET_RENDER_ENABLE_C) = RENDER_TRUE; /* [INF]: nobody has to enable copies */
}

static enum ce_result ce_fault(const struct launch *launch, enum mmu_fault type,
			       enum mmu_access access, u64 va)
{
	const struct chip_engine *ce = engine(launch->gpu, launch->index);

	fault_report(launch->gpu, &(struct fault_info){
					  .unit = ce->fault,
					  .type = type,
					  .access = access,
					  .hub = true,
					  .client = ce->hub_client,
					  .va = va,
					  .inst_aperture = launch->channel->inst_aperture,
					  .inst = launch->channel->inst,
				  });
	return CE_FAULT;
}

/* Physically contiguous memory behind an operand's address, up to *len bytes. */
struct run {
	enum aperture aperture;
	u64 addr;
	size_t len;
	bool sparse;
};

static enum ce_result translate(const struct launch *launch, const struct operand *operand,
				u64 addr, size_t len, struct run *run)
{
	const struct mmu_space *space = &launch->channel->space;
	struct mmu_page page;
	enum mmu_fault fault;

	if (operand->physical) {
		*run = (struct run){ .aperture = operand->aperture, .addr = addr, .len = len };
		return CE_DONE;
	}
	fault = mmu_translate(launch->gpu, space, addr, operand->access, false, &page);
	if (host_cancelled(launch->gpu))
		return CE_CANCELLED;
	if (fault != MMU_FAULT_NONE)
		return ce_fault(launch, fault, operand->access, addr);
	*run = (struct run){ .aperture = page.aperture,
			     .addr = page.addr,
			     .len = page.span,
			     .sparse = page.sparse };
	while (run->len < len && !run->sparse) {
		fault = mmu_translate(launch->gpu, space, addr + run->len, operand->access, false,
				      &page);
		if (host_cancelled(launch->gpu))
			return CE_CANCELLED;
		/* a fault is reported when it is reached */
		if (fault != MMU_FAULT_NONE || page.sparse || page.aperture != run->aperture ||
		    page.addr != run->addr + run->len)
			break;
		run->len += page.span;
	}
	if (run->len > len)
		run->len = len;
	return CE_DONE;
}

/* Read or write bytes that are contiguous in the operand's address space. */
static enum ce_result transfer(const struct launch *launch, const struct operand *operand, u64 addr,
			       void *rbuf, const void *wbuf, size_t len)
{
	struct gpu *gpu = launch->gpu;

	for (size_t done = 0; done < len;) {
		struct run run = { 0 };
		enum ce_result result = translate(launch, operand, addr + done, len - done, &run);

		if (result != CE_DONE)
			return result;
		/* unanswered reads give ones and unanswered writes are lost, as on the bus */
		if (run.sparse) {
			if (rbuf)
				memset((u8 *)rbuf + done, 0, run.len);
		} else if (rbuf) {
			(void)mem_read(gpu, run.aperture, run.addr, (u8 *)rbuf + done, run.len,
				       CLIENT_CE);
		} else {
			(void)mem_write(gpu, run.aperture, run.addr, (const u8 *)wbuf + done,
					run.len, CLIENT_CE);
		}
		if (host_cancelled(gpu))
			return CE_CANCELLED;
		done += run.len;
	}
	return CE_DONE;
}

/* Byte "x" of line "y" in a block-linear surface. */
static u64 block_linear(const struct operand *operand, u64 x, u64 y)
{
	u64 gobs_per_row = (operand->width + GOB_WIDTH - 1) / GOB_WIDTH;
	u64 block_lines = (u64)GOB_HEIGHT << operand->block_height;
	u64 rows = (operand->height + block_lines - 1) / block_lines;
	u64 slice = operand->layer >> operand->block_depth;
	u64 block = (slice * rows + y / block_lines) * gobs_per_row + x / GOB_WIDTH;
	u64 gob = (operand->layer & (BIT_ULL(operand->block_depth) - 1)) << operand->block_height |
		  y % block_lines / GOB_HEIGHT;

	return operand->base +
	       ((block << (operand->block_height + operand->block_depth)) + gob) * GOB_BYTES +
	       ((x & 0x20) << 3 | (y & 0x6) << 5 | (x & 0x10) << 1 | (y & 0x1) << 4 | (x & 0xf));
}

/* "len" bytes from byte "offset" of a line. */
static enum ce_result line_transfer(const struct launch *launch, const struct operand *operand,
				    u64 line, u64 offset, void *rbuf, const void *wbuf, size_t len)
{
	enum ce_result result = CE_DONE;

	if (operand->pitched)
		return transfer(launch, operand,
				operand->base + (u64)((s64)line * operand->pitch) + offset, rbuf,
				wbuf, len);
	for (size_t done = 0; done < len && result == CE_DONE;) {
		u64 x = operand->x + offset + done;
		size_t n = SECTOR_BYTES - x % SECTOR_BYTES;

		if (n > len - done)
			n = len - done;
		result = transfer(launch, operand, block_linear(operand, x, operand->y + line),
				  rbuf ? (u8 *)rbuf + done : NULL,
				  wbuf ? (const u8 *)wbuf + done : NULL, n);
		done += n;
	}
	return result;
}

static void remap_pixels(const struct remap *remap, const u8 *source, u8 *result, size_t count)
{
	size_t size = remap->size;

	for (size_t i = 0; i < count; i++) {
		for (unsigned int c = 0; c < remap->components; c++, result += size) {
			unsigned int from = remap->from[c];

			if (from < FROM_CONST_A)
				memcpy(result, source + from * size, size);
			else if (from < FROM_NOWHERE)
				memcpy(result, &remap->constant[from - FROM_CONST_A], size);
		}
		source += remap->source_components * size;
	}
}

/* One piece of a line, in pixels. */
static enum ce_result copy_piece(struct launch *launch, u64 line, u64 first, size_t count)
{
	const struct remap *remap = &launch->remap;
	u64 src_pixel = launch->src.pixel, dst_pixel = launch->dst.pixel;
	struct ce *ce = &launch->gpu->ce;
	const u8 *data = ce->source;
	enum ce_result result;

	if (remap->reads_source) {
		result = line_transfer(launch, &launch->src, line, first * src_pixel, ce->source,
				       NULL, count * src_pixel);
		if (result != CE_DONE)
			return result;
	}
	if (launch->flags & LAUNCH_REMAP) {
		data = ce->result;
		if (remap->keeps_result) {
			result = line_transfer(launch, &launch->dst, line, first * dst_pixel,
					       ce->result, NULL, count * dst_pixel);
			if (result != CE_DONE)
				return result;
		}
		if (remap->reads_source || remap->keeps_result || launch->constant_pixels < count) {
			remap_pixels(remap, ce->source, ce->result, count);
			launch->constant_pixels = count;
		}
	}
	return line_transfer(launch, &launch->dst, line, first * dst_pixel, NULL, data,
			     count * dst_pixel);
}

static enum ce_result copy(struct launch *launch)
{
	u64 pixel = launch->src.pixel > launch->dst.pixel ? launch->src.pixel : launch->dst.pixel;
	u64 at_once = BUFFER_BYTES / pixel;
	struct gpu *gpu = launch->gpu;

	for (u64 line = 0; line < launch->lines && launch->pixels; line++) {
		for (u64 first = 0; first < launch->pixels;) {
			u64 left = launch->pixels - first;
			size_t count = left < at_once ? left : at_once;
			enum ce_result result = copy_piece(launch, line, first, count);

			if (result != CE_DONE)
				return result;
			first += count;
			gpu->ce.unyielded += count * pixel + LINE_COST;
			if (gpu->ce.unyielded < YIELD_BYTES)
				continue;
			gpu->ce.unyielded = 0;
			engine_yield(gpu);
			if (host_cancelled(gpu))
				return CE_CANCELLED;
		}
	}
	return CE_DONE;
}

static enum aperture physical_target(u32 mode)
{
	static const enum aperture targets[] = { APERTURE_VIDMEM, APERTURE_SYS_COH,
						 APERTURE_SYS_NCOH };

	return targets[bits(mode, 1, 0)];
}

/* A launch error, or none, for the surface that starts at method "block_size". */
static enum launch_error read_surface(struct launch *launch, struct operand *operand,
				      u32 block_size)
{
	u32 block = get(launch, block_size), origin = get(launch, block_size + 0x14);

	operand->block_height = (unsigned int)bits(block, 7, 4);
	operand->block_depth = (unsigned int)bits(block, 11, 8);
	operand->width = get(launch, block_size + 0x4) * operand->pixel;
	operand->height = get(launch, block_size + 0x8);
	operand->depth = get(launch, block_size + 0xc);
	operand->layer = get(launch, block_size + 0x10);
	operand->x = bits(origin, 15, 0) * operand->pixel;
	operand->y = bits(origin, 31, 16);
	if (bits(block, 3, 0) || operand->block_height > BLOCK_SHIFT_MAX ||
	    operand->block_depth > BLOCK_SHIFT_MAX || bits(block, 15, 12) != GOB_HEIGHT_FERMI_8)
		return LAUNCHERR_INVALID_VALUE;
	if (operand->base % GOB_BYTES)
		return LAUNCHERR_INVALID_ALIGNMENT;
	if (operand->layer >= operand->depth)
		return LAUNCHERR_LAYER_EXCEEDS_DEPTH;
	if (operand->x + launch->pixels * operand->pixel > operand->width ||
	    operand->y + launch->lines > operand->height)
		return LAUNCHERR_RECT_OUT_OF_BOUNDS;
	return LAUNCHERR_NONE;
}

static enum launch_error check_pitch(const struct launch *launch, const struct operand *operand,
				     enum launch_error positive, enum launch_error negative)
{
	u64 bytes = launch->pixels * operand->pixel;

	if (launch->lines < 2)
		return LAUNCHERR_NONE;
	if (operand->pitch < 0)
		return bytes > (u64)-operand->pitch ? negative : LAUNCHERR_NONE;
	return bytes > (u64)operand->pitch ? positive : LAUNCHERR_NONE;
}

static enum launch_error read_remap(struct launch *launch)
{
	struct remap *remap = &launch->remap;
	u32 components = get(launch, SET_REMAP_COMPONENTS);

	remap->constant[0] = get(launch, SET_REMAP_CONST_A);
	remap->constant[1] = get(launch, SET_REMAP_CONST_B);
	remap->size = (unsigned int)bits(components, 17, 16) + 1;
	remap->source_components = (unsigned int)bits(components, 21, 20) + 1;
	remap->components = (unsigned int)bits(components, 25, 24) + 1;
	for (unsigned int c = 0; c < remap->components; c++) {
		remap->from[c] = (unsigned int)bits(components, 4 * c + 2, 4 * c);
		if (remap->from[c] == FROM_RESERVED)
			return LAUNCHERR_INVALID_VALUE;
		if (remap->from[c] < FROM_CONST_A) {
			if (remap->from[c] >= remap->source_components)
				return LAUNCHERR_BAD_SRC_PIXEL_COMP_REF;
			remap->reads_source = true;
		}
		if (remap->from[c] == FROM_NOWHERE)
			remap->keeps_result = true;
	}
	launch->src.pixel = remap->source_components * remap->size;
	launch->dst.pixel = remap->components * remap->size;
	return LAUNCHERR_NONE;
}

/* Many lines that touch are one. */
static void join_lines(struct launch *launch)
{
	const struct operand *src = &launch->src, *dst = &launch->dst;
	u64 pixels = launch->pixels;

	if (src->pitched && dst->pitched && src->pitch == (s64)(pixels * src->pixel) &&
	    dst->pitch == (s64)(pixels * dst->pixel)) {
		launch->pixels = pixels * launch->lines;
		launch->lines = 1;
	}
}

static enum launch_error read_operands(struct launch *launch)
{
	u32 flags = launch->flags;
	enum launch_error error = LAUNCHERR_NONE;

	launch->pixels = get(launch, LINE_LENGTH_IN);
	launch->lines = flags & LAUNCH_MULTI_LINE ? get(launch, LINE_COUNT) : 1;
	launch->src = (struct operand){
		.access = MMU_READ,
		.physical = flags & LAUNCH_SRC_PHYSICAL,
		.pitched = flags & LAUNCH_SRC_PITCH,
		.base = get_address(launch, OFFSET_IN_UPPER),
		.pitch = (s32)get(launch, PITCH_IN),
		.pixel = 1,
	};
	launch->dst = (struct operand){
		.access = MMU_WRITE,
		.physical = flags & LAUNCH_DST_PHYSICAL,
		.pitched = flags & LAUNCH_DST_PITCH,
		.base = get_address(launch, OFFSET_OUT_UPPER),
		.pitch = (s32)get(launch, PITCH_OUT),
		.pixel = 1,
	};
	launch->src.aperture = physical_target(get(launch, SET_SRC_PHYS_MODE));
	launch->dst.aperture = physical_target(get(launch, SET_DST_PHYS_MODE));
	launch->remap.reads_source = !(flags & LAUNCH_REMAP);
	if (flags & LAUNCH_REMAP)
		error = read_remap(launch);
	if (!error && launch->remap.reads_source)
		error = launch->src.pitched
				? check_pitch(launch, &launch->src,
					      LAUNCHERR_SRC_LINE_EXCEEDS_PITCH,
					      LAUNCHERR_SRC_LINE_EXCEEDS_NEG_PITCH)
				: read_surface(launch, &launch->src, SET_SRC_BLOCK_SIZE);
	if (!error)
		error = launch->dst.pitched
				? check_pitch(launch, &launch->dst,
					      LAUNCHERR_DST_LINE_EXCEEDS_PITCH,
					      LAUNCHERR_DST_LINE_EXCEEDS_NEG_PITCH)
				: read_surface(launch, &launch->dst, SET_DST_BLOCK_SIZE);
	join_lines(launch);
	return error;
}

static enum launch_error check_launch(const struct launch *launch)
{
	u32 flags = launch->flags;
	unsigned int semaphore = (unsigned int)bits(flags, 4, 3);
	u64 size = semaphore == SEMAPHORE_FOUR_WORDS ? SEMAPHORE_BYTES : 4;

	if (bits(flags, 31, 28))
		return LAUNCHERR_UNUSED_FIELD;
	if (bits(flags, 1, 0) == TRANSFER_RESERVED || semaphore == SEMAPHORE_RESERVED ||
	    bits(flags, 6, 5) == INTERRUPT_RESERVED)
		return LAUNCHERR_INVALID_VALUE;
	if (semaphore == SEMAPHORE_NONE)
		return LAUNCHERR_NONE;
	if (get_address(launch, SET_SEMAPHORE_A) % size)
		return LAUNCHERR_INVALID_ALIGNMENT;
	if ((flags & LAUNCH_REDUCTION_ENABLE) &&
	    !semaphore_can_reduce(bits(flags, 17, 14), flags & LAUNCH_REDUCTION_UNSIGNED))
		return LAUNCHERR_INVALID_VALUE;
	return LAUNCHERR_NONE;
}

static enum ce_result release(const struct launch *launch)
{
	unsigned int type = (unsigned int)bits(launch->flags, 4, 3);
	u64 va = get_address(launch, SET_SEMAPHORE_A), fault_va = va;
	u32 payload = get(launch, SET_SEMAPHORE_PAYLOAD);
	enum mmu_access access = MMU_WRITE;
	enum mmu_fault fault;

	if (type == SEMAPHORE_NONE)
		return CE_DONE;
	if (launch->flags & LAUNCH_REDUCTION_ENABLE) {
		access = MMU_ATOMIC;
		fault = semaphore_reduce(launch->gpu, &launch->channel->space, va, payload,
					 bits(launch->flags, 17, 14),
					 launch->flags & LAUNCH_REDUCTION_UNSIGNED, CLIENT_CE);
	} else {
		fault = semaphore_release(launch->gpu, &launch->channel->space, va, payload,
					  type == SEMAPHORE_FOUR_WORDS, CLIENT_CE, &fault_va);
	}
	if (host_cancelled(launch->gpu))
		return CE_CANCELLED;
	return fault == MMU_FAULT_NONE ? CE_DONE : ce_fault(launch, fault, access, fault_va);
}

/* SET_RENDER_ENABLE: which words it looks at is inferred from the graphics classes' method. */
static enum ce_result render_enabled(const struct launch *launch, bool *enabled)
{
	u64 va = bits(get(launch, SET_RENDER_ENABLE_A), 7, 0) << 32 |
		 get(launch, SET_RENDER_ENABLE_B);
	u32 mode = bits(get(launch, SET_RENDER_ENABLE_C), 2, 0), report[8] = { 0 };
	enum mmu_fault fault;
	u64 fault_va = va;

	*enabled = mode == RENDER_TRUE;
	if (mode <= RENDER_TRUE)
		return CE_DONE;
	fault = mmu_read(launch->gpu, &launch->channel->space, va, report,
			 mode == RENDER_CONDITIONAL ? 4 : sizeof(report), CLIENT_CE, &fault_va);
	if (host_cancelled(launch->gpu))
		return CE_CANCELLED;
	if (fault != MMU_FAULT_NONE)
		return ce_fault(launch, fault, MMU_READ, fault_va);
	if (mode == RENDER_CONDITIONAL)
		*enabled = report[0];
	else
		*enabled = (report[0] == report[4]) == (mode == RENDER_IF_EQUAL);
	return CE_DONE;
}

static enum ce_result launch_dma(struct gpu *gpu, unsigned int index, struct channel *channel,
				 u32 flags)
{
	struct launch launch = { .gpu = gpu, .index = index, .channel = channel, .flags = flags };
	bool transfers = bits(flags, 1, 0) != TRANSFER_NONE, enabled;
	enum launch_error error;
	enum ce_result result;

	if ((flags & (LAUNCH_SRC_PHYSICAL | LAUNCH_DST_PHYSICAL)) && !channel->ce_privileged)
		return CE_PRIV;
	error = check_launch(&launch);
	if (!error && transfers)
		error = read_operands(&launch);
	if (error) {
		gpu_log(gpu, GPU_WARN, "CE%u: channel %u: launch error %x", index, channel->id,
			error);
		gpu->ce.regs[index].launch_err = error;
		ce_raise(gpu, index, INTR_LAUNCHERR);
		return CE_DONE;
	}
	if (gpu->engine.delay.ce)
		engine_sleep_us(gpu, gpu->engine.delay.ce);
	if (host_cancelled(gpu))
		return CE_CANCELLED;
	result = render_enabled(&launch, &enabled);
	if (result != CE_DONE || !enabled)
		return result;
	if (transfers)
		result = copy(&launch);
	if (result == CE_DONE) /* a release flushes whether FLUSH_ENABLE asks for it or not */
		result = release(&launch);
	if (result != CE_DONE || bits(flags, 6, 5) == INTERRUPT_NONE)
		return result;
	ce_raise(gpu, index,
		 bits(flags, 6, 5) == INTERRUPT_BLOCKING ? INTR_BLOCKPIPE : INTR_NONBLOCKPIPE);
	return CE_DONE;
}

static bool known_method(u32 method)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (method >= methods[i].first && method <= methods[i].last)
			return true;
	return false;
}

enum ce_result ce_method(struct gpu *gpu, unsigned int index, struct channel *channel, u32 method,
			 u32 data)
{
	if (gpu->ce.regs[index].intr & INTR_BLOCKPIPE)
		return CE_BLOCKED;
	if (!known_method(method))
		return CE_ILLEGAL_METHOD;
	if (method > CE_METHOD_LAST)
		return CE_DONE; /* PM_TRIGGER_END */
	if (method == SET_RENDER_ENABLE_C) {
		if (bits(data, 2, 0) > RENDER_IF_NOT_EQUAL)
			return CE_ILLEGAL_OP;
		if (*word(&channel->ce, SET_RENDER_ENABLE_B) & 3)
			return CE_ALIGN;
	}
	if ((method == SET_SRC_PHYS_MODE || method == SET_DST_PHYS_MODE) && bits(data, 1, 0) == 3)
		return CE_ILLEGAL_METHOD; /* no such target [INF: this interrupt] */
	*word(&channel->ce, method) = data;
	return method == LAUNCH_DMA ? launch_dma(gpu, index, channel, data) : CE_DONE;
}

static u32 ce_read(struct gpu *gpu, u32 addr)
{
	unsigned int index = (addr - CE_FIRST) / CE_STRIDE;
	const struct ce_regs *regs = &gpu->ce.regs[index];

	if (!engine(gpu, index))
		return mmio_unmodelled_read(gpu, addr);
	switch ((addr - CE_FIRST) % CE_STRIDE) {
	case CE_INTR_EN:
		return regs->intr_en;
	case CE_INTR:
		return regs->intr;
	case CE_LAUNCHERR:
		return regs->launch_err;
	}
	return mmio_unmodelled_read(gpu, addr);
}

static void ce_write(struct gpu *gpu, u32 addr, u32 val)
{
	unsigned int index = (addr - CE_FIRST) / CE_STRIDE;
	struct ce_regs *regs = &gpu->ce.regs[index];

	if (!engine(gpu, index)) {
		mmio_unmodelled_write(gpu, addr, val);
		return;
	}
	switch ((addr - CE_FIRST) % CE_STRIDE) {
	case CE_INTR_EN:
		regs->intr_en = val;
		ce_update(gpu, index);
		return;
	case CE_INTR:
		regs->intr &= ~val;
		ce_update(gpu, index);
		engine_kick(gpu); /* a blocked pipe goes on */
		return;
	case CE_LAUNCHERR:
		regs->launch_err = val;
		return;
	}
	mmio_unmodelled_write(gpu, addr, val);
}

static const struct mmio_range ce_range = { CE_FIRST, CE_FIRST + CE_MAX *CE_STRIDE - 1, "CE",
					    ce_read, ce_write };

static void ce_reset_one(struct gpu *gpu, unsigned int index)
{
	/* interrupts are on from reset [INF]: drivers only ever mask with this register */
	gpu->ce.regs[index] =
		(struct ce_regs){ .intr_en = INTR_BLOCKPIPE | INTR_NONBLOCKPIPE | INTR_LAUNCHERR };
	ce_update(gpu, index);
}

static void ce_pmc_reset(struct gpu *gpu, unsigned int bit)
{
	for (unsigned int i = 0; i < CE_MAX; i++)
		if (engine(gpu, i) && engine(gpu, i)->reset == bit)
			ce_reset_one(gpu, i);
	host_engine_reset(gpu, bit);
}

static void ce_reset(struct gpu *gpu)
{
	for (unsigned int i = 0; i < CE_MAX; i++)
		if (engine(gpu, i))
			ce_reset_one(gpu, i);
}

static void ce_init(struct gpu *gpu)
{
	gpu->ce.source = malloc(BUFFER_BYTES);
	gpu->ce.result = malloc(BUFFER_BYTES);
	if (!gpu->ce.source || !gpu->ce.result)
		abort(); /* out of memory before anything runs */
	mmio_register(gpu, &ce_range);
	for (unsigned int i = 0; i < CE_MAX; i++)
		if (engine(gpu, i))
			pmc_on_reset(gpu, engine(gpu, i)->reset, ce_pmc_reset);
}

static void ce_fini(struct gpu *gpu)
{
	free(gpu->ce.source);
	free(gpu->ce.result);
}

const struct unit ce_unit = {
	.name = "CE",
	.init = ce_init,
	.reset = ce_reset,
	.fini = ce_fini,
};
