/* SPDX-License-Identifier: MIT */
/*
 * The encodings of SM60 instructions, as a table: what identifies an instruction, and which bits
 * are which field of it. A bit that no field owns must be 0, so nothing is taken for what it is
 * not. Sources: envytools envydis/gm107.c, Mesa's nv50_ir_emit_gm107.cpp and NAK; control words:
 * maxas. That a set bit without a meaning is an illegal encoding is our reading [INF].
 */
#include <string.h>

#include "sm_insn.h"

/* A field: value = sign extended (bits lo + width - 1 .. lo, topped by bit top if any) << shift. */
struct sm_part {
	u8 field, lo, width, top, shift;
	bool is_signed;
};

struct sm_opcode {
	u64 match, mask;
	u8 op, b, c;
	const struct sm_part *parts;	/* of the instruction */
	const struct sm_part *operands; /* of the form in which B and C come, NULL: none */
};

#define AT(field, lo, width) { field, lo, width, 0, 0, false }
#define END		     { F_COUNT, 0, 0, 0, 0, false }
#define PARTS(...)               \
	(const struct sm_part[]) \
	{                        \
		__VA_ARGS__, END \
	}

#define GUARD AT(F_PRED, 16, 3), AT(F_PRED_NOT, 19, 1)
#define D     AT(F_D, 0, 8)
#define A     AT(F_A, 8, 8)
#define B     AT(F_B, 20, 8)
#define C     AT(F_C, 39, 8)
#define PS    AT(F_PS, 39, 3), AT(F_PS_NOT, 42, 1)
#define CC    AT(F_CC, 47, 1)
#define CC32  AT(F_CC, 52, 1)
#define IMM32 AT(F_IMM, 20, 32)

#define SIGNED_AT(field, lo, width) { field, lo, width, 0, 0, true }

#define CONSTANT                              \
	AT(F_BANK, 34, 5),                    \
	{                                     \
		F_OFFSET, 20, 14, 0, 2, false \
	}
#define IMMEDIATE     { F_IMM, 20, 19, 56, 0, true }
#define IMMEDIATE_FP  { F_IMM, 20, 19, 56, 12, false }
#define SCALED_22(at) { F_OFFSET, at, 22, 0, 2, true }

static const struct sm_part b_reg[] = { B, END };
static const struct sm_part b_const[] = { CONSTANT, END };
static const struct sm_part b_imm[] = { IMMEDIATE, END };
static const struct sm_part b_fp[] = { IMMEDIATE_FP, END };
static const struct sm_part bc_reg[] = { B, C, END };
static const struct sm_part bc_const[] = { CONSTANT, C, END };
static const struct sm_part bc_imm[] = { IMMEDIATE, C, END };
static const struct sm_part bc_fp[] = { IMMEDIATE_FP, C, END };
static const struct sm_part c_const[] = { CONSTANT, AT(F_B, 39, 8), END };

/* Most opcodes are in the upper 16 bits. */
#define TOP(bits)     ((u64)(bits) << 48)
#define NO_SIGN(mask) ((mask) & ~0x0100) /* bit 56, the sign of an immediate */
#define ROW(match, mask, op, b, c, operands, ...) \
	{ match, mask, op, b, c, PARTS(GUARD, __VA_ARGS__), operands }

/* One way to encode it. */
#define ONE(op, match, mask, ...) \
	ROW(TOP(match), TOP(mask), op, FROM_REGISTER, FROM_REGISTER, NULL, __VA_ARGS__)
#define ONE_REG(op, match, mask, ...) \
	ROW(TOP(match), TOP(mask), op, FROM_REGISTER, FROM_REGISTER, b_reg, __VA_ARGS__)
/* Some have a second part of the opcode further down. */
#define LOW(op, match, low, mask, low_mask, ...)                                                \
	ROW(TOP(match) | (low), TOP(mask) | (low_mask), op, FROM_REGISTER, FROM_REGISTER, NULL, \
	    __VA_ARGS__)
/* Branches and the like that cannot be predicated. */
#define BARE(op, match, ...)                                       \
	{ TOP(match),	 TOP(0xfff0) | BIT(5), op,  FROM_REGISTER, \
	  FROM_REGISTER, PARTS(__VA_ARGS__),   NULL }

#define FORMS_B(op, reg, con, imm, mask, b_imm, ...)                                              \
	ROW(TOP(reg), TOP(mask), op, FROM_REGISTER, FROM_REGISTER, b_reg, __VA_ARGS__),           \
		ROW(TOP(con), TOP(mask), op, FROM_CONSTANT, FROM_REGISTER, b_const, __VA_ARGS__), \
		ROW(TOP(imm), TOP(NO_SIGN(mask)), op, FROM_IMMEDIATE, FROM_REGISTER, b_imm,       \
		    __VA_ARGS__)
#define FORMS_BC(op, reg, con, imm, mask, bc_imm, ...)                                             \
	ROW(TOP(reg), TOP(mask), op, FROM_REGISTER, FROM_REGISTER, bc_reg, __VA_ARGS__),           \
		ROW(TOP(con), TOP(mask), op, FROM_CONSTANT, FROM_REGISTER, bc_const, __VA_ARGS__), \
		ROW(TOP(imm), TOP(NO_SIGN(mask)), op, FROM_IMMEDIATE, FROM_REGISTER, bc_imm,       \
		    __VA_ARGS__)

/* B as a register, a constant, an immediate. */
#define INT_B(op, reg, con, imm, mask, ...) FORMS_B(op, reg, con, imm, mask, b_imm, __VA_ARGS__)
#define FP_B(op, reg, con, imm, mask, ...)  FORMS_B(op, reg, con, imm, mask, b_fp, __VA_ARGS__)
/* The same with C as a register. */
#define INT_BC(op, reg, con, imm, mask, ...) FORMS_BC(op, reg, con, imm, mask, bc_imm, __VA_ARGS__)
#define FP_BC(op, reg, con, imm, mask, ...)  FORMS_BC(op, reg, con, imm, mask, bc_fp, __VA_ARGS__)
/* C as a constant. */
#define CON_C(op, con, mask, ...) \
	ROW(TOP(con), TOP(mask), op, FROM_REGISTER, FROM_CONSTANT, c_const, __VA_ARGS__)
#define IMM_C(op, imm, mask, ...) \
	ROW(TOP(imm), TOP(NO_SIGN(mask)), op, FROM_IMMEDIATE, FROM_REGISTER, bc_imm, __VA_ARGS__)
/* B as an immediate of 32 bits. */
#define INT_32(op, imm, mask, ...) \
	ROW(TOP(imm), TOP(mask), op, FROM_IMMEDIATE, FROM_REGISTER, NULL, IMM32, __VA_ARGS__)

#define COMPARE AT(F_CMP, 49, 3), AT(F_SIGNED, 48, 1)
#define BOOL	AT(F_BOOL, 45, 2), PS
#define PD_PD2	AT(F_PD, 3, 3), AT(F_PD2, 0, 3)
#define TYPES	AT(F_SIZE_D, 8, 2), AT(F_SIZE, 10, 2)
#define MEMORY	D, A, SIGNED_AT(F_OFFSET, 20, 24), AT(F_SIZE, 48, 3)
#define ATOMIC	A, SIGNED_AT(F_OFFSET, 28, 20)
#define TARGET	SIGNED_AT(F_OFFSET, 20, 24)
#define CCTEST	AT(F_CCTEST, 0, 5)

static const struct sm_opcode opcodes[] = {
	ONE(OP_NOP, 0x50b0, 0xfff8, AT(F_CCTEST, 8, 5), AT(F_U, 13, 1), AT(F_IMM, 20, 16)),

	/* moves */
	INT_B(OP_MOV, 0x5c98, 0x4c98, 0x3898, 0xfff8, D, AT(F_MODE, 39, 4)),
	INT_32(OP_MOV32I, 0x0100, 0xfff0, D, AT(F_MODE, 12, 4)),
	INT_B(OP_SEL, 0x5ca0, 0x4ca0, 0x38a0, 0xfff8, D, A, PS),
	ONE(OP_S2R, 0xf0c8, 0xfff8, D, AT(F_IMM, 20, 8)),
	ONE(OP_CS2R, 0x50c8, 0xfff8, D, AT(F_IMM, 20, 8)),
	ONE(OP_LEPC, 0x50d0, 0xfff8, D),
#define SHFL(b_imm, c_imm, b, c)                                                                 \
	LOW(OP_SHFL, 0xef10, (u64)(b_imm) << 28 | (u64)(c_imm) << 29, 0xfff8, UINT64_C(3) << 28, \
	    D, A, b, c, AT(F_PD, 48, 3), AT(F_OP, 30, 2))
	SHFL(0, 0, B, C),
	SHFL(1, 0, AT(F_IMM_B, 20, 5), C),
	SHFL(0, 1, B, AT(F_IMM_C, 34, 13)),
	SHFL(1, 1, AT(F_IMM_B, 20, 5), AT(F_IMM_C, 34, 13)),
#define PRMT D, A, AT(F_OP, 48, 4)
	INT_BC(OP_PRMT, 0x5bc0, 0x4bc0, 0x36c0, 0xfff0, PRMT),
	CON_C(OP_PRMT, 0x53c0, 0xfff0, PRMT),

	/* integers */
	INT_B(OP_IADD, 0x5c10, 0x4c10, 0x3810, 0xfff8, D, A, CC, AT(F_X, 43, 1), AT(F_NEG_B, 48, 1),
	      AT(F_NEG_A, 49, 1), AT(F_SAT, 50, 1)),
	INT_32(OP_IADD32I, 0x1c00, 0xfe80, D, A, CC32, AT(F_X, 53, 1), AT(F_SAT, 54, 1),
	       AT(F_NEG_A, 56, 1)),
#define IADD3 D, A, CC, AT(F_X, 48, 1), AT(F_NEG_C, 49, 1), AT(F_NEG_B, 50, 1), AT(F_NEG_A, 51, 1)
	ROW(TOP(0x5cc0), TOP(0xfff0), OP_IADD3, FROM_REGISTER, FROM_REGISTER, bc_reg, IADD3,
	    AT(F_H1_C, 31, 2), AT(F_H1_B, 33, 2), AT(F_H1_A, 35, 2), AT(F_MODE, 37, 2)),
	ROW(TOP(0x4cc0), TOP(0xfff0), OP_IADD3, FROM_CONSTANT, FROM_REGISTER, bc_const, IADD3),
	IMM_C(OP_IADD3, 0x38c0, 0xfff0, IADD3),
	INT_B(OP_ISCADD, 0x5c18, 0x4c18, 0x3818, 0xfff8, D, A, CC, AT(F_SHIFT, 39, 5),
	      AT(F_NEG_B, 48, 1), AT(F_NEG_A, 49, 1)),
	INT_32(OP_ISCADD32I, 0x1400, 0xfc00, D, A, CC32, AT(F_SHIFT, 53, 5)),
	INT_B(OP_LEA, 0x5bd0, 0x4bd0, 0x36d0, 0xfff8, D, A, CC, AT(F_SHIFT, 39, 5),
	      AT(F_NEG_A, 45, 1), AT(F_X, 46, 1), AT(F_PD, 48, 3)),
	ROW(TOP(0x5bd8), TOP(0xfff8), OP_LEA_HI, FROM_REGISTER, FROM_REGISTER, bc_reg, D, A, CC,
	    AT(F_SHIFT, 28, 5), AT(F_NEG_A, 37, 1), AT(F_X, 38, 1), AT(F_PD, 48, 3)),
	ROW(TOP(0x1800), TOP(0xfc00), OP_LEA_HI, FROM_CONSTANT, FROM_REGISTER, bc_const, D, A, CC,
	    AT(F_PD, 48, 3), AT(F_SHIFT, 51, 5), AT(F_NEG_A, 56, 1), AT(F_X, 57, 1)),
#define XMAD D, A, CC, AT(F_SIGNED, 48, 1), AT(F_SIGNED_B, 49, 1), AT(F_H1_A, 53, 1)
	ROW(TOP(0x5b00), TOP(0xffc0), OP_XMAD, FROM_REGISTER, FROM_REGISTER, bc_reg, XMAD,
	    AT(F_H1_B, 35, 1), AT(F_PSL, 36, 1), AT(F_MRG, 37, 1), AT(F_X, 38, 1),
	    AT(F_MODE, 50, 3)),
	ROW(TOP(0x3600), TOP(0xffc0), OP_XMAD, FROM_IMMEDIATE, FROM_REGISTER, NULL, XMAD, C,
	    AT(F_IMM, 20, 16), AT(F_PSL, 36, 1), AT(F_MRG, 37, 1), AT(F_X, 38, 1),
	    AT(F_MODE, 50, 3)),
	ROW(TOP(0x4e00), TOP(0xfe00), OP_XMAD, FROM_CONSTANT, FROM_REGISTER, bc_const, XMAD,
	    AT(F_MODE, 50, 2), AT(F_H1_B, 52, 1), AT(F_X, 54, 1), AT(F_PSL, 55, 1),
	    AT(F_MRG, 56, 1)),
	CON_C(OP_XMAD, 0x5100, 0xff80, XMAD, AT(F_MODE, 50, 2), AT(F_H1_B, 52, 1), AT(F_X, 54, 1)),
	INT_B(OP_IMUL, 0x5c38, 0x4c38, 0x3838, 0xfff8, D, A, CC, AT(F_HIGH, 39, 1),
	      AT(F_SIGNED, 40, 1), AT(F_SIGNED_B, 41, 1)),
	INT_32(OP_IMUL32I, 0x1f00, 0xff00, D, A, CC32, AT(F_HIGH, 53, 1), AT(F_SIGNED, 54, 1),
	       AT(F_SIGNED_B, 55, 1)),
#define IMAD                                                                                    \
	D, A, CC, AT(F_SIGNED, 48, 1), AT(F_X, 49, 1), AT(F_SAT, 50, 1), AT(F_SIGNED_B, 53, 1), \
		AT(F_HIGH, 54, 1)
	INT_BC(OP_IMAD, 0x5a00, 0x4a00, 0x3400, 0xff80, IMAD),
	CON_C(OP_IMAD, 0x5200, 0xff80, IMAD),
	INT_B(OP_IMNMX, 0x5c20, 0x4c20, 0x3820, 0xfff8, D, A, CC, PS, AT(F_SIGNED, 48, 1)),
	INT_B(OP_I2I, 0x5ce0, 0x4ce0, 0x38e0, 0xfff8, D, CC, TYPES, AT(F_SIGNED, 12, 1),
	      AT(F_SIGNED_B, 13, 1), AT(F_SELECT, 41, 2), AT(F_NEG_B, 45, 1), AT(F_ABS_B, 49, 1),
	      AT(F_SAT, 50, 1)),
	INT_B(OP_SHL, 0x5c48, 0x4c48, 0x3848, 0xfff8, D, A, CC, AT(F_WRAP, 39, 1), AT(F_X, 43, 1)),
	INT_B(OP_SHR, 0x5c28, 0x4c28, 0x3828, 0xfff8, D, A, CC, AT(F_WRAP, 39, 1),
	      AT(F_BREV, 40, 1), AT(F_X, 44, 1), AT(F_SIGNED, 48, 1)),
#define SHF D, A, CC, AT(F_MODE, 37, 2), AT(F_HIGH, 48, 2), AT(F_WRAP, 50, 1)
	ROW(TOP(0x5bf8), TOP(0xfff8), OP_SHF_L, FROM_REGISTER, FROM_REGISTER, bc_reg, SHF),
	ROW(TOP(0x36f8), TOP(0xfff8), OP_SHF_L, FROM_IMMEDIATE, FROM_REGISTER, NULL, SHF, C,
	    AT(F_IMM, 20, 6)),
	ROW(TOP(0x5cf8), TOP(0xfff8), OP_SHF_R, FROM_REGISTER, FROM_REGISTER, bc_reg, SHF),
	ROW(TOP(0x38f8), TOP(0xfff8), OP_SHF_R, FROM_IMMEDIATE, FROM_REGISTER, NULL, SHF, C,
	    AT(F_IMM, 20, 6)),
	INT_B(OP_BFE, 0x5c00, 0x4c00, 0x3800, 0xfff8, D, A, CC, AT(F_BREV, 40, 1),
	      AT(F_SIGNED, 48, 1)),
	INT_BC(OP_BFI, 0x5bf0, 0x4bf0, 0x36f0, 0xfff8, D, A, CC),
	CON_C(OP_BFI, 0x53f0, 0xfff8, D, A, CC),
	INT_B(OP_FLO, 0x5c30, 0x4c30, 0x3830, 0xfff8, D, CC, AT(F_INV_B, 40, 1), AT(F_SHIFT, 41, 1),
	      AT(F_SIGNED, 48, 1)),
	INT_B(OP_POPC, 0x5c08, 0x4c08, 0x3808, 0xfff8, D, AT(F_INV_B, 40, 1)),
	INT_B(OP_LOP, 0x5c40, 0x4c40, 0x3840, 0xfff8, D, A, CC, AT(F_INV_A, 39, 1),
	      AT(F_INV_B, 40, 1), AT(F_OP, 41, 2), AT(F_X, 43, 1), AT(F_MODE, 44, 2),
	      AT(F_PD, 48, 3)),
	INT_32(OP_LOP32I, 0x0400, 0xfc00, D, A, CC32, AT(F_OP, 53, 2), AT(F_INV_A, 55, 1),
	       AT(F_INV_B, 56, 1), AT(F_X, 57, 1)),
	ROW(TOP(0x5be0), TOP(0xfff8), OP_LOP3, FROM_REGISTER, FROM_REGISTER, bc_reg, D, A, CC,
	    AT(F_LUT, 28, 8), AT(F_MODE, 36, 2), AT(F_X, 38, 1), AT(F_PD, 48, 3)),
	ROW(TOP(0x0200), TOP(0xfe00), OP_LOP3, FROM_CONSTANT, FROM_REGISTER, bc_const, D, A, CC,
	    AT(F_LUT, 48, 8), AT(F_X, 56, 1)),
	IMM_C(OP_LOP3, 0x3c00, 0xfe00, D, A, CC, AT(F_LUT, 48, 8)),
	INT_B(OP_ISETP, 0x5b60, 0x4b60, 0x3660, 0xfff0, A, PD_PD2, COMPARE, BOOL, AT(F_X, 43, 1)),
	INT_B(OP_ISET, 0x5b50, 0x4b50, 0x3650, 0xfff0, D, A, CC, COMPARE, BOOL, AT(F_X, 43, 1),
	      AT(F_BF, 44, 1)),
	INT_BC(OP_ICMP, 0x5b40, 0x4b40, 0x3640, 0xfff0, D, A, COMPARE),
	CON_C(OP_ICMP, 0x5340, 0xfff0, D, A, COMPARE),

/* predicates and condition codes */
#define PS2 AT(F_PS2, 12, 3), AT(F_PS2_NOT, 15, 1)
#define PS3 AT(F_PS3, 29, 3), AT(F_PS3_NOT, 32, 1)
	ONE(OP_PSETP, 0x5090, 0xfff8, PD_PD2, PS2, PS3, BOOL, AT(F_BOOL2, 24, 2)),
	ONE(OP_PSET, 0x5088, 0xfff8, D, CC, PS2, PS3, BOOL, AT(F_BOOL2, 24, 2), AT(F_BF, 44, 1)),
	ONE(OP_CSETP, 0x50a0, 0xfff8, PD_PD2, BOOL, AT(F_CCTEST, 8, 5)),
	ONE(OP_CSET, 0x5098, 0xfff8, D, BOOL, AT(F_CCTEST, 8, 5), AT(F_BF, 44, 1)),
	INT_B(OP_P2R, 0x5ce8, 0x4ce8, 0x38e8, 0xfff8, D, A, AT(F_MODE, 40, 1), AT(F_SELECT, 41, 2)),
	INT_B(OP_R2P, 0x5cf0, 0x4cf0, 0x38f0, 0xfff8, A, AT(F_MODE, 40, 1), AT(F_SELECT, 41, 2)),
	ONE(OP_VOTE, 0x50d8, 0xfff8, D, PS, AT(F_PD, 45, 3), AT(F_OP, 48, 2)),

/* single precision */
#define FADD                                                                                    \
	D, A, CC, AT(F_ROUND, 39, 2), AT(F_FTZ, 44, 1), AT(F_NEG_B, 45, 1), AT(F_ABS_A, 46, 1), \
		AT(F_NEG_A, 48, 1), AT(F_ABS_B, 49, 1), AT(F_SAT, 50, 1)
	FP_B(OP_FADD, 0x5c58, 0x4c58, 0x3858, 0xfff8, FADD),
	INT_32(OP_FADD32I, 0x0800, 0xfc00, D, A, CC32, AT(F_NEG_B, 53, 1), AT(F_ABS_A, 54, 1),
	       AT(F_FTZ, 55, 1), AT(F_NEG_A, 56, 1), AT(F_ABS_B, 57, 1)),
	FP_B(OP_FMUL, 0x5c68, 0x4c68, 0x3868, 0xfff8, D, A, CC, AT(F_ROUND, 39, 2),
	     AT(F_SCALE, 41, 3), AT(F_FTZ, 44, 2), AT(F_NEG_B, 48, 1), AT(F_SAT, 50, 1)),
	INT_32(OP_FMUL32I, 0x1e00, 0xff00, D, A, CC32, AT(F_FTZ, 53, 2), AT(F_SAT, 55, 1)),
#define FFMA                                                                                    \
	D, A, CC, AT(F_NEG_B, 48, 1), AT(F_NEG_C, 49, 1), AT(F_SAT, 50, 1), AT(F_ROUND, 51, 2), \
		AT(F_FTZ, 53, 2)
	FP_BC(OP_FFMA, 0x5980, 0x4980, 0x3280, 0xff80, FFMA),
	CON_C(OP_FFMA, 0x5180, 0xff80, FFMA),
	FP_B(OP_FMNMX, 0x5c60, 0x4c60, 0x3860, 0xfff8, D, A, CC, PS, AT(F_FTZ, 44, 1),
	     AT(F_NEG_B, 45, 1), AT(F_ABS_A, 46, 1), AT(F_NEG_A, 48, 1), AT(F_ABS_B, 49, 1)),
	FP_B(OP_FSETP, 0x5bb0, 0x4bb0, 0x36b0, 0xfff0, A, PD_PD2, BOOL, AT(F_NEG_B, 6, 1),
	     AT(F_ABS_A, 7, 1), AT(F_NEG_A, 43, 1), AT(F_ABS_B, 44, 1), AT(F_FTZ, 47, 1),
	     AT(F_CMP, 48, 4)),
#define FSET                                                                                       \
	D, A, CC, BOOL, AT(F_NEG_A, 43, 1), AT(F_ABS_B, 44, 1), AT(F_CMP, 48, 4), AT(F_BF, 52, 1), \
		AT(F_NEG_B, 53, 1), AT(F_ABS_A, 54, 1), AT(F_FTZ, 55, 1)
	FP_B(OP_FSET, 0x5800, 0x4800, 0x3000, 0xff00, FSET),
	ONE(OP_MUFU, 0x5080, 0xfff8, D, A, AT(F_OP, 20, 4), AT(F_ABS_A, 46, 1), AT(F_NEG_A, 48, 1),
	    AT(F_SAT, 50, 1)),
	INT_B(OP_I2F, 0x5cb8, 0x4cb8, 0x38b8, 0xfff8, D, CC, TYPES, AT(F_SIGNED_B, 13, 1),
	      AT(F_ROUND, 39, 2), AT(F_SELECT, 41, 2), AT(F_NEG_B, 45, 1), AT(F_ABS_B, 49, 1)),
	FP_B(OP_F2I, 0x5cb0, 0x4cb0, 0x38b0, 0xfff8, D, CC, TYPES, AT(F_SIGNED, 12, 1),
	     AT(F_ROUND, 39, 2), AT(F_FTZ, 44, 1), AT(F_NEG_B, 45, 1), AT(F_ABS_B, 49, 1)),

	/* memory */
	ONE(OP_LDG, 0xeed0, 0xfff8, MEMORY, AT(F_E, 45, 1), AT(F_CACHE, 46, 2)),
	ONE(OP_STG, 0xeed8, 0xfff8, MEMORY, AT(F_E, 45, 1), AT(F_CACHE, 46, 2)),
#define GENERIC                                                                                   \
	D, A, SIGNED_AT(F_OFFSET, 20, 32), AT(F_E, 52, 1), AT(F_SIZE, 53, 3), AT(F_CACHE, 56, 2), \
		AT(F_PS, 58, 3)
	ONE(OP_LD, 0x8000, 0xe000, GENERIC),
	ONE(OP_ST, 0xa000, 0xe000, GENERIC),
	ONE(OP_LDS, 0xef48, 0xfff8, MEMORY, AT(F_U, 44, 1)),
	ONE(OP_STS, 0xef58, 0xfff8, MEMORY),
	ONE(OP_LDL, 0xef40, 0xfff8, MEMORY, AT(F_CACHE, 44, 2)),
	ONE(OP_STL, 0xef50, 0xfff8, MEMORY, AT(F_CACHE, 44, 2)),
	ONE(OP_LDC, 0xef90, 0xfff8, D, A, SIGNED_AT(F_OFFSET, 20, 16), AT(F_BANK, 36, 5),
	    AT(F_MODE, 44, 2), AT(F_SIZE, 48, 3)),
	ONE_REG(OP_ATOM, 0xed00, 0xff00, D, ATOMIC, AT(F_E, 48, 1), AT(F_SIZE, 49, 3),
		AT(F_OP, 52, 4)),
	ONE_REG(OP_ATOM_CAS, 0xeef0, 0xfff0, D, ATOMIC, AT(F_E, 48, 1), AT(F_SIZE, 49, 1)),
	ONE_REG(OP_ATOMS, 0xec00, 0xff00, D, A, SCALED_22(30), AT(F_SIZE, 28, 2), AT(F_OP, 52, 4)),
	ONE_REG(OP_ATOMS_CAS, 0xee40, 0xffe0, D, A, SCALED_22(30), AT(F_SIZE, 52, 1)),
	ONE(OP_RED, 0xebf8, 0xfff8, D, ATOMIC, AT(F_E, 48, 1), AT(F_SIZE, 20, 3), AT(F_OP, 23, 3)),
	ONE(OP_MEMBAR, 0xef98, 0xfff8, AT(F_OP, 0, 2), AT(F_MODE, 8, 2)),
	ONE(OP_CCTL, 0xef60, 0xffe0, A, AT(F_OP, 0, 4), AT(F_MODE, 4, 3),
	    { F_OFFSET, 22, 30, 0, 2, true }, AT(F_E, 52, 1)),
	ONE(OP_DEPBAR, 0xf0f0, 0xfff8, AT(F_LUT, 0, 6), AT(F_IMM, 20, 6), AT(F_OP, 26, 3),
	    AT(F_U, 29, 1)),

	/* control flow */
	LOW(OP_BRA, 0xe240, 0, 0xfff0, BIT(5), CCTEST, TARGET, AT(F_LMT, 6, 1), AT(F_U, 7, 1)),
	LOW(OP_BRX, 0xe250, 0, 0xfff0, BIT(5), CCTEST, A, TARGET, AT(F_LMT, 6, 1)),
	BARE(OP_SSY, 0xe290, TARGET),
	BARE(OP_PBK, 0xe2a0, TARGET),
	BARE(OP_PCNT, 0xe2b0, TARGET),
	BARE(OP_CAL, 0xe260, TARGET, AT(F_MODE, 6, 1)),
	BARE(OP_PRET, 0xe270, TARGET, AT(F_MODE, 6, 1)),
	ONE(OP_SYNC, 0xf0f8, 0xfff8, CCTEST),
	ONE(OP_BRK, 0xe340, 0xfff0, CCTEST),
	ONE(OP_CONT, 0xe350, 0xfff0, CCTEST),
	ONE(OP_RET, 0xe320, 0xfff0, CCTEST),
	ONE(OP_EXIT, 0xe300, 0xfff0, CCTEST, AT(F_U, 5, 1)),
	ONE(OP_KIL, 0xe330, 0xfff0, CCTEST),
#define BAR(b_imm, a_imm, a, b)                                                                    \
	LOW(OP_BAR, 0xf0a8, (u64)(b_imm) << 43 | (u64)(a_imm) << 44, 0xfff8, UINT64_C(3) << 43, a, \
	    b, PS, AT(F_MODE, 32, 2), AT(F_OP, 35, 2))
	BAR(0, 0, A, B),
	BAR(1, 0, A, AT(F_IMM_B, 20, 12)),
	BAR(0, 1, AT(F_IMM, 8, 8), B),
	BAR(1, 1, AT(F_IMM, 8, 8), AT(F_IMM_B, 20, 12)),
	ONE(OP_B2R, 0xf0b8, 0xfff8, D, A, AT(F_MODE, 32, 2), AT(F_PD, 45, 3)),
};

_Static_assert(F_COUNT <= 64, "sm_insn.has is a word");

static u64 part_bits(const struct sm_part *part)
{
	return (BIT_ULL(part->width) - 1) << part->lo | (part->top ? BIT_ULL(part->top) : 0);
}

static u32 part_get(const struct sm_part *part, u64 encoding)
{
	unsigned int width = part->width;
	u64 value = encoding >> part->lo & (BIT_ULL(width) - 1);

	if (part->top)
		value |= (encoding >> part->top & 1) << width++;
	if (part->is_signed && value >> (width - 1) & 1)
		value |= ~UINT64_C(0) << width;
	return (u32)(value << part->shift);
}

/* The fields of one list; returns the bits that they own. */
static u64 take(const struct sm_part *part, u64 encoding, struct sm_insn *insn)
{
	u64 known = 0;

	for (; part && part->field != F_COUNT; part++) {
		insn->f[part->field] = part_get(part, encoding);
		insn->has |= BIT_ULL(part->field);
		known |= part_bits(part);
	}
	return known;
}

bool sm_decode(u64 encoding, struct sm_insn *insn)
{
	for (const struct sm_opcode *row = opcodes; row < opcodes + ARRAY_SIZE(opcodes); row++) {
		u64 known = row->mask;

		if ((encoding & row->mask) != row->match)
			continue;
		*insn = (struct sm_insn){ .op = row->op, .opcode = row, .b = row->b, .c = row->c };
		known |= take(row->parts, encoding, insn);
		known |= take(row->operands, encoding, insn);
		if (!sm_has(insn, F_PRED))
			insn->f[F_PRED] = SM_PT;
		return !(encoding & ~known);
	}
	return false;
}

static bool put(const struct sm_part *part, const struct sm_insn *insn, u64 *encoding)
{
	for (; part && part->field != F_COUNT; part++) {
		u64 value = insn->f[part->field];

		if (part->is_signed)
			value = (u64)(s64)(s32)value;
		value >>= part->shift;
		*encoding |= (value & (BIT_ULL(part->width) - 1)) << part->lo;
		if (part->top)
			*encoding |= (value >> part->width & 1) << part->top;
		if (part_get(part, *encoding) != insn->f[part->field])
			return false;
	}
	return true;
}

bool sm_encode(const struct sm_insn *insn, u64 *encoding)
{
	*encoding = insn->opcode->match;
	return put(insn->opcode->parts, insn, encoding) &&
	       put(insn->opcode->operands, insn, encoding);
}

bool sm_opcode_next(struct sm_insn *insn)
{
	const struct sm_opcode *row = insn->opcode ? insn->opcode + 1 : opcodes;

	for (; row < opcodes + ARRAY_SIZE(opcodes); row++) {
		if (row->op != insn->op)
			continue;
		*insn = (struct sm_insn){ .op = row->op, .opcode = row, .b = row->b, .c = row->c };
		take(row->parts, row->match, insn);
		take(row->operands, row->match, insn);
		return true;
	}
	return false;
}

bool sm_control(u64 word, unsigned int slot, struct sm_control *control)
{
	u64 part = word >> (21 * slot);

	*control = (struct sm_control){
		.stall = (u32)bits(part, 3, 0),
		.yield = !bits(part, 4, 4),
		.write_barrier = (u32)bits(part, 7, 5),
		.read_barrier = (u32)bits(part, 10, 8),
		.wait_mask = (u32)bits(part, 16, 11),
		.reuse = (u32)bits(part, 20, 17),
	};
	return !(word >> 63) && control->write_barrier != 6 && control->read_barrier != 6;
}
