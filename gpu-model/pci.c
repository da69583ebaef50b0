/* SPDX-License-Identifier: MIT */
/*
 * Configuration space as a Tesla P100 has it, as far as it is published: header, power
 * management, MSI without masking, PCI Express endpoint of generation 3 by 16. No INTx pin:
 * its level could not be kept through vfio-user (QEMU de-asserts on any access).
 */
#include <string.h>
#include <time.h>

#include "gpu.h"

enum {
	CFG_VENDOR = 0x00,
	CFG_DEVICE = 0x02,
	CFG_COMMAND = 0x04,
	CFG_STATUS = 0x06,
	CFG_CLASS_REVISION = 0x08,
	CFG_BAR0 = 0x10,
	CFG_SUBVENDOR = 0x2c,
	CFG_SUBDEVICE = 0x2e,
	CFG_CAPABILITIES = 0x34,
	CFG_INTERRUPT_LINE = 0x3c,
	CFG_ROM_SHADOW = 0x50,
	CFG_PM = 0x60,
	CFG_MSI = 0x68,
	CFG_EXP = 0x78,
};

#define COMMAND_MEMORY	   0x0002
#define COMMAND_MASTER	   0x0004
#define COMMAND_WRITABLE   0x0546 /* memory, master, parity, SERR, INTx disable */
#define STATUS_CAP_LIST	   0x0010
#define CLASS_3D	   0x030200
#define MSI_ENABLE	   0x0001
#define PM_STATE	   0x03
#define PM_NO_SOFT_RESET   0x0008
#define BAR_64BIT_PREFETCH 0xc

#define BAR2_BYTES (UINT64_C(32) << 20)

/* Power-on contents, and which bits software may change. */
static const struct field {
	u16 offset, size;
	u32 value, writable;
} fields[] = {
	{ CFG_COMMAND, 2, 0, COMMAND_WRITABLE },
	{ CFG_STATUS, 2, STATUS_CAP_LIST, 0 },
	{ CFG_CAPABILITIES, 1, CFG_PM, 0 },
	{ CFG_INTERRUPT_LINE, 1, 0, 0xff },
	{ CFG_ROM_SHADOW, 4, 1, 1 },
	/* power management 1.2: D0 and D3hot, state kept through D3hot */
	{ CFG_PM, 4, 0x00030001 | CFG_MSI << 8, 0 },
	{ CFG_PM + 4, 2, PM_NO_SOFT_RESET, PM_STATE },
	/* one MSI of 64 bits */
	{ CFG_MSI, 4, 0x00800005 | CFG_EXP << 8, 0x00010000 },
	{ CFG_MSI + 4, 4, 0, 0xfffffffc },
	{ CFG_MSI + 8, 4, 0, 0xffffffff },
	{ CFG_MSI + 12, 2, 0, 0xffff },
	/* PCI Express 2 endpoint: no function-level reset, 8 GT/s by 16 */
	{ CFG_EXP, 4, 0x00020010, 0 },
	{ CFG_EXP + 0x04, 4, 0x00008001, 0 },
	{ CFG_EXP + 0x08, 2, 0x2810, 0x7fff },
	{ CFG_EXP + 0x0c, 4, 0x00000103, 0 },
	{ CFG_EXP + 0x10, 2, 0, 0x01c3 },
	{ CFG_EXP + 0x12, 2, 0x0103, 0 },
	{ CFG_EXP + 0x24, 4, 0x00000010, 0 },
	{ CFG_EXP + 0x28, 2, 0, 0x041f },
	{ CFG_EXP + 0x2c, 4, 0x0000000e, 0 },
	{ CFG_EXP + 0x30, 2, 0x0003, 0x000f },
};

static void put(u8 *at, u64 val, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		at[i] = (u8)(val >> 8 * i);
}

static u32 get(const u8 *at, unsigned int size)
{
	u32 val = 0;

	for (unsigned int i = 0; i < size; i++)
		val |= (u32)at[i] << 8 * i;
	return val;
}

static void set_bar(struct pci_function *pci, unsigned int bar, u64 size, bool wide)
{
	u64 address_bits = ~(size - 1);

	pci->bar_size[bar] = size;
	put(&pci->config[CFG_BAR0 + 4 * bar], wide ? BAR_64BIT_PREFETCH : 0, 4);
	put(&pci->writable[CFG_BAR0 + 4 * bar], address_bits, wide ? 8 : 4);
}

void pci_init(struct gpu *gpu)
{
	const struct chip *chip = gpu->config.chip;
	struct pci_function *pci = &gpu->pci;

	put(&pci->config[CFG_VENDOR], chip->vendor, 2);
	put(&pci->config[CFG_DEVICE], chip->device, 2);
	put(&pci->config[CFG_SUBVENDOR], chip->subvendor, 2);
	put(&pci->config[CFG_SUBDEVICE], chip->subdevice, 2);
	put(&pci->config[CFG_CLASS_REVISION], (u32)CLASS_3D << 8 | (chip->boot0 & 0xff), 4);
	set_bar(pci, 0, BAR0_SIZE, false);
	set_bar(pci, 1, gpu->config.bar1_bytes, true);
	set_bar(pci, 3, BAR2_BYTES, true);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		put(&pci->writable[fields[i].offset], fields[i].writable, fields[i].size);
	pci_reset(gpu);
}

void pci_reset(struct gpu *gpu)
{
	struct pci_function *pci = &gpu->pci;

	for (unsigned int i = CFG_BAR0; i < CFG_BAR0 + 4 * PCI_BAR_COUNT; i++)
		pci->config[i] &= (u8)~pci->writable[i];
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		put(&pci->config[fields[i].offset], fields[i].value, fields[i].size);
	pci->generation++;
	pci->msi_due_ns = 0;
	pci->msi_lost = false;
}

u32 pci_config_read(struct gpu *gpu, u32 offset, unsigned int size)
{
	if (offset > PCI_CONFIG_BYTES - size)
		return ~0u;
	return get(&gpu->pci.config[offset], size);
}

void pci_config_write(struct gpu *gpu, u32 offset, u32 val, unsigned int size)
{
	struct pci_function *pci = &gpu->pci;

	if (offset > PCI_CONFIG_BYTES - size)
		return;
	for (unsigned int i = 0; i < size; i++) {
		u8 mask = pci->writable[offset + i], byte = (u8)(val >> 8 * i);

		pci->config[offset + i] = (u8)((pci->config[offset + i] & ~mask) | (byte & mask));
	}
	pci->generation++;
}

/* In D3hot nothing is decoded and nothing is sent, as if COMMAND were 0. */
static u32 command(const struct gpu *gpu)
{
	if (gpu->pci.config[CFG_PM + 4] & PM_STATE)
		return 0;
	return get(&gpu->pci.config[CFG_COMMAND], 2);
}

bool pci_bus_master(const struct gpu *gpu)
{
	return command(gpu) & COMMAND_MASTER;
}

bool pci_bar_address(const struct gpu *gpu, unsigned int bar, u64 *addr)
{
	const u8 *at = &gpu->pci.config[CFG_BAR0 + 4 * bar];

	if (!(command(gpu) & COMMAND_MEMORY))
		return false;
	*addr = get(at, 4) & ~0xfu;
	if (get(at, 4) & 0x4)
		*addr |= (u64)get(at + 4, 4) << 32;
	return *addr;
}

static u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_sec * 1000000000 + (u64)now.tv_nsec;
}

static bool msi_enabled(const struct gpu *gpu)
{
	return (get(&gpu->pci.config[CFG_MSI + 2], 2) & MSI_ENABLE) && pci_bus_master(gpu);
}

static void deliver(struct gpu *gpu)
{
	gpu->stats.interrupts++;
	gpu->pci.msi_lost = false;
	if (gpu->pci.irq)
		gpu->pci.irq(gpu->pci.irq_ctx);
}

void pci_msi_send(struct gpu *gpu)
{
	struct pci_function *pci = &gpu->pci;

	if (!msi_enabled(gpu))
		return;
	if (pci->msi_drop) {
		pci->msi_drop--;
		pci->msi_lost = true;
		gpu->stats.interrupts_lost++;
	} else if (!pci->msi_delay_us) {
		deliver(gpu);
	} else if (!pci->msi_due_ns) { /* else this one comes along with that one */
		pci->msi_due_ns = now_ns() + pci->msi_delay_us * UINT64_C(1000);
		engine_kick(gpu);
	}
}

void pci_msi_drop(struct gpu *gpu, u32 count)
{
	gpu->pci.msi_drop = count;
	if (!count && gpu->pci.msi_lost && msi_enabled(gpu))
		deliver(gpu);
}

u64 pci_run(struct gpu *gpu)
{
	struct pci_function *pci = &gpu->pci;
	u64 now = now_ns();

	if (!pci->msi_due_ns)
		return UINT64_MAX;
	if (now < pci->msi_due_ns)
		return pci->msi_due_ns - now;
	pci->msi_due_ns = 0;
	if (msi_enabled(gpu))
		deliver(gpu);
	return UINT64_MAX;
}
