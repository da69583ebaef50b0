/* SPDX-License-Identifier: MIT */
/*
 * The shader core: one warp of 32 lanes that executes SM60 instructions (Maxwell encodings).
 *
 * It knows no GPU: memory is reached through a table of callbacks, and what happens comes back as
 * a result of sm_step(). Who schedules warps and CTAs, reports faults and takes traps is the
 * compute engine. Sources: sm_decode.c (encodings) and sm_exec.c (what they do).
 */
#ifndef SM_H
#define SM_H

#include "types.h"

#define SM_LANES	32
#define SM_REGISTERS	255 /* R0 .. R254; RZ is register 255 */
#define SM_RZ		255
#define SM_PT		7
#define SM_BARRIERS	16
#define SM_STACK	256
#define SM_BUNDLE_BYTES 32 /* a control word and three instructions */
#define SM_WINDOW_BYTES (UINT64_C(1) << 24)

/* What sm_step() came to. */
enum sm_result {
	SM_CONTINUE, /* one instruction is done */
	SM_WAIT,     /* at a barrier that others have not reached; step again later */
	SM_FAULT,    /* warp->fault says where; step again after a replay, nothing is done twice */
	SM_TRAP,     /* warp->trap says why; the warp is dead */
	SM_EXIT,     /* all lanes have exited */
};

/* Errors of a warp by NVIDIA's numbers: SM_HWW_WARP_ESR, field ERROR. */
enum sm_error {
	SM_ERROR_NONE = 0x00,
	SM_STACK_ERROR = 0x01,
	SM_API_STACK_ERROR = 0x02,
	SM_RET_EMPTY_STACK_ERROR = 0x03,
	SM_PC_WRAP = 0x04,
	SM_MISALIGNED_PC = 0x05,
	SM_PC_OVERFLOW = 0x06,
	SM_MISALIGNED_IMMC_ADDR = 0x07,
	SM_MISALIGNED_REG = 0x08,
	SM_ILLEGAL_INSTR_ENCODING = 0x09,
	SM_ILLEGAL_SPH_INSTR_COMBO = 0x0a,
	SM_ILLEGAL_INSTR_PARAM = 0x0b,
	SM_INVALID_CONST_ADDR = 0x0c,
	SM_OOR_REG = 0x0d,
	SM_OOR_ADDR = 0x0e,
	SM_MISALIGNED_ADDR = 0x0f,
	SM_INVALID_ADDR_SPACE = 0x10,
	SM_ILLEGAL_INSTR_PARAM2 = 0x11,
	SM_INVALID_CONST_ADDR_LDC = 0x12,
};

enum sm_access_type {
	SM_LOAD,
	SM_STORE,
	SM_ATOMIC, /* with a result: ATOM; without: RED */
	SM_FETCH,
	SM_CONSTANT,
};

enum sm_atomic_op {
	SM_ATOM_ADD,
	SM_ATOM_MIN,
	SM_ATOM_MAX,
	SM_ATOM_INC,
	SM_ATOM_DEC,
	SM_ATOM_AND,
	SM_ATOM_OR,
	SM_ATOM_XOR,
	SM_ATOM_EXCH,
	SM_ATOM_CAS,
};

enum sm_atomic_type {
	SM_ATOM_U32,
	SM_ATOM_S32,
	SM_ATOM_U64,
	SM_ATOM_S64,
	SM_ATOM_F32,
};

/*
 * A warp's access to global memory. The core fills it in; access() does it for the lanes that it
 * can, in ascending order, and returns those. Each lane is all or nothing: its va is aligned to
 * bytes, so it never crosses a page. What could not be done stays in lanes, and only that is asked
 * for again when the warp is stepped after SM_FAULT.
 */
struct sm_access {
	enum sm_access_type type; /* SM_LOAD, SM_STORE or SM_ATOMIC */
	u32 bytes;		  /* 1, 2, 4, 8 or 16 */
	u32 lanes;		  /* a bit per lane that wants it */
	u64 va[SM_LANES];
	/* load: the result; store: what to write; atomic: operand in, old value out; little endian */
	u32 data[SM_LANES][4];
	enum sm_atomic_op op;
	enum sm_atomic_type atomic_type;
	u64 compare[SM_LANES]; /* SM_ATOM_CAS: data is what replaces this */
};

/* The value that an atomic leaves in memory where old was. */
u64 sm_atomic_result(const struct sm_access *access, unsigned int lane, u64 old);

enum sm_mem {
	SM_MEM_OK,
	SM_MEM_FAULT,	     /* page fault; the callback has set warp->fault.va */
	SM_MEM_OUT_OF_RANGE, /* no such constant buffer, or beyond its end */
};

struct sm_warp;

struct sm_ops {
	/* Returns the lanes that are done, a subset of access->lanes. */
	u32 (*access)(struct sm_warp *warp, struct sm_access *access);
	/* The 32 bytes at pc, a multiple of 32 from the program region's start. */
	enum sm_mem (*fetch)(struct sm_warp *warp, u32 pc, u64 bundle[4]);
	/* The word at c[bank][offset]; offset is a multiple of 4. */
	enum sm_mem (*constant)(struct sm_warp *warp, u32 bank, u32 offset, u32 *word);
	/* A hint that va will be read. It has no result, and the warp goes on. */
	void (*prefetch)(struct sm_warp *warp, u64 va);
	/* Nanoseconds, for SR_CLOCK and SR_GLOBALTIMER. */
	u64 (*time)(struct sm_warp *warp);
};

struct sm_barrier {
	u32 arrived;  /* warps */
	u32 expected; /* warps; 0: all that are left of the CTA */
	u32 phase;    /* counts completions; who waits for the next one remembers the last */
	u32 popc;     /* BAR.RED: of the phase that is being gathered */
	bool all, any;
	u32 op;	    /* of those: 0 to 2 */
	u32 result; /* BAR.RED: of the last phase, for B2R */
};

/* What the warps of a CTA share. The owner fills in the first part, sm_cta_init() the rest. */
struct sm_cta {
	const struct sm_ops *ops;
	void *owner;
	u32 ntid[3], ctaid[3];
	u32 registers;	  /* per lane; more is SM_OOR_REG */
	u32 barriers;	  /* more is SM_ILLEGAL_INSTR_PARAM */
	u32 shared_bytes; /* of memory at shared */
	u32 local_bytes;  /* per lane */
	u8 *shared;
	u64 shared_window,
		local_window; /* where generic addresses see these; SM_WINDOW_BYTES each */
	u32 smid;

	u32 warps; /* that have not exited */
	struct sm_barrier barrier[SM_BARRIERS];
};

enum sm_stack_kind {
	SM_DIVERGED, /* lanes that took the other way of a branch */
	SM_SSY,
	SM_PBK,
	SM_PCNT,
	SM_CALL,
};

struct sm_stack_entry {
	enum sm_stack_kind kind;
	u32 pc;
	u32 lanes;
};

struct sm_warp {
	struct sm_cta *cta;
	u32 index;  /* in its CTA */
	u32 pc;	    /* from the program region's start */
	u32 active; /* lanes that execute */
	u32 live;   /* lanes that have not exited */
	u32 depth;
	struct sm_stack_entry stack[SM_STACK];
	u32 r[SM_REGISTERS][SM_LANES];
	u32 p[SM_PT]; /* predicates P0 .. P6, a bit per lane */
	struct {
		u32 z, s, c, o; /* condition codes, a bit per lane */
		u32 c2;		/* the second carry of IADD3 */
	} cc;
	u8 *local; /* cta->local_bytes for each lane, one after the other */

	/* The bundle at bundle_pc, as last fetched; bundle_pc is no multiple of 32 before that. */
	u32 bundle_pc;
	u64 bundle[4];

	/* The access that an instruction waits for, with the lanes that are still to be done. */
	bool in_flight;
	struct sm_access access;

	/* At a barrier: which one, and the phase in which it was reached. */
	bool waiting;
	u32 barrier, barrier_phase;
	u32 barrier_result; /* of the last one: what B2R reads */

	/*
	 * SM_FAULT: type says who asked: fetch and constants are GCC's, the rest TEX's. For those,
	 * access.lanes and access.va say which addresses; va is the one of the first lane.
	 */
	struct {
		enum sm_access_type type;
		u64 va;
	} fault;

	/* SM_TRAP: why, where, and the encoding of the instruction (0: there was none). */
	struct {
		enum sm_error error;
		u32 pc;
		u64 encoding;
		u64 va; /* errors of an address: which */
	} trap;
};

/* Warps that threads of such a CTA fill. */
u32 sm_cta_warps(const struct sm_cta *cta);
void sm_cta_init(struct sm_cta *cta);

/*
 * Put a warp at the start of a program. local has cta->local_bytes times SM_LANES bytes, and may be
 * NULL if that is 0. Registers start as zero.
 */
void sm_warp_start(struct sm_warp *warp, struct sm_cta *cta, u32 index, u32 pc, u8 *local);

/* Execute one instruction, or what is left of it. After SM_TRAP or SM_EXIT: the same again. */
enum sm_result sm_step(struct sm_warp *warp);

/* "ILLEGAL_INSTR_ENCODING" and so on. */
const char *sm_error_name(enum sm_error error);

#endif
