/* SPDX-License-Identifier: MIT */
/*
 * ACR, the secure-boot firmware on the PMU, in place of its code: it locks the write-protected
 * region (WPR) that its descriptor names, after which FECS and GPCCS may run; its unload twin
 * undoes that. Nothing is verified or decrypted.
 * Source: struct layouts of NVIDIA's published flcn_bl_dmem_desc and flcn_acr_desc.
 */
#include "gpu.h"

enum {
	PFB_PRI_MMU_WPR_INFO = 0x100cd4,
	WPR_INFO_ADDR_LO = 2, /* index values */
	WPR_INFO_ADDR_HI = 3,
};

/* WPR_INFO gives the last 128 KiB unit of the region, not its end. */
#define WPR_UNIT 0x20000
#define WPR_MASK 0xffffff00

/* What the loader finds at DMEM 0: where in its address space the firmware's data is, its size. */
enum {
	BL_DESC_DATA_DMA_BASE = 64,
	BL_DESC_DATA_SIZE = 72,
};

/* The descriptor at the start of the data. */
struct acr_desc {
	u8 reserved[0x200];
	u32 wpr_region_id;
	u32 wpr_offset;
	u32 mmu_mem_range;
	u32 region_count;
	struct {
		u32 start, end; /* >> 8 */
		u32 id, read_mask, write_mask, client_mask;
	} region[2];
} __attribute__((packed));

#define MAILBOX_OK    0
#define MAILBOX_ERROR 1 /* [INF]: the codes of the real firmware are unpublished */

static u64 dmem_field(const struct falcon *falcon, unsigned int offset, unsigned int bytes)
{
	u64 val = 0;

	for (unsigned int i = 0; i < bytes; i++)
		val |= (u64)falcon->dmem[offset + i] << 8 * i;
	return val;
}

/*
 * Only the image of "load" comes with a descriptor that names a region. That of "unload" has one
 * that names none, or less data than a descriptor takes; what follows it in memory is not its own.
 */
static enum mmu_fault read_desc(struct gpu *gpu, struct falcon *pmu, u64 base,
				struct acr_desc *desc)
{
	size_t bytes = dmem_field(pmu, BL_DESC_DATA_SIZE, 4);
	enum mmu_fault fault;
	u64 fault_va;

	if (bytes > sizeof(*desc))
		bytes = sizeof(*desc);
	fault = mmu_read(gpu, &pmu->space, base, desc, bytes, CLIENT_OTHER, &fault_va);
	if (bytes < sizeof(*desc))
		*desc = (struct acr_desc){ 0 };
	return fault;
}

static void acr_start(struct gpu *gpu, struct falcon *pmu)
{
	struct falcons *falcons = &gpu->falcons;
	u32 *mailbox = &pmu->regs[FALCON_MAILBOX0 / 4];
	u64 base = dmem_field(pmu, BL_DESC_DATA_DMA_BASE, 8);
	struct acr_desc desc;

	if (read_desc(gpu, pmu, base, &desc) != MMU_FAULT_NONE) {
		gpu_log(gpu, GPU_WARN, "ACR: descriptor at %#llx cannot be read",
			(unsigned long long)base);
		*mailbox = MAILBOX_ERROR;
	} else if (desc.wpr_region_id == 1 && desc.region[0].end) {
		u64 start = (u64)desc.region[0].start << 8;
		u64 end = (u64)desc.region[0].end << 8;

		if (start >= end || end > gpu->config.vram_bytes) {
			gpu_log(gpu, GPU_WARN, "ACR: bad region %#llx to %#llx",
				(unsigned long long)start, (unsigned long long)end);
			*mailbox = MAILBOX_ERROR;
		} else {
			falcons->wpr_start = start;
			falcons->wpr_end = end;
			falcons->acr_loaded = true;
			*mailbox = MAILBOX_OK;
		}
	} else {
		falcons->wpr_start = 0;
		falcons->wpr_end = 0;
		falcons->acr_loaded = false;
		*mailbox = MAILBOX_OK;
	}
	falcon_halt(gpu, pmu);
}

static u32 wpr_read(struct gpu *gpu, u32 addr)
{
	const struct falcons *falcons = &gpu->falcons;
	u32 index = falcons->wpr_index;

	(void)addr;
	if (index == WPR_INFO_ADDR_LO)
		return falcons->wpr_start >> 8 & WPR_MASK;
	if (index == WPR_INFO_ADDR_HI && falcons->wpr_end >= WPR_UNIT)
		return (falcons->wpr_end - WPR_UNIT) >> 8 & WPR_MASK;
	return 0;
}

static void wpr_write(struct gpu *gpu, u32 addr, u32 val)
{
	(void)addr;
	gpu->falcons.wpr_index = val;
}

static const struct mmio_range wpr_range = { PFB_PRI_MMU_WPR_INFO, PFB_PRI_MMU_WPR_INFO + 3, "MMU",
					     wpr_read, wpr_write };

static void acr_init(struct gpu *gpu)
{
	mmio_register(gpu, &wpr_range);
	gpu->falcons.falcon[FALCON_PMU].start = acr_start;
}

static void acr_reset(struct gpu *gpu)
{
	gpu->falcons.wpr_index = 0;
	gpu->falcons.wpr_start = 0;
	gpu->falcons.wpr_end = 0;
	gpu->falcons.acr_loaded = false;
}

const struct unit acr_unit = { .name = "ACR", .init = acr_init, .reset = acr_reset };
