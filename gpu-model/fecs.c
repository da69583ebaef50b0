/* SPDX-License-Identifier: MIT */
/*
 * FECS and GPCCS firmware at a high level: the command mailbox by which software has graphics
 * contexts measured, bound and saved. When the firmware does not run, nobody answers.
 * Source: gp106 hw_gr (register names); commands as drivers in the open use them.
 * A context image holds nothing: its layout is unpublished and the model has no state to save.
 */
#include "gpu.h"

enum {
	FECS_FIRST = 0x409400,
	FECS_METHOD_DATA = 0x409500,
	FECS_METHOD_PUSH = 0x409504,
	FECS_FS = 0x409604,
	FECS_CTXSW_MAILBOX = 0x409800, /* 8 words; next 8: set bits; next 8: clear bits */
	FECS_CTXSW_MAILBOX_SET = 0x409820,
	FECS_CTXSW_MAILBOX_CLEAR = 0x409840,
	FECS_CTXSW_MAILBOX_END = 0x409860,
	FECS_CURRENT_CTX = 0x409b00,
	FECS_HOST_INT_STATUS = 0x409c18,
	FECS_LAST = 0x409fff,
};

enum {
	CMD_BIND_POINTER = 0x03,
	CMD_HALT_PIPELINE = 0x04,
	CMD_GOLDEN_SAVE = 0x09,
	CMD_IMAGE_SIZE = 0x10,
	CMD_ZCULL_SIZE = 0x16,
	CMD_WATCHDOG = 0x21,
	CMD_PM_SIZE = 0x25,
	CMD_REGLIST_SIZE = 0x30,
	CMD_REGLIST_BIND = 0x31,
	CMD_REGLIST_SET = 0x32,
	CMD_CTXSW_STOP = 0x38,
	CMD_CTXSW_START = 0x39,
};

/* Real images are far larger; drivers copy all of it word by word through BAR2. */
#define IMAGE_BYTES 0x1000

#define CTX_VALID     BIT(31)
#define MAILBOX_READY BIT(0)
#define BIND_OK	      BIT(4)
#define SAVE_OK	      BIT(0)

static u32 *fecs_reg(struct gpu *gpu, u32 addr)
{
	return &gpu->falcons.falcon[FALCON_FECS].regs[(addr & 0xfff) / 4];
}

static void command(struct gpu *gpu, u32 cmd)
{
	u32 data = *fecs_reg(gpu, FECS_METHOD_DATA);
	struct gr *gr = &gpu->gr;

	if (!gpu->falcons.falcon[FALCON_FECS].running) {
		gpu_log(gpu, GPU_WARN, "FECS: command %#x before its firmware was started", cmd);
		return;
	}
	switch (cmd) {
	case CMD_CTXSW_STOP:
	case CMD_CTXSW_START:
		gr->ctxsw_stopped = cmd == CMD_CTXSW_STOP;
		gr->mailbox[1] = 1;
		engine_kick(gpu);
		return;
	case CMD_HALT_PIPELINE: /* until a reset [INF] */
		sked_halt(gpu);
		gr->mailbox[1] = 1;
		return;
	case CMD_IMAGE_SIZE:
	case CMD_ZCULL_SIZE:
	case CMD_PM_SIZE:
	case CMD_REGLIST_SIZE:
		gr->mailbox[0] = IMAGE_BYTES;
		return;
	case CMD_REGLIST_BIND:
	case CMD_REGLIST_SET:
		gr->mailbox[0] = 1;
		return;
	case CMD_WATCHDOG:
		return;
	case CMD_BIND_POINTER:
		gr->current_ctx = data | CTX_VALID;
		gr->mailbox[0] |= BIND_OK;
		return;
	case CMD_GOLDEN_SAVE:
		gr->mailbox[0] |= SAVE_OK;
		return;
	}
	gpu_log(gpu, GPU_WARN, "FECS: unknown command %#x", cmd);
}

/* The instance block of the context on the engine: the running channel's, else the bound one. */
static u32 current_ctx(struct gpu *gpu)
{
	enum aperture aperture;
	u64 inst;

	if (host_gr_channel(gpu, &aperture, &inst))
		return CTX_VALID | (u32)aperture << 28 | (inst >> 12 & 0x0fffffff);
	return gpu->gr.current_ctx;
}

static u32 fecs_read(struct gpu *gpu, u32 addr)
{
	if (addr >= FECS_CTXSW_MAILBOX && addr < FECS_CTXSW_MAILBOX_SET)
		return gpu->gr.mailbox[(addr - FECS_CTXSW_MAILBOX) / 4];
	switch (addr) {
	case FECS_FS: /* one GPC; FBPs in 20:16 */
		return gpu->config.chip->fbps << 16 | 1;
	case FECS_CURRENT_CTX:
		return current_ctx(gpu);
	case FECS_HOST_INT_STATUS:
		return 0;
	}
	return *fecs_reg(gpu, addr);
}

static void fecs_write(struct gpu *gpu, u32 addr, u32 val)
{
	u32 *mailbox = &gpu->gr.mailbox[addr / 4 % 8];

	if (addr >= FECS_CTXSW_MAILBOX && addr < FECS_CTXSW_MAILBOX_END) {
		if (addr < FECS_CTXSW_MAILBOX_SET)
			*mailbox = val;
		else if (addr < FECS_CTXSW_MAILBOX_CLEAR)
			*mailbox |= val;
		else
			*mailbox &= ~val;
		return;
	}
	*fecs_reg(gpu, addr) = val;
	if (addr == FECS_METHOD_PUSH)
		command(gpu, val);
	else if (addr == FECS_CURRENT_CTX)
		gpu->gr.current_ctx = val;
}

/* Both run only what ACR has put in the write-protected region. */
static bool may_run(struct gpu *gpu, struct falcon *falcon)
{
	if (gpu->falcons.acr_loaded)
		return true;
	gpu_log(gpu, GPU_WARN, "FECS or GPCCS started without ACR: it does not run");
	falcon_halt(gpu, falcon);
	return false;
}

static void fecs_start(struct gpu *gpu, struct falcon *falcon)
{
	if (may_run(gpu, falcon))
		gpu->gr.mailbox[0] |= MAILBOX_READY;
}

static void gpccs_start(struct gpu *gpu, struct falcon *falcon)
{
	may_run(gpu, falcon);
}

static const struct mmio_range fecs_range = { FECS_FIRST, FECS_LAST, "FECS", fecs_read,
					      fecs_write };

static void fecs_init(struct gpu *gpu)
{
	mmio_register(gpu, &fecs_range);
	gpu->falcons.falcon[FALCON_FECS].start = fecs_start;
	gpu->falcons.falcon[FALCON_GPCCS].start = gpccs_start;
}

const struct unit fecs_unit = { .name = "FECS", .init = fecs_init };
