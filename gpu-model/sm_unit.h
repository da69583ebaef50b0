/* SPDX-License-Identifier: MIT */
/* What the files of the shader core share: one lane's view of an arithmetic instruction, and more. */
#ifndef SM_UNIT_H
#define SM_UNIT_H

#include "sm_insn.h"

struct sm_flags {
	bool z, s, c, o;
	bool c2; /* three operands can carry twice; only IADD3 keeps and uses this one [INF] */
};

struct sm_lane {
	const struct sm_insn *insn;
	u32 a, b, c;
	bool ps, ps2, ps3; /* source predicates, negated if the instruction says so */
	struct sm_flags cc;

	u32 d;
	bool pd, pd2;
	struct sm_flags out; /* z and s are made from d, unless keep_flags */
	bool keep_flags;
	bool illegal; /* the fields make no instruction that is known */
};

typedef void sm_lane_op(struct sm_lane *lane);

/* The operation, or NULL if it is of another kind. */
sm_lane_op *sm_integer_op(enum sm_op op);
sm_lane_op *sm_float_op(enum sm_op op);

/* One of the tests that BRA, SYNC, CSETP ... name in F_CCTEST; false: there is no such test. */
bool sm_cc_test(const struct sm_flags *flags, u32 test, bool *result);

/* a OP b, as F_BOOL and F_BOOL2 number them */
static inline bool sm_bool(u32 op, bool a, bool b)
{
	return op == 0 ? a && b : op == 1 ? a || b : a != b;
}

static inline bool sm_field(const struct sm_lane *lane, enum sm_field field)
{
	return lane->insn->f[field];
}

/* sm_exec.c: for the instructions of sm_mem.c and the others that work on a warp */
enum sm_result sm_trap(struct sm_warp *warp, enum sm_error error, u64 va);
enum sm_result sm_read_constant(struct sm_warp *warp, u32 bank, u32 offset, enum sm_error error,
				u32 *word);

static inline u32 sm_read(const struct sm_warp *warp, u32 index, unsigned int lane)
{
	return index < SM_REGISTERS ? warp->r[index][lane] : 0;
}

static inline void sm_write(struct sm_warp *warp, u32 index, unsigned int lane, u32 value)
{
	if (index < SM_REGISTERS)
		warp->r[index][lane] = value;
}

#define for_each_lane(lane, lanes)                           \
	for (unsigned int lane = 0; lane < SM_LANES; lane++) \
		if (!((lanes) >> lane & 1))                  \
			continue;                            \
		else

/* Registers for a value of that many bytes at index: SM_ERROR_NONE, or what is wrong. */
enum sm_error sm_check_registers(const struct sm_warp *warp, u32 index, u32 bytes);

/* sm_mem.c: for the lanes of the mask; SM_CONTINUE when all are done */
bool sm_is_memory(enum sm_op op);
/* CCTL: no more than prefetches, as nothing is cached. */
enum sm_result sm_cache_control(struct sm_warp *warp, const struct sm_insn *insn, u32 lanes);
enum sm_result sm_memory(struct sm_warp *warp, const struct sm_insn *insn, u32 lanes);

#endif
