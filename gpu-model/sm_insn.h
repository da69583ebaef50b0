/* SPDX-License-Identifier: MIT */
/*
 * A decoded instruction: an operation and the fields of its encoding, each by what it means.
 * Inside the shader core: sm_decode.c makes these, sm_exec.c and its operation files use them.
 */
#ifndef SM_INSN_H
#define SM_INSN_H

#include "sm.h"

enum sm_op {
	OP_NOP,
	/* moves */
	OP_MOV,
	OP_MOV32I,
	OP_SEL,
	OP_S2R,
	OP_CS2R,
	OP_LEPC,
	OP_SHFL,
	OP_PRMT,
	/* integers */
	OP_IADD,
	OP_IADD32I,
	OP_IADD3,
	OP_ISCADD,
	OP_ISCADD32I,
	OP_LEA,
	OP_LEA_HI,
	OP_XMAD,
	OP_IMUL,
	OP_IMUL32I,
	OP_IMAD,
	OP_IMNMX,
	OP_I2I,
	OP_SHL,
	OP_SHR,
	OP_SHF_L,
	OP_SHF_R,
	OP_BFE,
	OP_BFI,
	OP_FLO,
	OP_POPC,
	OP_LOP,
	OP_LOP32I,
	OP_LOP3,
	OP_ISETP,
	OP_ISET,
	OP_ICMP,
	/* predicates and condition codes */
	OP_PSETP,
	OP_PSET,
	OP_CSETP,
	OP_CSET,
	OP_P2R,
	OP_R2P,
	OP_VOTE,
	/* single precision */
	OP_FADD,
	OP_FADD32I,
	OP_FMUL,
	OP_FMUL32I,
	OP_FFMA,
	OP_FMNMX,
	OP_FSETP,
	OP_FSET,
	OP_MUFU,
	OP_I2F,
	OP_F2I,
	/* memory */
	OP_LDG,
	OP_STG,
	OP_LD,
	OP_ST,
	OP_LDS,
	OP_STS,
	OP_LDL,
	OP_STL,
	OP_LDC,
	OP_ATOM,
	OP_ATOM_CAS,
	OP_ATOMS,
	OP_ATOMS_CAS,
	OP_RED,
	OP_MEMBAR,
	OP_CCTL,
	OP_DEPBAR,
	/* control flow */
	OP_BRA,
	OP_BRX,
	OP_SSY,
	OP_SYNC,
	OP_PBK,
	OP_BRK,
	OP_PCNT,
	OP_CONT,
	OP_CAL,
	OP_PRET,
	OP_RET,
	OP_EXIT,
	OP_KIL,
	OP_BAR,
	OP_B2R,
	OP_COUNT
};

enum sm_field {
	F_PRED, /* the guard: @P, @!P */
	F_PRED_NOT,
	F_D, /* registers */
	F_A,
	F_B,
	F_C,
	F_PD, /* predicates */
	F_PD2,
	F_PS,
	F_PS_NOT,
	F_PS2, /* PSETP's first and second */
	F_PS2_NOT,
	F_PS3,
	F_PS3_NOT,
	F_CC, /* write condition codes */
	F_X,  /* read the carry */
	F_SAT,
	F_NEG_A,
	F_NEG_B,
	F_NEG_C,
	F_ABS_A,
	F_ABS_B,
	F_INV_A,
	F_INV_B,
	F_H1_A, /* halves: XMAD, IADD3 */
	F_H1_B,
	F_H1_C,
	F_SIGNED,
	F_SIGNED_B,
	F_SIZE, /* of a memory access; of the source of a conversion */
	F_SIZE_D,
	F_SELECT, /* byte of a register */
	F_CMP,
	F_BOOL,
	F_BOOL2,
	F_CCTEST,
	F_OP, /* of LOP, ATOM, SHFL, VOTE, MUFU, PRMT, BAR ... */
	F_MODE,
	F_LUT,
	F_SHIFT,
	F_WRAP,
	F_HIGH,
	F_BREV,
	F_PSL,
	F_MRG,
	F_BF,
	F_ROUND,
	F_SCALE,
	F_FTZ,
	F_E, /* 64 bit address */
	F_U,
	F_LMT,
	F_CACHE,
	F_OFFSET,
	F_BANK,
	F_IMM,
	F_IMM_B, /* B, C are immediates */
	F_IMM_C,
	F_COUNT
};

/* Where B or C comes from. */
enum sm_source {
	FROM_REGISTER,
	FROM_CONSTANT, /* F_BANK, F_OFFSET */
	FROM_IMMEDIATE /* F_IMM */
};

struct sm_opcode;

struct sm_insn {
	enum sm_op op;
	const struct sm_opcode *opcode; /* the row of the table */
	u64 has;			/* a bit per field that this encoding has */
	u32 f[F_COUNT]; /* signed ones are extended to 32 bits; what it has not is 0 */
	enum sm_source b, c;
};

/* One instruction's part of a control word. */
struct sm_control {
	u32 stall, write_barrier, read_barrier, wait_mask, reuse;
	bool yield;
};

#define SM_NO_BARRIER 7

static inline bool sm_has(const struct sm_insn *insn, enum sm_field field)
{
	return insn->has >> field & 1;
}

/* false: no row of the table, or a bit is set that no field of it owns. */
bool sm_decode(u64 encoding, struct sm_insn *insn);

/* slot is 0 .. 2. false: not of the form of a control word. */
bool sm_control(u64 word, unsigned int slot, struct sm_control *control);

/*
 * The inverse, for the assembler of the tests: go through the rows of an operation with
 * sm_opcode_next() (insn->opcode is NULL at first), set fields, and encode. false: there are no
 * more rows; a field does not fit.
 */
bool sm_opcode_next(struct sm_insn *insn);
bool sm_encode(const struct sm_insn *insn, u64 *encoding);

#endif
