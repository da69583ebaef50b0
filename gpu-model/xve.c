/* SPDX-License-Identifier: MIT */
/*
 * XVE: the mirror of PCI configuration space in BAR0, and the MSI re-arm register.
 * Source: published dev_nv_xve.h; open-gpu-doc pascal/gp100-msi-intr.txt.
 */
#include "gpu.h"

enum {
	XVE_FIRST = 0x088000,
	XVE_LAST = 0x088fff,
	XVE_CYA_2 = 0x704, /* a write lets the next MSI out */
};

static u32 xve_read(struct gpu *gpu, u32 addr)
{
	return pci_config_read(gpu, addr - XVE_FIRST, 4);
}

static void xve_write(struct gpu *gpu, u32 addr, u32 val)
{
	if (addr - XVE_FIRST == XVE_CYA_2)
		pmc_msi_rearm(gpu);
	else
		pci_config_write(gpu, addr - XVE_FIRST, val, 4);
}

static const struct mmio_range xve_range = { XVE_FIRST, XVE_LAST, "XVE", xve_read, xve_write };

static void xve_init(struct gpu *gpu)
{
	mmio_register(gpu, &xve_range);
}

const struct unit xve_unit = { .name = "XVE", .init = xve_init };
