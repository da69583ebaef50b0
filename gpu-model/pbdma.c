/* SPDX-License-Identifier: MIT */
/*
 * PBDMA: fetches GP entries and pushbuffers, decodes methods, executes those of Host and hands
 * the others to the engine. Source: open-gpu-doc manuals/volta/gv100/dev_pbdma, dev_ram;
 * classes/host/clc06f.h; gp106 hw_pbdma. Copy engines finish a method before the next is decoded;
 * only grids of GR are ever waited for.
 */
#include <string.h>

#include "gpu.h"
#include "pfifo.h"
#include "semaphore.h"

enum {
	PBDMA_BASE = 0x040000,
	PBDMA_STRIDE = 0x2000,
};

/* Beyond the words of RAMFC. */
enum {
	PBDMA_STATUS = 0x100,
	PBDMA_INTR_0 = 0x108,
	PBDMA_INTR_EN_0 = 0x10c,
	PBDMA_GP_SHADOW_0 = 0x110,
	PBDMA_GP_SHADOW_1 = 0x114,
	PBDMA_HDR_SHADOW = 0x118,
	PBDMA_CHANNEL = 0x120,
	PBDMA_INTR_1 = 0x148,
	PBDMA_INTR_EN_1 = 0x14c,
	PBDMA_HCE_DBG0 = 0x150,
	PBDMA_HCE_DBG1 = 0x154,
};

#define CHANNEL_VALID BIT(13)

#define INTR_0_GPFIFO	 BIT(13)
#define INTR_0_GPPTR	 BIT(14)
#define INTR_0_GPENTRY	 BIT(15)
#define INTR_0_PBPTR	 BIT(17)
#define INTR_0_PBENTRY	 BIT(18)
#define INTR_0_METHOD	 BIT(21)
#define INTR_0_DEVICE	 BIT(23)
#define INTR_0_SEMAPHORE BIT(25)
#define INTR_0_ACQUIRE	 BIT(26)
#define INTR_0_PBSEG	 BIT(30)
#define INTR_0_SIGNATURE BIT(31)

#define INTR_1_HCE_RE_ILLEGAL_OP BIT(0)
#define INTR_1_HCE_RE_ALIGNB	 BIT(1)
#define INTR_1_HCE_PRIV		 BIT(2)
#define INTR_1_HCE_ILLEGAL_MTHD	 BIT(3)
#define INTR_1_HCE_ILLEGAL_CLASS BIT(4)
#define INTR_1_CTXNOTVALID	 BIT(31)

#define METHOD0_VALID BIT(31)

#define HEADER_LEVEL_SUBROUTINE BIT(20)
#define HEADER_CONDITIONAL	BIT(23)
#define HEADER_TYPE_SHIFT	29
#define HEADER_SUBCH_SHIFT	16
#define PB_COUNT_VALUE		0x1fff

#define TOP_LEVEL_GET_VALID BIT(31)

#define SUBDEVICE_ACTIVE      BIT(28)
#define SUBDEVICE_CHANNEL_DMA BIT(29)

#define SIGNATURE_VALUE		  0xface
#define HCE_CTRL_PRIV_MODE	  BIT(5)
#define CONFIG_AUTH_PRIVILEGED	  BIT(8)
#define ACQUIRE_TIMEOUT_ENABLE	  BIT(31)
#define SEMAPHORE_RELEASE_WFI_DIS BIT(20)
#define SEMAPHORE_RELEASE_4BYTE	  BIT(24)
#define SEMAPHORE_UNSIGNED	  BIT(31)
#define INST_GR_CTX_LO		  0x210
#define INST_GR_CTX_HI		  0x214
#define GR_CTX_VIRTUAL		  BIT(2)
#define ADDRESS_END		  (UINT64_C(1) << 40) /* of Host: GP FIFO, segments, semaphores */
#define SLICE_METHODS		  4096
#define CLASS_PASCAL_DMA_COPY_A	  0xc0b5
#define FIRST_SOFTWARE_SUBCHANNEL 5
#define CLIENT_HUB_HOST		  0x06

/* Secondary opcodes of pushbuffer entries. */
enum {
	SEC_OP_GRP0 = 0,
	SEC_OP_INC = 1,
	SEC_OP_GRP2 = 2,
	SEC_OP_NON_INC = 3,
	SEC_OP_IMMD = 4,
	SEC_OP_ONE_INC = 5,
	SEC_OP_END_SEGMENT = 7,
};

/* Tertiary opcodes of group 0. */
enum {
	TERT_OP_INC = 0,
	TERT_OP_SET_SUBDEVICE_MASK = 1,
	TERT_OP_STORE_SUBDEVICE_MASK = 2,
	TERT_OP_USE_SUBDEVICE_MASK = 3,
};

/* Host methods: everything below 0x100. */
enum {
	METHOD_SET_OBJECT = 0x00,
	METHOD_ILLEGAL = 0x04,
	METHOD_NOP = 0x08,
	METHOD_SEMAPHORE_A = 0x10,
	METHOD_SEMAPHORE_B = 0x14,
	METHOD_SEMAPHORE_C = 0x18,
	METHOD_SEMAPHORE_D = 0x1c,
	METHOD_NON_STALL_INTERRUPT = 0x20,
	METHOD_FB_FLUSH = 0x24,
	METHOD_MEM_OP_A = 0x28,
	METHOD_MEM_OP_B = 0x2c,
	METHOD_MEM_OP_C = 0x30,
	METHOD_MEM_OP_D = 0x34,
	METHOD_SET_REFERENCE = 0x50,
	METHOD_WFI = 0x78,
	METHOD_CRC_CHECK = 0x7c,
	METHOD_YIELD = 0x80,
	METHOD_FIRST_ENGINE = 0x100,
};

enum {
	SEMAPHORE_ACQUIRE = 1,
	SEMAPHORE_RELEASE = 2,
	SEMAPHORE_ACQ_GEQ = 4,
	SEMAPHORE_ACQ_AND = 8,
	SEMAPHORE_REDUCTION = 16,
};

enum {
	MEM_OP_MEMBAR = 0x05,
	MEM_OP_MMU_TLB_INVALIDATE = 0x09,
	MEM_OP_MMU_TLB_INVALIDATE_TARGETED = 0x0a,
	MEM_OP_L2_PEERMEM_INVALIDATE = 0x0d,
	MEM_OP_L2_SYSMEM_INVALIDATE = 0x0e,
	MEM_OP_L2_CLEAN_COMPTAGS = 0x0f,
	MEM_OP_L2_FLUSH_DIRTY = 0x10,
	MEM_OP_L2_WAIT_FOR_SYS_PENDING_READS = 0x15,
};

enum {
	GP_OPCODE_NOP = 0,
	GP_OPCODE_GP_CRC = 2,
	GP_OPCODE_PB_CRC = 3,
};

/* USERD: where the state of a channel is written back for its user. */
static const struct {
	u16 offset;
	u8 word;
} userd_map[] = {
	{ 0x40, RAMFC_PB_PUT },
	{ 0x44, RAMFC_PB_GET },
	{ 0x48, RAMFC_REF },
	{ 0x4c, RAMFC_PB_PUT_HI },
	{ 0x58, RAMFC_PB_TOP_LEVEL_GET },
	{ 0x5c, RAMFC_PB_TOP_LEVEL_GET_HI },
	{ 0x60, RAMFC_PB_GET_HI },
	{ 0x88, RAMFC_GP_GET },
};

#define USERD_GP_PUT 0x8c

/* What became of a method. */
enum method_result {
	METHOD_DONE,
	METHOD_YIELDED, /* done, and the slice ends */
	METHOD_RETRY,	/* not now: stays in METHOD0 */
	METHOD_TRAPPED, /* stays in METHOD0, with an interrupt */
	METHOD_HOST_FAULT,
	METHOD_ENGINE_FAULT,
	METHOD_CANCELLED,
};

static u64 ctx_addr(const struct pbdma *pbdma, enum ramfc lo)
{
	return bits(pbdma->ctx[lo + 1], 7, 0) << 32 | (pbdma->ctx[lo] & ~3u);
}

static void ctx_set_addr(struct pbdma *pbdma, enum ramfc lo, u64 addr)
{
	pbdma->ctx[lo] = (u32)addr;
	pbdma->ctx[lo + 1] = (u32)(addr >> 32);
}

static bool frozen(const struct pbdma *pbdma)
{
	return pbdma->intr[0] || pbdma->intr[1];
}

static void raise_intr(struct gpu *gpu, struct pbdma *pbdma, unsigned int leaf, u32 intr)
{
	gpu_log(gpu, GPU_WARN, "PBDMA%u: channel %u: INTR_%u %08x, method %04x data %08x",
		pbdma->id, pbdma->channel->id, leaf, intr, pbdma->ctx[RAMFC_METHOD0] & 0x3ffc,
		pbdma->ctx[RAMFC_DATA0]);
	pbdma->intr[leaf] |= intr;
	host_update(gpu);
}

static void report_fault(struct gpu *gpu, struct pbdma *pbdma, enum mmu_fault type,
			 enum mmu_access access, u64 va)
{
	fault_report(gpu, &(struct fault_info){
				  .unit = FAULT_UNIT_HOST0 + pbdma->id,
				  .type = type,
				  .access = access,
				  .hub = true,
				  .client = CLIENT_HUB_HOST,
				  .va = va,
				  .inst_aperture = pbdma->channel->inst_aperture,
				  .inst = pbdma->channel->inst,
			  });
}

/* Host's own virtual accesses. */
static enum method_result host_access(struct gpu *gpu, struct pbdma *pbdma, u64 va, void *rbuf,
				      const void *wbuf, size_t len)
{
	struct channel *channel = pbdma->channel;
	enum mmu_fault fault;
	u64 fault_va = va;

	if (wbuf)
		fault = mmu_write(gpu, &channel->space, va, wbuf, len, CLIENT_HOST, &fault_va);
	else
		fault = mmu_read(gpu, &channel->space, va, rbuf, len, CLIENT_HOST, &fault_va);
	if (host_cancelled(gpu))
		return METHOD_CANCELLED;
	if (fault == MMU_FAULT_NONE)
		return METHOD_DONE;
	report_fault(gpu, pbdma, fault, wbuf ? MMU_WRITE : MMU_READ, fault_va);
	return METHOD_HOST_FAULT;
}

static u64 userd_addr(const struct pbdma *pbdma)
{
	return bits(pbdma->ctx[RAMFC_USERD_HI], 7, 0) << 32 |
	       (pbdma->ctx[RAMFC_USERD] & 0xfffffe00);
}

static enum aperture userd_aperture(const struct pbdma *pbdma)
{
	return bits(pbdma->ctx[RAMFC_USERD], 1, 0);
}

static void read_gp_put(struct gpu *gpu, struct pbdma *pbdma)
{
	pbdma->ctx[RAMFC_GP_PUT] = mem_read32(gpu, userd_aperture(pbdma),
					      userd_addr(pbdma) + USERD_GP_PUT, CLIENT_HOST);
}

bool pbdma_load(struct gpu *gpu, struct pbdma *pbdma, struct channel *channel)
{
	u32 gr_lo, gr_hi;

	pbdma->channel = channel;
	pbdma->fetch_count = 0;
	/* an instance block that nobody answers for reads as ones, which fails the signature */
	(void)mem_read(gpu, channel->inst_aperture, channel->inst, pbdma->ctx, sizeof(pbdma->ctx),
		       CLIENT_HOST);
	mmu_space_load(gpu, channel->inst_aperture, channel->inst, &channel->space);
	gr_lo = mem_read32(gpu, channel->inst_aperture, channel->inst + INST_GR_CTX_LO,
			   CLIENT_HOST);
	gr_hi = mem_read32(gpu, channel->inst_aperture, channel->inst + INST_GR_CTX_HI,
			   CLIENT_HOST);
	if (host_cancelled(gpu))
		return false;
	channel->ce_privileged = pbdma->ctx[RAMFC_HCE_CTRL] & HCE_CTRL_PRIV_MODE;
	channel->graphics_ctx = (u64)gr_hi << 32 | gr_lo;
	if (bits(pbdma->ctx[RAMFC_SIGNATURE], 15, 0) != SIGNATURE_VALUE)
		raise_intr(gpu, pbdma, 0, INTR_0_SIGNATURE);
	return true;
}

void pbdma_save(struct gpu *gpu, struct pbdma *pbdma)
{
	struct channel *channel = pbdma->channel;

	pbdma->channel = NULL;
	/* memory that went away takes the state with it: nothing to be done about that */
	for (size_t i = 0; i < ARRAY_SIZE(userd_map); i++)
		(void)mem_write32(gpu, userd_aperture(pbdma),
				  userd_addr(pbdma) + userd_map[i].offset,
				  pbdma->ctx[userd_map[i].word], CLIENT_HOST);
	(void)mem_write(gpu, channel->inst_aperture, channel->inst, pbdma->ctx, sizeof(pbdma->ctx),
			CLIENT_HOST);
}

/*
 * Waits longer than the channel's limit raise ACQUIRE. Times in units of 1024 ns, circular.
 * ACQUIRE: TIMEOUT_EXP 14:11, TIMEOUT_MAN 30:15, enable 31. The retry period is our poll's.
 */
static enum method_result acquire_failed(struct gpu *gpu, struct pbdma *pbdma)
{
	u32 limit = pbdma->ctx[RAMFC_ACQUIRE], now = (u32)(ptimer_now(gpu) >> 10);
	u32 *deadline = &pbdma->ctx[RAMFC_ACQUIRE_DEADLINE];

	if (!pbdma->channel->acquiring)
		*deadline = now + (u32)(bits(limit, 30, 15) << bits(limit, 14, 11));
	if (!(limit & ACQUIRE_TIMEOUT_ENABLE) || (s32)(now - *deadline) < 0)
		return METHOD_RETRY;
	raise_intr(gpu, pbdma, 0, INTR_0_ACQUIRE);
	return METHOD_TRAPPED;
}

static bool acquired(unsigned int op, u32 value, u32 payload)
{
	switch (op) {
	case SEMAPHORE_ACQUIRE:
		return value == payload;
	case SEMAPHORE_ACQ_GEQ: /* circular compare [INF]: newer manuals call it ACQ_CIRC_GEQ */
		return (s32)(value - payload) >= 0;
	default:
		return value & payload;
	}
}

/* A release comes after the engine's work, unless told not to wait for it. */
static bool must_wait(const struct gpu *gpu, const struct pbdma *pbdma, u32 data)
{
	return !(data & SEMAPHORE_RELEASE_WFI_DIS) && host_channel_working(gpu, pbdma->channel);
}

static enum method_result semaphore(struct gpu *gpu, struct pbdma *pbdma, u32 data)
{
	struct channel *channel = pbdma->channel;
	u64 va = bits(pbdma->ctx[RAMFC_SEMAPHORE_A], 7, 0) << 32 |
		 (pbdma->ctx[RAMFC_SEMAPHORE_B] & ~3u);
	u32 payload = pbdma->ctx[RAMFC_SEMAPHORE_C], value = 0;
	enum semaphore_reduction reduction = bits(data, 30, 27);
	bool timestamp = !(data & SEMAPHORE_RELEASE_4BYTE);
	enum mmu_access access = MMU_WRITE;
	enum mmu_fault fault;
	enum method_result result;
	u64 fault_va = va;

	pbdma->ctx[RAMFC_SEMAPHORE_D] = data;
	switch (bits(data, 4, 0)) {
	case SEMAPHORE_ACQUIRE:
	case SEMAPHORE_ACQ_GEQ:
	case SEMAPHORE_ACQ_AND:
		result = host_access(gpu, pbdma, va, &value, NULL, sizeof(value));
		if (result != METHOD_DONE)
			return result;
		return acquired(bits(data, 4, 0), value, payload) ? METHOD_DONE
								  : acquire_failed(gpu, pbdma);
	case SEMAPHORE_RELEASE:
		if (must_wait(gpu, pbdma, data))
			return METHOD_RETRY;
		if (timestamp && va % SEMAPHORE_BYTES)
			goto illegal;
		fault = semaphore_release(gpu, &channel->space, va, payload, timestamp, CLIENT_HOST,
					  &fault_va);
		break;
	case SEMAPHORE_REDUCTION:
		if (must_wait(gpu, pbdma, data))
			return METHOD_RETRY;
		if (!semaphore_can_reduce(reduction, data & SEMAPHORE_UNSIGNED) ||
		    reduction == SEMAPHORE_FADD)
			goto illegal;
		access = MMU_ATOMIC;
		fault = semaphore_reduce(gpu, &channel->space, va, payload, reduction,
					 data & SEMAPHORE_UNSIGNED, CLIENT_HOST);
		break;
	default:
		goto illegal;
	}
	if (host_cancelled(gpu))
		return METHOD_CANCELLED;
	if (fault == MMU_FAULT_NONE)
		return METHOD_DONE;
	report_fault(gpu, pbdma, fault, access, fault_va);
	return METHOD_HOST_FAULT;

illegal:
	raise_intr(gpu, pbdma, 0, INTR_0_SEMAPHORE);
	return METHOD_TRAPPED;
}

static enum method_result illegal_method(struct gpu *gpu, struct pbdma *pbdma)
{
	raise_intr(gpu, pbdma, 0, INTR_0_METHOD);
	return METHOD_TRAPPED;
}

/* There is no cache in front of memory, so that only TLB operations have something to do. */
static enum method_result mem_op(struct gpu *gpu, struct pbdma *pbdma, u32 data)
{
	u32 a = pbdma->ctx[RAMFC_MEM_OP_A], c = pbdma->ctx[RAMFC_MEM_OP_C];

	switch (bits(data, 31, 27)) {
	case MEM_OP_MMU_TLB_INVALIDATE:
	case MEM_OP_MMU_TLB_INVALIDATE_TARGETED: /* more than the one page is allowed to go */
		if (!(pbdma->ctx[RAMFC_CONFIG] & CONFIG_AUTH_PRIVILEGED))
			return illegal_method(gpu, pbdma);
		/* HUB clients have no replayable faults on this chip: the target is a GPC's */
		if (!pbdma->channel->acquiring)
			mmu_invalidate(gpu, &(struct mmu_replay){
						    .op = bits(c, 4, 2),
						    .client = bits(a, 5, 0),
						    .gpc = bits(a, 10, 6),
					    });
		return mmu_invalidating(gpu) ? METHOD_RETRY : METHOD_DONE;
	case MEM_OP_MEMBAR:
	case MEM_OP_L2_PEERMEM_INVALIDATE:
	case MEM_OP_L2_SYSMEM_INVALIDATE:
	case MEM_OP_L2_CLEAN_COMPTAGS:
	case MEM_OP_L2_FLUSH_DIRTY:
	case MEM_OP_L2_WAIT_FOR_SYS_PENDING_READS:
		return METHOD_DONE;
	}
	return illegal_method(gpu, pbdma);
}

static enum method_result host_method(struct gpu *gpu, struct pbdma *pbdma, u32 method, u32 data)
{
	switch (method) {
	case METHOD_NOP:
	case METHOD_FB_FLUSH:
	case METHOD_CRC_CHECK: /* a debug aid whose polynomial is unpublished: taken as equal */
		return METHOD_DONE;
	case METHOD_SEMAPHORE_A:
		pbdma->ctx[RAMFC_SEMAPHORE_A] = data;
		return METHOD_DONE;
	case METHOD_SEMAPHORE_B:
		pbdma->ctx[RAMFC_SEMAPHORE_B] = data;
		return METHOD_DONE;
	case METHOD_SEMAPHORE_C:
		pbdma->ctx[RAMFC_SEMAPHORE_C] = data;
		return METHOD_DONE;
	case METHOD_SEMAPHORE_D:
		return semaphore(gpu, pbdma, data);
	case METHOD_NON_STALL_INTERRUPT:
		host_raise(gpu, PFIFO_INTR_CHANNEL);
		return METHOD_DONE;
	case METHOD_MEM_OP_A:
		pbdma->ctx[RAMFC_MEM_OP_A] = data;
		return METHOD_DONE;
	case METHOD_MEM_OP_B:
		pbdma->ctx[RAMFC_MEM_OP_B] = data;
		return METHOD_DONE;
	case METHOD_MEM_OP_C:
		pbdma->ctx[RAMFC_MEM_OP_C] = data;
		return METHOD_DONE;
	case METHOD_MEM_OP_D:
		return mem_op(gpu, pbdma, data);
	case METHOD_WFI:
		return host_channel_working(gpu, pbdma->channel) ? METHOD_RETRY : METHOD_DONE;
	case METHOD_SET_REFERENCE:
		if (host_channel_working(gpu, pbdma->channel))
			return METHOD_RETRY;
		pbdma->ctx[RAMFC_REF] = data;
		return METHOD_DONE;
	case METHOD_YIELD:
		return bits(data, 1, 0) ? METHOD_YIELDED : METHOD_DONE;
	}
	return illegal_method(gpu, pbdma); /* METHOD_ILLEGAL, and what has no name */
}

/* Trouble that HCE found: the method is dropped, and to be read in HCE_DBG. */
static enum method_result hce_error(struct gpu *gpu, struct pbdma *pbdma, u32 intr)
{
	pbdma->hce_dbg[0] = pbdma->ctx[RAMFC_METHOD0] & ~METHOD0_VALID;
	pbdma->hce_dbg[1] = pbdma->ctx[RAMFC_DATA0];
	raise_intr(gpu, pbdma, 1, intr);
	return METHOD_DONE;
}

static const struct chip_engine *engine_of(const struct gpu *gpu, const struct channel *channel)
{
	const struct chip *chip = gpu->config.chip;

	for (unsigned int i = 0; i < chip->engine_count; i++)
		if (chip->engines[i].runlist == channel->runlist)
			return &chip->engines[i];
	return NULL;
}

static enum method_result copy_method(struct gpu *gpu, struct pbdma *pbdma, unsigned int inst,
				      unsigned int subch, u32 method, u32 data)
{
	if (method == METHOD_SET_OBJECT) {
		pbdma->channel->object[subch] = data;
		return bits(data, 15, 0) == CLASS_PASCAL_DMA_COPY_A
			       ? METHOD_DONE
			       : hce_error(gpu, pbdma, INTR_1_HCE_ILLEGAL_CLASS);
	}
	switch (ce_method(gpu, inst, pbdma->channel, method, data)) {
	case CE_DONE:
		return METHOD_DONE;
	case CE_ILLEGAL_METHOD:
		return hce_error(gpu, pbdma, INTR_1_HCE_ILLEGAL_MTHD);
	case CE_ILLEGAL_OP:
		return hce_error(gpu, pbdma, INTR_1_HCE_RE_ILLEGAL_OP);
	case CE_ALIGN:
		return hce_error(gpu, pbdma, INTR_1_HCE_RE_ALIGNB);
	case CE_PRIV:
		return hce_error(gpu, pbdma, INTR_1_HCE_PRIV);
	case CE_FAULT:
		return METHOD_ENGINE_FAULT;
	case CE_BLOCKED:
		return METHOD_RETRY;
	case CE_CANCELLED:
		break;
	}
	return METHOD_CANCELLED;
}

static enum method_result graphics_method(struct gpu *gpu, struct pbdma *pbdma, unsigned int engine,
					  unsigned int subch, u32 method, u32 data)
{
	struct channel *channel = pbdma->channel;

	if (!(channel->graphics_ctx & GR_CTX_VIRTUAL))
		return hce_error(gpu, pbdma, INTR_1_CTXNOTVALID);
	if (!host_engine_enter(gpu, engine, channel))
		return METHOD_RETRY;
	if (method == METHOD_SET_OBJECT)
		channel->object[subch] = data;
	switch (gr_method(gpu, channel, subch, channel->object[subch], method, data)) {
	case GR_DONE:
	case GR_ILLEGAL: /* PGRAPH's interrupt is raised: Host has done its part */
	case GR_BAD_DATA:
		return METHOD_DONE;
	case GR_RETRY:
		return METHOD_RETRY;
	case GR_FAULT:
		return METHOD_ENGINE_FAULT;
	case GR_CANCELLED:
		break;
	}
	return METHOD_CANCELLED;
}

/* Execute METHOD0. */
static enum method_result execute(struct gpu *gpu, struct pbdma *pbdma)
{
	u32 method0 = pbdma->ctx[RAMFC_METHOD0], data = pbdma->ctx[RAMFC_DATA0];
	u32 method = method0 & 0x3ffc;
	unsigned int subch = bits(method0, 18, 16);
	struct channel *channel = pbdma->channel;
	const struct chip_engine *engine;

	if (method < METHOD_FIRST_ENGINE && method != METHOD_SET_OBJECT)
		return host_method(gpu, pbdma, method, data);
	engine = engine_of(gpu, channel);
	if (subch >= FIRST_SOFTWARE_SUBCHANNEL || !engine) {
		raise_intr(gpu, pbdma, 0, INTR_0_DEVICE);
		return METHOD_TRAPPED;
	}
	if (engine->type != ENGINE_TYPE_LCE)
		return graphics_method(gpu, pbdma, engine->engine, subch, method, data);
	(void)host_engine_enter(gpu, engine->engine, channel); /* these never refuse */
	return copy_method(gpu, pbdma, engine->inst, subch, method, data);
}

static void queue_method(struct pbdma *pbdma, u32 header, u32 data)
{
	if (!(pbdma->ctx[RAMFC_SUBDEVICE] & SUBDEVICE_ACTIVE))
		return;
	pbdma->ctx[RAMFC_METHOD0] =
		METHOD0_VALID | (header & (UINT32_C(7) << HEADER_SUBCH_SHIFT)) | (header & 0x3ffc);
	pbdma->ctx[RAMFC_DATA0] = data;
}

/* The address of the method after this one in a sequence. */
static u32 next_header(u32 header)
{
	u32 type = bits(header, 31, 29), next = (header & ~0x3ffcu) | ((header + 4) & 0x3ffc);

	switch (type) {
	case SEC_OP_INC:
		return next;
	case SEC_OP_ONE_INC: /* from here on it stays */
		return (next & 0x1fffffff) | (u32)SEC_OP_NON_INC << HEADER_TYPE_SHIFT;
	}
	return header;
}

static bool bad_entry(struct gpu *gpu, struct pbdma *pbdma)
{
	raise_intr(gpu, pbdma, 0, INTR_0_PBENTRY);
	return false;
}

static bool subdevice_op(struct gpu *gpu, struct pbdma *pbdma, unsigned int op, u32 mask)
{
	u32 *subdevice = &pbdma->ctx[RAMFC_SUBDEVICE];

	if (op == TERT_OP_STORE_SUBDEVICE_MASK) {
		*subdevice = (*subdevice & ~(UINT32_C(0xfff) << 16)) | mask << 16;
		return true;
	}
	if (op == TERT_OP_USE_SUBDEVICE_MASK)
		mask = bits(*subdevice, 27, 16);
	if (!(*subdevice & SUBDEVICE_CHANNEL_DMA))
		return bad_entry(gpu, pbdma);
	*subdevice = *subdevice & mask & 0xfff ? *subdevice | SUBDEVICE_ACTIVE
					       : *subdevice & ~SUBDEVICE_ACTIVE;
	return true;
}

/* A pushbuffer entry that is not method data. False when it is illegal. */
static bool instruction(struct gpu *gpu, struct pbdma *pbdma, u32 entry)
{
	unsigned int type = bits(entry, 31, 29), tert = bits(entry, 17, 16);
	u32 flags = pbdma->ctx[RAMFC_PB_HEADER] & (HEADER_LEVEL_SUBROUTINE | HEADER_CONDITIONAL);
	u32 subch = (u32)bits(entry, 15, 13) << HEADER_SUBCH_SHIFT;
	u32 method = (u32)bits(entry, 11, 0) << 2, count = bits(entry, 28, 16), header;

	pbdma->hdr_shadow = entry;
	if (!entry)
		return true; /* NOP */
	if (type == SEC_OP_GRP0 && tert != TERT_OP_INC)
		return subdevice_op(gpu, pbdma, tert, bits(entry, 15, 4));
	if (type == SEC_OP_GRP0 || type == SEC_OP_GRP2) { /* the older layout */
		if (tert)
			return bad_entry(gpu, pbdma);
		type = type == SEC_OP_GRP0 ? SEC_OP_INC : SEC_OP_NON_INC;
		method = entry & 0x1ffc;
		count = bits(entry, 28, 18);
	}
	header = type << HEADER_TYPE_SHIFT | flags | subch | method;
	pbdma->ctx[RAMFC_PB_HEADER] = header;
	switch (type) {
	case SEC_OP_IMMD:
		queue_method(pbdma, header, count);
		return true;
	case SEC_OP_END_SEGMENT:
		ctx_set_addr(pbdma, RAMFC_PB_GET, ctx_addr(pbdma, RAMFC_PB_PUT));
		return true;
	case SEC_OP_INC: /* addresses must not wrap */
		if (method + 4 * (count ? count - 1 : 0) > 0x3ffc)
			return bad_entry(gpu, pbdma);
		break;
	case SEC_OP_ONE_INC:
		if (count > 1 && method + 4 > 0x3ffc)
			return bad_entry(gpu, pbdma);
		break;
	case SEC_OP_NON_INC:
		break;
	default:
		return bad_entry(gpu, pbdma);
	}
	pbdma->ctx[RAMFC_PB_COUNT] = count;
	return true;
}

/* The next word of the segment, through a buffer that is refilled in larger pieces. */
static enum method_result fetch(struct gpu *gpu, struct pbdma *pbdma, u64 get, u64 put, u32 *word)
{
	u64 index = (get - pbdma->fetch_addr) / 4;
	enum method_result result;
	u64 count;

	if (get < pbdma->fetch_addr || index >= pbdma->fetch_count) {
		count = (put - get) / 4;
		if (count > PBDMA_FETCH_WORDS)
			count = PBDMA_FETCH_WORDS;
		pbdma->fetch_count = 0;
		result = host_access(gpu, pbdma, get, pbdma->fetch, NULL, count * 4);
		if (result != METHOD_DONE)
			return result;
		pbdma->fetch_addr = get;
		pbdma->fetch_count = (unsigned int)count;
		index = 0;
	}
	*word = pbdma->fetch[index];
	return METHOD_DONE;
}

/* One pushbuffer entry. */
static enum method_result segment_step(struct gpu *gpu, struct pbdma *pbdma)
{
	u64 get = ctx_addr(pbdma, RAMFC_PB_GET), put = ctx_addr(pbdma, RAMFC_PB_PUT);
	u32 count = pbdma->ctx[RAMFC_PB_COUNT] & PB_COUNT_VALUE;
	u32 header = pbdma->ctx[RAMFC_PB_HEADER], word;
	enum method_result result;

	if (get > put) {
		raise_intr(gpu, pbdma, 0, INTR_0_PBPTR);
		return METHOD_TRAPPED;
	}
	result = fetch(gpu, pbdma, get, put, &word);
	if (result != METHOD_DONE)
		return result;
	ctx_set_addr(pbdma, RAMFC_PB_GET, get + 4);
	if (count) {
		queue_method(pbdma, header, word);
		pbdma->ctx[RAMFC_PB_HEADER] = next_header(header);
		pbdma->ctx[RAMFC_PB_COUNT] = count - 1;
	} else if (!instruction(gpu, pbdma, word)) {
		return METHOD_TRAPPED;
	}
	if (!(header & HEADER_LEVEL_SUBROUTINE)) {
		pbdma->ctx[RAMFC_PB_TOP_LEVEL_GET] = pbdma->ctx[RAMFC_PB_GET];
		pbdma->ctx[RAMFC_PB_TOP_LEVEL_GET_HI] =
			pbdma->ctx[RAMFC_PB_GET_HI] | TOP_LEVEL_GET_VALID;
	}
	return METHOD_DONE;
}

static bool gp_error(struct gpu *gpu, struct pbdma *pbdma, u32 intr)
{
	raise_intr(gpu, pbdma, 0, intr);
	return false;
}

/* Start on what a GP entry says. False when it is illegal. */
static bool gp_entry(struct gpu *gpu, struct pbdma *pbdma, u32 lo, u32 hi)
{
	u32 flags = (hi & BIT(9) ? HEADER_LEVEL_SUBROUTINE : 0) |
		    (lo & BIT(0) ? HEADER_CONDITIONAL : 0);
	u64 addr = bits(hi, 7, 0) << 32 | (lo & ~3u), bytes = 4 * bits(hi, 30, 10);

	pbdma->gp_shadow[0] = lo;
	pbdma->gp_shadow[1] = hi;
	if (!bytes) {
		switch (bits(hi, 7, 0)) {
		case GP_OPCODE_NOP:
		case GP_OPCODE_GP_CRC: /* debug aids, as METHOD_CRC_CHECK */
		case GP_OPCODE_PB_CRC:
			return true;
		}
		return gp_error(gpu, pbdma, INTR_0_GPENTRY);
	}
	/* the last word of the address space is not usable either */
	if (addr + bytes >= ADDRESS_END)
		return gp_error(gpu, pbdma, INTR_0_GPENTRY);
	if ((flags & HEADER_CONDITIONAL) && !(pbdma->ctx[RAMFC_SUBDEVICE] & SUBDEVICE_ACTIVE))
		return true;
	ctx_set_addr(pbdma, RAMFC_PB_GET, addr);
	ctx_set_addr(pbdma, RAMFC_PB_FETCH, addr);
	ctx_set_addr(pbdma, RAMFC_PB_PUT, addr + bytes);
	pbdma->fetch_count = 0;
	pbdma->ctx[RAMFC_PB_HEADER] &= ~(HEADER_LEVEL_SUBROUTINE | HEADER_CONDITIONAL);
	pbdma->ctx[RAMFC_PB_HEADER] |= flags;
	if ((flags & HEADER_CONDITIONAL) && (pbdma->ctx[RAMFC_PB_COUNT] & PB_COUNT_VALUE))
		return gp_error(gpu, pbdma, INTR_0_PBSEG);
	return true;
}

/* One GP entry, when there is one; *idle when there is none. */
static enum method_result gp_step(struct gpu *gpu, struct pbdma *pbdma, bool *idle)
{
	u64 entries = BIT_ULL(bits(pbdma->ctx[RAMFC_GP_BASE_HI], 20, 16));
	u64 base =
		bits(pbdma->ctx[RAMFC_GP_BASE_HI], 7, 0) << 32 | (pbdma->ctx[RAMFC_GP_BASE] & ~7u);
	u32 get, entry[2];
	enum method_result result;

	read_gp_put(gpu, pbdma);
	if (host_cancelled(gpu))
		return METHOD_CANCELLED;
	get = pbdma->ctx[RAMFC_GP_GET];
	if (get == pbdma->ctx[RAMFC_GP_PUT]) {
		*idle = true;
		return METHOD_DONE;
	}
	if (base + 8 * entries > ADDRESS_END) {
		raise_intr(gpu, pbdma, 0, INTR_0_GPFIFO);
		return METHOD_TRAPPED;
	}
	if (get >= entries || pbdma->ctx[RAMFC_GP_PUT] >= entries) {
		raise_intr(gpu, pbdma, 0, INTR_0_GPPTR);
		return METHOD_TRAPPED;
	}
	result = host_access(gpu, pbdma, base + 8 * (u64)get, entry, NULL, sizeof(entry));
	if (result != METHOD_DONE)
		return result;
	pbdma->ctx[RAMFC_GP_GET] = (u32)((get + 1) & (entries - 1));
	pbdma->ctx[RAMFC_GP_FETCH] = pbdma->ctx[RAMFC_GP_GET];
	return gp_entry(gpu, pbdma, entry[0], entry[1]) ? METHOD_DONE : METHOD_TRAPPED;
}

static enum method_result step(struct gpu *gpu, struct pbdma *pbdma, bool *idle)
{
	enum method_result result;

	if (!(pbdma->ctx[RAMFC_METHOD0] & METHOD0_VALID)) {
		if (ctx_addr(pbdma, RAMFC_PB_GET) != ctx_addr(pbdma, RAMFC_PB_PUT))
			return segment_step(gpu, pbdma);
		return gp_step(gpu, pbdma, idle);
	}
	result = execute(gpu, pbdma);
	if (result == METHOD_DONE || result == METHOD_YIELDED || result == METHOD_ENGINE_FAULT) {
		pbdma->ctx[RAMFC_METHOD0] &= ~METHOD0_VALID;
		pbdma->channel->acquiring = false;
	}
	return result;
}

enum pbdma_result pbdma_run(struct gpu *gpu, struct pbdma *pbdma)
{
	bool idle = false;

	for (unsigned int i = 0; i < SLICE_METHODS; i++) {
		if (frozen(pbdma))
			return PBDMA_FROZEN;
		if (host_wants_stop(gpu))
			return PBDMA_SLICE;
		switch (step(gpu, pbdma, &idle)) {
		case METHOD_DONE:
		case METHOD_TRAPPED: /* frozen() says so next */
			break;
		case METHOD_YIELDED:
			return PBDMA_SLICE;
		case METHOD_RETRY:
			return PBDMA_WAITING;
		case METHOD_HOST_FAULT:
			return PBDMA_FAULTED;
		case METHOD_ENGINE_FAULT:
			return PBDMA_ENGINE_FAULTED;
		case METHOD_CANCELLED:
			return PBDMA_CANCELLED;
		}
		if (idle)
			return PBDMA_IDLE;
	}
	return PBDMA_SLICE;
}

void pbdma_drop_method(struct pbdma *pbdma)
{
	pbdma->ctx[RAMFC_METHOD0] &= ~METHOD0_VALID;
}

static u32 *state_reg(struct pbdma *pbdma, u32 offset)
{
	switch (offset) {
	case PBDMA_INTR_EN_0:
		return &pbdma->intr_en[0];
	case PBDMA_INTR_EN_1:
		return &pbdma->intr_en[1];
	}
	return offset < sizeof(pbdma->ctx) ? &pbdma->ctx[offset / 4] : NULL;
}

u32 pbdma_read(struct gpu *gpu, u32 addr)
{
	u32 offset = (addr - PBDMA_BASE) % PBDMA_STRIDE;
	struct pbdma *pbdma = &gpu->host.state->pbdma[(addr - PBDMA_BASE) / PBDMA_STRIDE];
	u32 *reg = state_reg(pbdma, offset);

	if (pbdma->id >= gpu->config.chip->pbdmas)
		return mmio_unmodelled_read(gpu, addr);
	if (reg)
		return *reg;
	switch (offset) {
	case PBDMA_STATUS:
		return 0;
	case PBDMA_INTR_0:
		return pbdma->intr[0];
	case PBDMA_INTR_1:
		return pbdma->intr[1];
	case PBDMA_GP_SHADOW_0:
		return pbdma->gp_shadow[0];
	case PBDMA_GP_SHADOW_1:
		return pbdma->gp_shadow[1];
	case PBDMA_HDR_SHADOW:
		return pbdma->hdr_shadow;
	case PBDMA_CHANNEL: /* VALID's place is that of the gp106 header [INF] */
		return pbdma->channel ? CHANNEL_VALID | pbdma->channel->id : 0;
	case PBDMA_HCE_DBG0:
		return pbdma->hce_dbg[0];
	case PBDMA_HCE_DBG1:
		return pbdma->hce_dbg[1];
	}
	return mmio_unmodelled_read(gpu, addr);
}

void pbdma_write(struct gpu *gpu, u32 addr, u32 val)
{
	u32 offset = (addr - PBDMA_BASE) % PBDMA_STRIDE;
	struct pbdma *pbdma = &gpu->host.state->pbdma[(addr - PBDMA_BASE) / PBDMA_STRIDE];
	u32 *reg = state_reg(pbdma, offset);

	if (pbdma->id >= gpu->config.chip->pbdmas) {
		mmio_unmodelled_write(gpu, addr, val);
		return;
	}
	if (reg) {
		*reg = val;
		host_update(gpu);
		return;
	}
	switch (offset) {
	case PBDMA_INTR_0:
	case PBDMA_INTR_1:
		pbdma->intr[offset == PBDMA_INTR_1] &= ~val;
		host_update(gpu);
		engine_kick(gpu); /* it may go on */
		return;
	case PBDMA_STATUS:
	case PBDMA_GP_SHADOW_0:
	case PBDMA_GP_SHADOW_1:
	case PBDMA_HDR_SHADOW:
	case PBDMA_CHANNEL:
	case PBDMA_HCE_DBG0:
	case PBDMA_HCE_DBG1:
		return; /* read-only */
	}
	mmio_unmodelled_write(gpu, addr, val);
}
