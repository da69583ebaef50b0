/* SPDX-License-Identifier: MIT */
/*
 * Frame buffer: VRAM, the registers from which its size is read, and the PFB, LTC and HSHUB
 * registers that only store. Those of the MMU are in mmu.c.
 * Source: gp106 hw_fb, hw_ltc, hw_top; open-gpu-doc pascal/gp100-fbpa.txt. "UNPUBLISHED" in a
 * name: seen in a driver, with no name that NVIDIA publishes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gpu.h"

static const struct mmio_plain fb_plain[] = {
	{ 0x100b20, "NV_PFB_NISO_SCRUB_STATUS", .reset = 0 },
	{ 0x100c10, "NV_PFB_NISO_FLUSH_SYSMEM_ADDR", .writable = ~0u },
	{ 0x100c14, "NV_PFB_NISO_CTRL_UNPUBLISHED", .writable = ~0u },
	{ 0x100cc4, "NV_PFB_PRI_MMU_DEBUG_CTRL", .writable = ~0u },
	{ 0x100cc8, "NV_PFB_PRI_MMU_DEBUG_WR", .writable = ~0u },
	{ 0x100ccc, "NV_PFB_PRI_MMU_DEBUG_RD", .writable = ~0u },
	{ 0x100cd0, "NV_PFB_PRI_MMU_VPR_INFO", .writable = 3 },
	{ 0x100ce4, "NV_PFB_PRI_MMU_PHYS_SECURE", .writable = ~0u },

	/* HSHUB's copies of PFB_PRI_MMU_CTRL and of the debug registers. */
	{ 0x1fac80, "NV_PFB_HSMMU_PRI_MMU_CTRL", .writable = ~0u },
	{ 0x1facc4, "NV_PFB_HSMMU_PRI_MMU_DEBUG_CTRL", .writable = ~0u },
	{ 0x1facc8, "NV_PFB_HSMMU_PRI_MMU_DEBUG_WR", .writable = ~0u },
	{ 0x1faccc, "NV_PFB_HSMMU_PRI_MMU_DEBUG_RD", .writable = ~0u },

	{ 0x17e26c, "NV_PLTCG_LTCS_LTSS_CBC_CTRL_1", .writable = ~0u & ~4u },
	{ 0x17e270, "NV_PLTCG_LTCS_LTSS_CBC_CTRL_2", .writable = ~0u },
	{ 0x17e274, "NV_PLTCG_LTCS_LTSS_CBC_CTRL_3", .writable = ~0u },
	{ 0x17e338, "NV_PLTCG_LTCS_LTSS_DSTG_ZBC_INDEX", .writable = 0xf },
	{ 0x17e33c, "NV_PLTCG_LTCS_LTSS_DSTG_ZBC_COLOR_CLEAR_VALUE", .writable = ~0u, .count = 4,
	  .stride = 4 },
	{ 0x17e34c, "NV_PLTCG_LTCS_LTSS_DSTG_ZBC_DEPTH_CLEAR_VALUE", .writable = ~0u },

	{ 0x10ecc0, "NV_PFBFALCON_UNPUBLISHED_10ECC0", .writable = ~0u },
	{ 0x9a0160, "NV_PFB_FBPA_UNPUBLISHED_160", .writable = ~0u },
	{ 0x9a0584, "NV_PFB_FBPA_UNPUBLISHED_584", .writable = ~0u },
	{ 0x9a065c, "NV_PFB_FBPA_UNPUBLISHED_65C", .writable = ~0u },
};

enum {
	FBPA_STRIDE = 0x4000,
	LTC_STRIDE = 0x2000,
	SLICE_STRIDE = 0x200
};

static void fb_init(struct gpu *gpu)
{
	const struct chip *chip = gpu->config.chip;
	u64 bytes = gpu->config.vram_bytes;
	u32 fbpas = chip->fbps * chip->fbpas_per_fbp;
	const struct mmio_plain regs[] = {
		/* MiB behind each FBPA, all alike: memory is not "mixed". */
		{ 0x90020c, "NV_PFB_FBPA_CSTATUS", .reset = bytes / fbpas >> 20, .count = fbpas,
		  .stride = FBPA_STRIDE },
		{ 0x100800, "NV_PFB_ACTIVE_LTCS", .reset = chip->ltcs, .writable = ~0u },
		{ 0x100804, "NV_PFB_ACTIVE_SLICES", .reset = chip->ltcs * chip->slices_per_ltc,
		  .writable = ~0u },
		{ 0x12006c, "NV_PPRIV_MASTER_RING_ENUMERATE_RESULTS_LTC", .reset = chip->ltcs },
		{ 0x17e280, "NV_PLTCG_LTCS_LTSS_CBC_PARAM", .reset = chip->slices_per_ltc << 28 },
	};

	gpu->fb.memfd = memfd_create("gp100-vram", MFD_CLOEXEC);
	if (gpu->fb.memfd < 0 || ftruncate(gpu->fb.memfd, (off_t)bytes) < 0)
		goto fail;
	gpu->fb.vram = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
			    gpu->fb.memfd, 0);
	if (gpu->fb.vram == MAP_FAILED)
		goto fail;

	mmio_register_plain(gpu, fb_plain, ARRAY_SIZE(fb_plain));
	mmio_register_plain(gpu, regs, ARRAY_SIZE(regs));
	for (u32 ltc = 0; ltc < chip->ltcs; ltc++) {
		const struct mmio_plain slices[] = {
			{ 0x14040c + ltc * LTC_STRIDE, "NV_PLTCG_LTC_LTS_INTR",
			  .count = chip->slices_per_ltc, .stride = SLICE_STRIDE },
			{ 0x14046c + ltc * LTC_STRIDE, "NV_PLTCG_LTC_LTS_CBC_CTRL_1",
			  .count = chip->slices_per_ltc, .stride = SLICE_STRIDE },
		};

		mmio_register_plain(gpu, slices, ARRAY_SIZE(slices));
	}
	return;
fail:
	fprintf(stderr, "gp100: cannot make %llu MiB of VRAM: %s; give fewer with --vram\n",
		(unsigned long long)(bytes >> 20), strerror(errno));
	exit(1);
}

static void fb_fini(struct gpu *gpu)
{
	munmap(gpu->fb.vram, gpu->config.vram_bytes);
	close(gpu->fb.memfd);
}

const struct unit fb_unit = { .name = "FB", .init = fb_init, .fini = fb_fini };
