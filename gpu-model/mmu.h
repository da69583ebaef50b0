/* SPDX-License-Identifier: MIT */
/*
 * GMMU: the five-level page tables of Pascal ("MMU format version 2").
 * Source: NVIDIA open-gpu-doc pascal/gp100-mmu-format.pdf, and dev_mmu.h,
 * dev_ram.h of the published GP100 headers (instance-block fields).
 */
#ifndef MMU_H
#define MMU_H

#include "bus.h"
#include "types.h"

/* Fault types as hardware reports them (dev_fault.h, NV_PFAULT_FAULT_TYPE). */
enum mmu_fault {
	MMU_FAULT_NONE = -1,
	MMU_FAULT_PDE = 0x0,
	MMU_FAULT_PDE_SIZE = 0x1,
	MMU_FAULT_PTE = 0x2,
	MMU_FAULT_VA_LIMIT = 0x3,
	MMU_FAULT_UNBOUND_INST = 0x4,
	MMU_FAULT_PRIV = 0x5,
	MMU_FAULT_RO = 0x6,
	MMU_FAULT_PITCH_MASK = 0x8,
	MMU_FAULT_WORK_CREATION = 0x9,
	MMU_FAULT_APERTURE = 0xa,
	MMU_FAULT_COMPRESSION = 0xb,
	MMU_FAULT_KIND = 0xc,
	MMU_FAULT_REGION = 0xd,
	MMU_FAULT_POISONED = 0xe,
	MMU_FAULT_ATOMIC = 0xf,
};

/* Access types with the codes of the fault registers. */
enum mmu_access {
	MMU_READ = 0,
	MMU_WRITE = 1,
	MMU_ATOMIC = 2,
	MMU_PREFETCH = 3,
};

/* An address space, as an instance block describes it at bytes 0x200 to 0x20f. */
struct mmu_space {
	enum aperture inst_aperture;
	u64 inst; /* address of the instance block */
	enum aperture pdb_aperture;
	u64 pdb;      /* address of the root page directory (PD3) */
	u64 limit;    /* last valid virtual address */
	bool ver2;    /* new page-table format; nothing else is translated */
	bool big_64k; /* big pages are 64 KiB, else 128 KiB */
	bool replay_tex, replay_gcc;
	bool physical; /* BAR1 or BAR2 without translation: identity into VRAM */
};

/* Where one virtual address leads. */
struct mmu_page {
	enum aperture aperture;
	u64 addr;	    /* physical address of the virtual address asked for */
	u64 span;	    /* bytes from there to the end of the page (or of the sparse hole) */
	unsigned int shift; /* page size, 12, 16, 17 or 21 */
	u8 kind;
	bool sparse; /* reads give 0, writes are dropped; addr means nothing */
};

/* What a TLB invalidate also asks of faults that wait in the uTLBs (PFB_PRI_MMU_INVALIDATE_REPLAY). */
enum mmu_replay_op {
	MMU_REPLAY_NONE = 0,
	MMU_REPLAY_START = 1,
	MMU_REPLAY_START_ACK_ALL = 2,
	MMU_REPLAY_CANCEL_TARGETED = 3,
	MMU_REPLAY_CANCEL_GLOBAL = 4,
};

struct mmu_replay {
	enum mmu_replay_op op;
	bool hub; /* client type to cancel: HUB, else GPC */
	unsigned int gpc, client;
};

struct mmu {
	u64 walks, hits, invalidates;
	/* Called for a replay or cancel, after the TLB has been flushed. Set by utlb.c. */
	void (*on_replay)(struct gpu *gpu, const struct mmu_replay *replay);
	struct mmu_tlb *tlb;
	u32 inv_pdb, inv_pdb_hi, ctrl;
	bool delayed; /* this waits, until a time of PTIMER */
	struct mmu_replay delayed_replay;
	u64 delayed_until;
	bool in_flight;	     /* an access with a translation made before it, gpu->lock dropped */
	bool unacknowledged; /* an invalidate came meanwhile: it is complete when that access is */
	bool ack_all;	     /* a replay is complete when all requests have been tried again */
};

/* Read the address space out of an instance block. */
void mmu_space_load(struct gpu *gpu, enum aperture aperture, u64 inst, struct mmu_space *space);

/* Translate one address. Caller holds gpu->lock. On a fault *page is untouched. */
enum mmu_fault mmu_translate(struct gpu *gpu, const struct mmu_space *space, u64 va,
			     enum mmu_access access, bool privileged, struct mmu_page *page);

/*
 * Copy through the translation. Caller holds gpu->lock (dropped as in
 * mem_read()). Stops at the first fault and returns it, with *fault_va the
 * address that faulted; what precedes it has been copied.
 * An address that nobody answers is no MMU fault: reads give ones.
 */
enum mmu_fault mmu_read(struct gpu *gpu, const struct mmu_space *space, u64 va, void *buf,
			size_t len, enum client client, u64 *fault_va);
enum mmu_fault mmu_write(struct gpu *gpu, const struct mmu_space *space, u64 va, const void *buf,
			 size_t len, enum client client, u64 *fault_va);

/*
 * Around an access that uses a translation and may drop gpu->lock: an invalidate that comes
 * meanwhile is acknowledged after it, so that software does not give the page away too early.
 */
void mmu_access_begin(struct gpu *gpu);
void mmu_access_end(struct gpu *gpu);

/* Forget every cached translation. */
void mmu_tlb_invalidate(struct gpu *gpu);
/* A TLB invalidate with its replay operation, by register or by host method (MEM_OP_D). */
void mmu_invalidate(struct gpu *gpu, const struct mmu_replay *replay);
/* Whether that is not complete yet. */
bool mmu_invalidating(const struct gpu *gpu);
/* Does one by register that a delay held up; returns the ns until the next is due. */
u64 mmu_run(struct gpu *gpu);

extern const struct unit mmu_unit;

#endif
