/* SPDX-License-Identifier: MIT */
/*
 * GMMU: page walk, software TLB, and the invalidate registers of PFB.
 * Source: open-gpu-doc pascal/gp100-mmu-format.pdf; published GP100 dev_mmu.h, dev_ram.h;
 * gp106 hw_fb. Inference is marked [INF].
 */
#include <stdlib.h>
#include <string.h>

#include "gpu.h"

enum {
	PFB_PRI_MMU_CTRL = 0x100c80,
	PFB_PRI_MMU_INVALIDATE_PDB = 0x100cb8,
	PFB_PRI_MMU_INVALIDATE = 0x100cbc,
	PFB_PRI_MMU_INVALIDATE_PDB_HI = 0x100cec,
};

#define CTRL_WRITABLE	    0x00007fff
#define CTRL_PRI_FIFO_EMPTY BIT(15)
#define CTRL_PRI_FIFO_SPACE (UINT32_C(0x10) << 16)
#define INVALIDATE_TRIGGER  BIT(31)

#define VA_BITS 49

/* Instance block words. */
enum {
	INST_PDB_LO = 0x200,
	INST_PDB_HI = 0x204,
	INST_LIMIT_LO = 0x208,
	INST_LIMIT_HI = 0x20c
};

#define PDB_REPLAY_TEX BIT(4)
#define PDB_REPLAY_GCC BIT(5)
#define PDB_VER2       BIT(10)
#define PDB_BIG_64K    BIT(11)

/* PTE; the low quad of a dual PDE has PTE_VALID where it is a 2 MiB page. */
#define PTE_VALID	   BIT_ULL(0)
#define PTE_VOLATILE	   BIT_ULL(3)
#define PTE_PRIVILEGE	   BIT_ULL(5)
#define PTE_READ_ONLY	   BIT_ULL(6)
#define PTE_ATOMIC_DISABLE BIT_ULL(7)
#define PDE_VOLATILE	   BIT_ULL(3)

#define KIND_INVALID 0xff

/* Aperture codes of PDEs differ from those of PTEs. */
enum {
	PDE_INVALID = 0,
	PDE_VIDMEM = 1
};

static const struct {
	unsigned int shift, index_bits;
} directories[] = { { 47, 2 }, { 38, 9 }, { 29, 9 } }; /* PD3, PD2, PD1 */

enum {
	PD0_SHIFT = 21,
	SMALL_SHIFT = 12
};

/*
 * The TLB: one entry a 4 KiB page, directly mapped, valid while its generation is the present
 * one, so that an invalidate is one addition. It only caches valid leaf entries.
 */
#define TLB_ENTRIES 16384

struct tlb_entry {
	u64 generation;
	u64 space; /* PDB address, with aperture and big-page size in its low bits */
	u64 vpn;
	u64 pte;
	unsigned int shift;
};

struct mmu_tlb {
	u64 generation;
	struct tlb_entry entry[TLB_ENTRIES];
};

static u64 space_key(const struct mmu_space *space)
{
	return space->pdb | (u64)space->pdb_aperture | (u64)space->big_64k << 2;
}

static struct tlb_entry *tlb_slot(struct gpu *gpu, u64 key, u64 vpn)
{
	u64 hash = (vpn ^ key >> 12) * UINT64_C(0x9e3779b97f4a7c15);

	return &gpu->mmu.tlb->entry[hash >> 50];
}

void mmu_tlb_invalidate(struct gpu *gpu)
{
	gpu->mmu.tlb->generation++;
	gpu->mmu.invalidates++;
}

void mmu_access_begin(struct gpu *gpu)
{
	gpu->mmu.in_flight = true;
}

void mmu_access_end(struct gpu *gpu)
{
	gpu->mmu.in_flight = false;
	gpu->mmu.unacknowledged = false;
}

bool mmu_invalidating(const struct gpu *gpu)
{
	return gpu->mmu.delayed || gpu->mmu.unacknowledged ||
	       (gpu->mmu.ack_all && sked_replaying(gpu));
}

void mmu_invalidate(struct gpu *gpu, const struct mmu_replay *replay)
{
	mmu_tlb_invalidate(gpu);
	gpu->mmu.unacknowledged = gpu->mmu.in_flight;
	gpu->mmu.ack_all = replay->op == MMU_REPLAY_START_ACK_ALL;
	if (replay->op != MMU_REPLAY_NONE && gpu->mmu.on_replay)
		gpu->mmu.on_replay(gpu, replay);
}

static void finish_delayed(struct gpu *gpu)
{
	if (!gpu->mmu.delayed)
		return;
	gpu->mmu.delayed = false;
	mmu_invalidate(gpu, &gpu->mmu.delayed_replay);
}

u64 mmu_run(struct gpu *gpu)
{
	u64 now = ptimer_now(gpu);

	if (!gpu->mmu.delayed)
		return UINT64_MAX;
	if (now < gpu->mmu.delayed_until)
		return gpu->mmu.delayed_until - now;
	finish_delayed(gpu);
	return 0;
}

/* One may wait; a second makes the first one hurry, as the next would have to wait for room. */
static void trigger(struct gpu *gpu, const struct mmu_replay *replay)
{
	finish_delayed(gpu);
	if (!gpu->engine.delay.mmu) {
		mmu_invalidate(gpu, replay);
		return;
	}
	gpu->mmu.delayed = true;
	gpu->mmu.delayed_replay = *replay;
	gpu->mmu.delayed_until = ptimer_now(gpu) + gpu->engine.delay.mmu * UINT64_C(1000);
	engine_kick(gpu);
}

void mmu_space_load(struct gpu *gpu, enum aperture aperture, u64 inst, struct mmu_space *space)
{
	u32 lo = mem_read32(gpu, aperture, inst + INST_PDB_LO, CLIENT_MMU);
	u32 hi = mem_read32(gpu, aperture, inst + INST_PDB_HI, CLIENT_MMU);
	u32 limit_lo = mem_read32(gpu, aperture, inst + INST_LIMIT_LO, CLIENT_MMU);
	u32 limit_hi = mem_read32(gpu, aperture, inst + INST_LIMIT_HI, CLIENT_MMU);

	*space = (struct mmu_space){
		.inst_aperture = aperture,
		.inst = inst,
		.pdb_aperture = bits(lo, 1, 0),
		.pdb = (u64)hi << 32 | (lo & 0xfffff000),
		.limit = bits(limit_hi, 16, 0) << 32 | limit_lo | 0xfff,
		.ver2 = lo & PDB_VER2,
		.big_64k = lo & PDB_BIG_64K,
		.replay_tex = lo & PDB_REPLAY_TEX,
		.replay_gcc = lo & PDB_REPLAY_GCC,
	};
}

static enum aperture pde_aperture(unsigned int code)
{
	return code == PDE_VIDMEM ? APERTURE_VIDMEM : (enum aperture)code;
}

/* VIDEO addresses are 37 bits wide, system addresses reach up to bit 57. */
static u64 entry_addr(u64 entry, enum aperture aperture)
{
	return bits(entry, aperture >= APERTURE_SYS_COH ? 53 : 32, 8) << 12;
}

/* Big-page tables are 256 bytes, and aligned as such. */
static u64 big_table_addr(u64 entry, enum aperture aperture)
{
	return bits(entry, aperture >= APERTURE_SYS_COH ? 53 : 32, 4) << 8;
}

static u64 read_entry(struct gpu *gpu, enum aperture aperture, u64 addr)
{
	return mem_read64(gpu, aperture, addr, CLIENT_MMU);
}

enum walk_result {
	WALK_LEAF,
	WALK_SPARSE,
	WALK_FAULT
};

struct walk {
	u64 pte;
	unsigned int shift;   /* of the page or of the sparse hole */
	enum mmu_fault fault; /* when WALK_FAULT */
};

static enum walk_result walk_fault(struct walk *walk, enum mmu_fault fault)
{
	walk->fault = fault;
	return WALK_FAULT;
}

/* The dual level: a 2 MiB page, or big and small tables side by side. */
static enum walk_result walk_pd0(struct gpu *gpu, const struct mmu_space *space,
				 enum aperture aperture, u64 table, u64 va, struct walk *walk)
{
	unsigned int big_shift = space->big_64k ? 16 : 17;
	u64 at = table + 16 * bits(va, 28, PD0_SHIFT);
	u64 big = read_entry(gpu, aperture, at);
	u64 small = read_entry(gpu, aperture, at + 8);
	unsigned int big_code = bits(big, 2, 1), small_code = bits(small, 2, 1);
	enum aperture sub;
	u64 pte;

	walk->shift = PD0_SHIFT;
	if (big & PTE_VALID) {
		walk->pte = big;
		return WALK_LEAF;
	}
	if (big_code != PDE_INVALID) {
		sub = pde_aperture(big_code);
		pte = read_entry(gpu, sub,
				 big_table_addr(big, sub) + 8 * bits(va, PD0_SHIFT - 1, big_shift));
		walk->shift = big_shift;
		walk->pte = pte;
		if (pte & PTE_VALID)
			return WALK_LEAF;
		if (pte & PTE_VOLATILE)
			return WALK_SPARSE;
		/* an invalid big PTE with PRIVILEGE set says: do not look at small ones */
		if ((pte & PTE_PRIVILEGE) || small_code == PDE_INVALID)
			return walk_fault(walk, MMU_FAULT_PTE);
	}
	if (small_code != PDE_INVALID) {
		sub = pde_aperture(small_code);
		pte = read_entry(gpu, sub,
				 entry_addr(small, sub) + 8 * bits(va, PD0_SHIFT - 1, SMALL_SHIFT));
		walk->shift = SMALL_SHIFT;
		walk->pte = pte;
		if (pte & PTE_VALID)
			return WALK_LEAF;
		if (pte & PTE_VOLATILE)
			return WALK_SPARSE;
		return walk_fault(walk, MMU_FAULT_PTE);
	}
	return big & PDE_VOLATILE ? WALK_SPARSE : walk_fault(walk, MMU_FAULT_PDE);
}

static enum walk_result walk_tables(struct gpu *gpu, const struct mmu_space *space, u64 va,
				    struct walk *walk)
{
	enum aperture aperture = space->pdb_aperture;
	u64 table = space->pdb;

	gpu->mmu.walks++;
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		unsigned int shift = directories[i].shift;
		u64 index = bits(va, shift + directories[i].index_bits - 1, shift);
		u64 pde = read_entry(gpu, aperture, table + 8 * index);
		unsigned int code = bits(pde, 2, 1);

		walk->shift = shift;
		if (pde & PTE_VALID) /* pages this large do not exist on Pascal [INF: PDE fault] */
			return walk_fault(walk, MMU_FAULT_PDE);
		if (code == PDE_INVALID)
			return pde & PDE_VOLATILE ? WALK_SPARSE : walk_fault(walk, MMU_FAULT_PDE);
		aperture = pde_aperture(code);
		table = entry_addr(pde, aperture);
	}
	return walk_pd0(gpu, space, aperture, table, va, walk);
}

static enum mmu_fault check_leaf(u64 pte, enum mmu_access access, bool privileged)
{
	if (bits(pte, 2, 1) ==
	    APERTURE_PEER) /* no peer is ever configured: needs NVLink or mailboxes */
		return MMU_FAULT_APERTURE;
	if (bits(pte, 63, 56) == KIND_INVALID)
		return MMU_FAULT_KIND;
	if ((pte & PTE_PRIVILEGE) && !privileged)
		return MMU_FAULT_PRIV;
	if ((pte & PTE_READ_ONLY) && (access == MMU_WRITE || access == MMU_ATOMIC))
		return MMU_FAULT_RO;
	if ((pte & PTE_ATOMIC_DISABLE) && access == MMU_ATOMIC)
		return MMU_FAULT_ATOMIC;
	return MMU_FAULT_NONE;
}

static u64 span_in(u64 va, unsigned int shift)
{
	return BIT_ULL(shift) - (va & (BIT_ULL(shift) - 1));
}

static void fill_leaf(struct mmu_page *page, u64 pte, unsigned int shift, u64 va)
{
	enum aperture aperture = bits(pte, 2, 1);
	u64 mask = BIT_ULL(shift) - 1;

	*page = (struct mmu_page){
		.aperture = aperture,
		.addr = (entry_addr(pte, aperture) & ~mask) | (va & mask),
		.span = span_in(va, shift),
		.shift = shift,
		.kind = bits(pte, 63, 56),
	};
}

enum mmu_fault mmu_translate(struct gpu *gpu, const struct mmu_space *space, u64 va,
			     enum mmu_access access, bool privileged, struct mmu_page *page)
{
	u64 key = space_key(space), generation;
	struct tlb_entry *slot;
	enum mmu_fault fault;
	struct walk walk;

	if (space->physical) {
		*page = (struct mmu_page){
			.aperture = APERTURE_VIDMEM,
			.addr = va,
			.span = span_in(va, PD0_SHIFT),
			.shift = PD0_SHIFT,
		};
		return MMU_FAULT_NONE;
	}
	if (va > space->limit || va >> VA_BITS)
		return MMU_FAULT_VA_LIMIT;
	if (!space->ver2) /* the older two-level format is not modelled */
		return MMU_FAULT_PDE;

	slot = tlb_slot(gpu, key, va >> SMALL_SHIFT);
	if (slot->generation == gpu->mmu.tlb->generation && slot->space == key &&
	    slot->vpn == va >> SMALL_SHIFT) {
		gpu->mmu.hits++;
		fault = check_leaf(slot->pte, access, privileged);
		if (fault == MMU_FAULT_NONE)
			fill_leaf(page, slot->pte, slot->shift, va);
		return fault;
	}

	generation = gpu->mmu.tlb->generation;
	switch (walk_tables(gpu, space, va, &walk)) {
	case WALK_FAULT:
		return walk.fault;
	case WALK_SPARSE:
		*page = (struct mmu_page){
			.span = span_in(va, walk.shift),
			.shift = walk.shift,
			.sparse = true,
		};
		return MMU_FAULT_NONE;
	case WALK_LEAF:
		break;
	}
	fault = check_leaf(walk.pte, access, privileged);
	if (fault != MMU_FAULT_NONE)
		return fault;
	/* tagged with the generation of the walk's start: the lock may have been dropped since */
	*slot = (struct tlb_entry){ generation, key, va >> SMALL_SHIFT, walk.pte, walk.shift };
	fill_leaf(page, walk.pte, walk.shift, va);
	return MMU_FAULT_NONE;
}

/* Channels' own traffic is unprivileged; the apertures and the falcons are the kernel's. */
static bool client_privileged(enum client client)
{
	return client != CLIENT_CE && client != CLIENT_HOST && client != CLIENT_GR;
}

static enum mmu_fault mmu_copy(struct gpu *gpu, const struct mmu_space *space, u64 va, void *rbuf,
			       const void *wbuf, size_t len, enum client client, u64 *fault_va)
{
	enum mmu_access access = wbuf ? MMU_WRITE : MMU_READ;
	size_t done = 0;

	while (done < len) {
		struct mmu_page page;
		enum mmu_fault fault = mmu_translate(gpu, space, va + done, access,
						     client_privileged(client), &page);
		size_t n = len - done;

		if (fault != MMU_FAULT_NONE) {
			*fault_va = va + done;
			return fault;
		}
		if (n > page.span)
			n = page.span;
		/*
		 * What nobody answers is not this unit's business: mem_read() has put ones,
		 * mem_write() has dropped the bytes, and both have logged it.
		 */
		if (page.sparse) {
			if (rbuf)
				memset((u8 *)rbuf + done, 0, n);
		} else if (rbuf) {
			(void)mem_read(gpu, page.aperture, page.addr, (u8 *)rbuf + done, n, client);
		} else {
			(void)mem_write(gpu, page.aperture, page.addr, (const u8 *)wbuf + done, n,
					client);
		}
		done += n;
	}
	return MMU_FAULT_NONE;
}

enum mmu_fault mmu_read(struct gpu *gpu, const struct mmu_space *space, u64 va, void *buf,
			size_t len, enum client client, u64 *fault_va)
{
	return mmu_copy(gpu, space, va, buf, NULL, len, client, fault_va);
}

enum mmu_fault mmu_write(struct gpu *gpu, const struct mmu_space *space, u64 va, const void *buf,
			 size_t len, enum client client, u64 *fault_va)
{
	return mmu_copy(gpu, space, va, NULL, buf, len, client, fault_va);
}

static u32 mmu_reg_read(struct gpu *gpu, u32 addr)
{
	switch (addr) {
	case PFB_PRI_MMU_CTRL:
		return gpu->mmu.ctrl | CTRL_PRI_FIFO_SPACE |
		       (mmu_invalidating(gpu) ? 0 : CTRL_PRI_FIFO_EMPTY);
	case PFB_PRI_MMU_INVALIDATE_PDB:
		return gpu->mmu.inv_pdb;
	case PFB_PRI_MMU_INVALIDATE_PDB_HI:
		return gpu->mmu.inv_pdb_hi;
	}
	return 0; /* INVALIDATE: TRIGGER is clear again */
}

static void mmu_reg_write(struct gpu *gpu, u32 addr, u32 val)
{
	switch (addr) {
	case PFB_PRI_MMU_CTRL:
		gpu->mmu.ctrl = val & CTRL_WRITABLE;
		return;
	case PFB_PRI_MMU_INVALIDATE_PDB:
		gpu->mmu.inv_pdb = val;
		return;
	case PFB_PRI_MMU_INVALIDATE_PDB_HI:
		gpu->mmu.inv_pdb_hi = val;
		return;
	}
	if (val & INVALIDATE_TRIGGER)
		trigger(gpu, &(struct mmu_replay){
				     .op = bits(val, 5, 3),
				     .client = bits(val, 14, 9),
				     .gpc = bits(val, 19, 15),
				     .hub = val & BIT(20),
			     });
}

static const struct mmio_range mmu_ranges[] = {
	{ PFB_PRI_MMU_CTRL, PFB_PRI_MMU_CTRL + 3, "MMU", mmu_reg_read, mmu_reg_write },
	{ PFB_PRI_MMU_INVALIDATE_PDB, PFB_PRI_MMU_INVALIDATE + 3, "MMU", mmu_reg_read,
	  mmu_reg_write },
	{ PFB_PRI_MMU_INVALIDATE_PDB_HI, PFB_PRI_MMU_INVALIDATE_PDB_HI + 3, "MMU", mmu_reg_read,
	  mmu_reg_write },
};

static void mmu_init(struct gpu *gpu)
{
	gpu->mmu.tlb = calloc(1, sizeof(*gpu->mmu.tlb));
	if (!gpu->mmu.tlb)
		abort();	      /* out of memory before anything runs */
	gpu->mmu.tlb->generation = 1; /* empty slots have 0 */
	for (size_t i = 0; i < ARRAY_SIZE(mmu_ranges); i++)
		mmio_register(gpu, &mmu_ranges[i]);
}

static void mmu_reset(struct gpu *gpu)
{
	gpu->mmu.inv_pdb = 0;
	gpu->mmu.inv_pdb_hi = 0;
	gpu->mmu.ctrl = 0;
	gpu->mmu.ack_all = false;
	gpu->mmu.delayed = false;
	gpu->mmu.tlb->generation++;
}

static void mmu_fini(struct gpu *gpu)
{
	free(gpu->mmu.tlb);
}

const struct unit mmu_unit = {
	.name = "MMU",
	.init = mmu_init,
	.reset = mmu_reset,
	.fini = mmu_fini,
};
