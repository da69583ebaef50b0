/* SPDX-License-Identifier: MIT */
/*
 * The shader core: fetch, decode, execute; control flow, barriers, special registers.
 *
 * Lanes of a warp that go different ways are put on a stack, as Maxwell and Pascal do it: SSY, PBK,
 * PCNT and CAL push where all lanes of now shall meet again; SYNC, BRK, CONT and RET take a lane
 * there; a branch that some lanes take pushes these, and the others go on first [INF]. Every live
 * lane is active or on the stack. Sources: envytools gm107.c and its CUDA documents, maxas,
 * Mesa nv50_ir; NVIDIA's SM_HWW_WARP_ESR for errors. In order, so control words only have a form.
 */
#include <string.h>

#include "sm_unit.h"

#define NOT_FETCHED 1

/* S2R and CS2R */
enum {
	SR_LANEID = 0x00,
	SR_CLOCK = 0x01,
	SR_VIRTID = 0x03,
	SR_TID = 0x20,
	SR_TID_X = 0x21,
	SR_TID_Z = 0x23,
	SR_CTAID_X = 0x25,
	SR_CTAID_Z = 0x27,
	SR_NTID = 0x28,
	SR_SWINLO = 0x30,
	SR_SMEMSZ = 0x32,
	SR_LWINLO = 0x34,
	SR_LMEMLOSZ = 0x36,
	SR_EQMASK = 0x38,
	SR_LTMASK = 0x39,
	SR_LEMASK = 0x3a,
	SR_GTMASK = 0x3b,
	SR_GEMASK = 0x3c,
	SR_CLOCKLO = 0x50,
	SR_CLOCKHI = 0x51,
	SR_GLOBALTIMERLO = 0x52,
	SR_GLOBALTIMERHI = 0x53,
};

/* F_MODE of BAR */
enum {
	BAR_SYNC = 0,
	BAR_ARRIVE = 1,
	BAR_RED = 2
};

enum {
	B2R_RESULT = 1
};

const char *sm_error_name(enum sm_error error)
{
	static const char *const names[] = {
		[SM_ERROR_NONE] = "NONE",
		[SM_STACK_ERROR] = "STACK_ERROR",
		[SM_API_STACK_ERROR] = "API_STACK_ERROR",
		[SM_RET_EMPTY_STACK_ERROR] = "RET_EMPTY_STACK_ERROR",
		[SM_PC_WRAP] = "PC_WRAP",
		[SM_MISALIGNED_PC] = "MISALIGNED_PC",
		[SM_PC_OVERFLOW] = "PC_OVERFLOW",
		[SM_MISALIGNED_IMMC_ADDR] = "MISALIGNED_IMMC_ADDR",
		[SM_MISALIGNED_REG] = "MISALIGNED_REG",
		[SM_ILLEGAL_INSTR_ENCODING] = "ILLEGAL_INSTR_ENCODING",
		[SM_ILLEGAL_SPH_INSTR_COMBO] = "ILLEGAL_SPH_INSTR_COMBO",
		[SM_ILLEGAL_INSTR_PARAM] = "ILLEGAL_INSTR_PARAM",
		[SM_INVALID_CONST_ADDR] = "INVALID_CONST_ADDR",
		[SM_OOR_REG] = "OOR_REG",
		[SM_OOR_ADDR] = "OOR_ADDR",
		[SM_MISALIGNED_ADDR] = "MISALIGNED_ADDR",
		[SM_INVALID_ADDR_SPACE] = "INVALID_ADDR_SPACE",
		[SM_ILLEGAL_INSTR_PARAM2] = "ILLEGAL_INSTR_PARAM2",
		[SM_INVALID_CONST_ADDR_LDC] = "INVALID_CONST_ADDR_LDC",
	};

	return (size_t)error < ARRAY_SIZE(names) ? names[error] : "unknown";
}

static u32 threads(const struct sm_cta *cta)
{
	return cta->ntid[0] * cta->ntid[1] * cta->ntid[2];
}

u32 sm_cta_warps(const struct sm_cta *cta)
{
	return (threads(cta) + SM_LANES - 1) / SM_LANES;
}

void sm_cta_init(struct sm_cta *cta)
{
	cta->warps = sm_cta_warps(cta);
	memset(cta->barrier, 0, sizeof(cta->barrier));
	for (unsigned int i = 0; i < SM_BARRIERS; i++)
		cta->barrier[i].all = true;
}

void sm_warp_start(struct sm_warp *warp, struct sm_cta *cta, u32 index, u32 pc, u8 *local)
{
	u32 left = threads(cta) - index * SM_LANES;

	memset(warp, 0, sizeof(*warp));
	warp->cta = cta;
	warp->index = index;
	warp->pc = pc;
	warp->live = left < SM_LANES ? BIT(left) - 1 : ~0u;
	warp->active = warp->live;
	warp->local = local;
	warp->bundle_pc = NOT_FETCHED;
}

enum sm_result sm_trap(struct sm_warp *warp, enum sm_error error, u64 va)
{
	warp->trap.error = error;
	warp->trap.pc = warp->pc;
	warp->trap.va = va;
	return SM_TRAP;
}

enum sm_result sm_read_constant(struct sm_warp *warp, u32 bank, u32 offset, enum sm_error error,
				u32 *word)
{
	switch (warp->cta->ops->constant(warp, bank, offset, word)) {
	case SM_MEM_OK:
		return SM_CONTINUE;
	case SM_MEM_FAULT:
		warp->fault.type = SM_CONSTANT;
		return SM_FAULT;
	case SM_MEM_OUT_OF_RANGE:
		break;
	}
	return sm_trap(warp, error, offset);
}

enum sm_error sm_check_registers(const struct sm_warp *warp, u32 index, u32 bytes)
{
	u32 count = (bytes + 3) / 4, limit = warp->cta->registers;

	if (index == SM_RZ)
		return SM_ERROR_NONE;
	if (index + count > (limit < SM_REGISTERS ? limit : SM_REGISTERS))
		return SM_OOR_REG;
	return index % count ? SM_MISALIGNED_REG : SM_ERROR_NONE;
}

static bool test_predicate(const struct sm_warp *warp, u32 index, bool not, unsigned int lane)
{
	return (index == SM_PT || warp->p[index] >> lane & 1) != not;
}

static void set_bit(u32 *mask, unsigned int lane, bool value)
{
	*mask = (*mask & ~BIT(lane)) | (u32)value << lane;
}

static void set_predicate(struct sm_warp *warp, u32 index, unsigned int lane, bool value)
{
	if (index != SM_PT)
		set_bit(&warp->p[index], lane, value);
}

static struct sm_flags get_flags(const struct sm_warp *warp, unsigned int lane)
{
	return (struct sm_flags){
		.z = warp->cc.z >> lane & 1,
		.s = warp->cc.s >> lane & 1,
		.c = warp->cc.c >> lane & 1,
		.o = warp->cc.o >> lane & 1,
		.c2 = warp->cc.c2 >> lane & 1,
	};
}

static void set_flags(struct sm_warp *warp, unsigned int lane, const struct sm_flags *flags)
{
	set_bit(&warp->cc.z, lane, flags->z);
	set_bit(&warp->cc.s, lane, flags->s);
	set_bit(&warp->cc.c, lane, flags->c);
	set_bit(&warp->cc.o, lane, flags->o);
	set_bit(&warp->cc.c2, lane, flags->c2);
}

/* What an arithmetic instruction reads; a constant is the same for all lanes. */
static void read_operands(const struct sm_warp *warp, const struct sm_insn *insn, u32 constant,
			  unsigned int lane, struct sm_lane *l)
{
	const u32 *f = insn->f;

	*l = (struct sm_lane){ .insn = insn };
	l->a = sm_read(warp, f[F_A], lane);
	l->b = insn->b == FROM_CONSTANT	   ? constant
	       : insn->b == FROM_IMMEDIATE ? f[F_IMM]
					   : sm_read(warp, f[F_B], lane);
	l->c = insn->c == FROM_CONSTANT ? constant : sm_read(warp, f[F_C], lane);
	if (sm_has(insn, F_PS))
		l->ps = test_predicate(warp, f[F_PS], f[F_PS_NOT], lane);
	if (sm_has(insn, F_PS2)) {
		l->ps2 = test_predicate(warp, f[F_PS2], f[F_PS2_NOT], lane);
		l->ps3 = test_predicate(warp, f[F_PS3], f[F_PS3_NOT], lane);
	}
	if (f[F_X] || sm_has(insn, F_CCTEST))
		l->cc = get_flags(warp, lane);
}

static void write_results(struct sm_warp *warp, const struct sm_insn *insn, unsigned int lane,
			  struct sm_lane *l)
{
	const u32 *f = insn->f;

	if (sm_has(insn, F_D))
		sm_write(warp, f[F_D], lane, l->d);
	if (sm_has(insn, F_PD))
		set_predicate(warp, f[F_PD], lane, l->pd);
	if (sm_has(insn, F_PD2))
		set_predicate(warp, f[F_PD2], lane, l->pd2);
	if (!f[F_CC])
		return;
	if (!l->keep_flags) {
		l->out.z = !l->d;
		l->out.s = l->d >> 31;
	}
	set_flags(warp, lane, &l->out);
}

/* The constant operand, if there is one and a lane that wants it. */
static enum sm_result operand_constant(struct sm_warp *warp, const struct sm_insn *insn, u32 lanes,
				       u32 *constant)
{
	*constant = 0;
	if (!lanes || (insn->b != FROM_CONSTANT && insn->c != FROM_CONSTANT))
		return SM_CONTINUE;
	return sm_read_constant(warp, insn->f[F_BANK], insn->f[F_OFFSET], SM_INVALID_CONST_ADDR,
				constant);
}

static enum sm_result arithmetic(struct sm_warp *warp, const struct sm_insn *insn, sm_lane_op *op,
				 u32 lanes)
{
	u32 constant;
	enum sm_result result = operand_constant(warp, insn, lanes, &constant);

	if (result != SM_CONTINUE)
		return result;
	for_each_lane (lane, lanes) {
		struct sm_lane l;

		read_operands(warp, insn, constant, lane, &l);
		op(&l);
		if (l.illegal)
			return sm_trap(warp, SM_ILLEGAL_INSTR_ENCODING, 0);
		write_results(warp, insn, lane, &l);
	}
	return SM_CONTINUE;
}

static u32 thread_id(const struct sm_warp *warp, unsigned int lane, unsigned int axis)
{
	const u32 *n = warp->cta->ntid;
	u32 linear = warp->index * SM_LANES + lane;
	const u32 id[] = { linear % n[0], linear / n[0] % n[1], linear / n[0] / n[1] };

	return id[axis];
}

static bool special_register(struct sm_warp *warp, u32 index, unsigned int lane, u32 *value)
{
	const struct sm_cta *cta = warp->cta;
	u64 time;

	switch (index) {
	case SR_LANEID:
		*value = lane;
		return true;
	case SR_VIRTID:
		*value = warp->index << 8 | cta->smid << 20;
		return true;
	case SR_TID:
		*value = thread_id(warp, lane, 0) | thread_id(warp, lane, 1) << 16 |
			 thread_id(warp, lane, 2) << 26;
		return true;
	case SR_TID_X ... SR_TID_Z:
		*value = thread_id(warp, lane, index - SR_TID_X);
		return true;
	case SR_CTAID_X ... SR_CTAID_Z:
		*value = cta->ctaid[index - SR_CTAID_X];
		return true;
	case SR_NTID:
		*value = cta->ntid[0] | cta->ntid[1] << 16 | cta->ntid[2] << 26;
		return true;
	case SR_SWINLO:
		*value = (u32)cta->shared_window;
		return true;
	case SR_SMEMSZ:
		*value = cta->shared_bytes;
		return true;
	case SR_LWINLO:
		*value = (u32)cta->local_window;
		return true;
	case SR_LMEMLOSZ:
		*value = cta->local_bytes;
		return true;
	case SR_EQMASK:
		*value = BIT(lane);
		return true;
	case SR_LTMASK:
		*value = BIT(lane) - 1;
		return true;
	case SR_LEMASK:
		*value = BIT(lane) | (BIT(lane) - 1);
		return true;
	case SR_GTMASK:
		*value = ~(BIT(lane) | (BIT(lane) - 1));
		return true;
	case SR_GEMASK:
		*value = ~(BIT(lane) - 1);
		return true;
	case SR_CLOCK:
	case SR_CLOCKLO:
	case SR_CLOCKHI:
	case SR_GLOBALTIMERLO:
	case SR_GLOBALTIMERHI:
		time = cta->ops->time(warp);
		*value = index == SR_CLOCKHI || index == SR_GLOBALTIMERHI ? (u32)(time >> 32)
									  : (u32)time;
		return true;
	default:
		return false;
	}
}

static enum sm_result read_special(struct sm_warp *warp, const struct sm_insn *insn, u32 lanes)
{
	u32 value;

	for_each_lane (lane, lanes) {
		if (!special_register(warp, insn->f[F_IMM], lane, &value))
			return sm_trap(warp, SM_ILLEGAL_INSTR_PARAM, 0);
		sm_write(warp, insn->f[F_D], lane, value);
	}
	return SM_CONTINUE;
}

static void read_pc(struct sm_warp *warp, const struct sm_insn *insn, u32 lanes)
{
	for_each_lane (lane, lanes)
		sm_write(warp, insn->f[F_D], lane, warp->pc);
}

/* All lanes read before any writes. C is a clamp in 4:0 and a mask of segments in 12:8. */
static void shuffle(struct sm_warp *warp, const struct sm_insn *insn, u32 lanes)
{
	u32 from[SM_LANES];

	for (unsigned int lane = 0; lane < SM_LANES; lane++)
		from[lane] = sm_read(warp, insn->f[F_A], lane);
	for_each_lane (lane, lanes) {
		u32 b = sm_has(insn, F_IMM_B) ? insn->f[F_IMM_B]
					      : sm_read(warp, insn->f[F_B], lane) & 31;
		u32 c = sm_has(insn, F_IMM_C) ? insn->f[F_IMM_C]
					      : sm_read(warp, insn->f[F_C], lane);
		u32 segment = c >> 8 & 31, clamp = c & 31, first = lane & segment;
		u32 last = first | (clamp & ~segment);
		const u32 sources[] = { first | (b & ~segment), lane - b, lane + b, lane ^ b };
		u32 source = sources[insn->f[F_OP]];
		/* UP clamps at the lower end */
		bool valid = insn->f[F_OP] == 1 ? (s32)source >= (s32)last : source <= last;

		sm_write(warp, insn->f[F_D], lane, from[valid ? source & 31 : lane]);
		set_predicate(warp, insn->f[F_PD], lane, valid);
	}
}

static enum sm_result vote(struct sm_warp *warp, const struct sm_insn *insn, u32 lanes)
{
	u32 ballot = 0;
	bool all, any;

	for_each_lane (lane, lanes)
		set_bit(&ballot, lane,
			test_predicate(warp, insn->f[F_PS], insn->f[F_PS_NOT], lane));
	all = ballot == lanes;
	any = ballot;
	if (insn->f[F_OP] > 2)
		return sm_trap(warp, SM_ILLEGAL_INSTR_ENCODING, 0);
	for_each_lane (lane, lanes) {
		const bool results[] = { all, any, all || !any };

		sm_write(warp, insn->f[F_D], lane, ballot);
		set_predicate(warp, insn->f[F_PD], lane, results[insn->f[F_OP]]);
	}
	return SM_CONTINUE;
}

/* P2R and R2P: predicates, or Z, S, C, O, as a byte of a register under a mask. */
static enum sm_result move_predicates(struct sm_warp *warp, const struct sm_insn *insn, u32 lanes)
{
	u32 *const flags[] = { &warp->cc.z, &warp->cc.s, &warp->cc.c, &warp->cc.o };
	bool cc = insn->f[F_MODE];
	u32 count = cc ? ARRAY_SIZE(flags) : SM_PT, shift = 8 * insn->f[F_SELECT], constant;
	enum sm_result result = operand_constant(warp, insn, lanes, &constant);

	if (result != SM_CONTINUE)
		return result;
	for_each_lane (lane, lanes) {
		u32 mask = insn->b == FROM_CONSTANT    ? constant
			   : insn->b == FROM_IMMEDIATE ? insn->f[F_IMM]
						       : sm_read(warp, insn->f[F_B], lane);
		u32 a = sm_read(warp, insn->f[F_A], lane);

		for (u32 i = 0; i < count; i++) {
			u32 *bits = cc ? flags[i] : &warp->p[i];

			if (!(mask >> i & 1))
				continue;
			if (insn->op == OP_P2R)
				set_bit(&a, shift + i, *bits >> lane & 1);
			else
				set_bit(bits, lane, a >> (shift + i) & 1);
		}
		if (insn->op == OP_P2R)
			sm_write(warp, insn->f[F_D], lane, a);
	}
	return SM_CONTINUE;
}

/* All that a barrier waits for have come. */
static void complete(struct sm_barrier *barrier, u32 op)
{
	const u32 results[] = { barrier->popc, barrier->all, barrier->any };
	u32 phase = barrier->phase + 1;

	*barrier = (struct sm_barrier){ .phase = phase,
					.all = true,
					.result = op < ARRAY_SIZE(results) ? results[op] : 0 };
}

static bool is_complete(const struct sm_cta *cta, const struct sm_barrier *barrier)
{
	return barrier->arrived &&
	       barrier->arrived >= (barrier->expected ? barrier->expected : cta->warps);
}

static enum sm_result arrive(struct sm_warp *warp, const struct sm_insn *insn, u32 lanes)
{
	unsigned int first = (unsigned int)__builtin_ctz(lanes);
	u32 mode = insn->f[F_MODE];
	u32 id = sm_has(insn, F_IMM) ? insn->f[F_IMM] : sm_read(warp, insn->f[F_A], first);
	u32 count = sm_has(insn, F_IMM_B) ? insn->f[F_IMM_B] : sm_read(warp, insn->f[F_B], first);
	struct sm_barrier *barrier;

	if (mode > BAR_RED || insn->f[F_OP] > 2 || (mode != BAR_RED && insn->f[F_OP]))
		return sm_trap(warp, SM_ILLEGAL_INSTR_ENCODING, 0);
	if (id >= warp->cta->barriers || id >= SM_BARRIERS || count % SM_LANES)
		return sm_trap(warp, SM_ILLEGAL_INSTR_PARAM, 0);
	barrier = &warp->cta->barrier[id];
	warp->waiting = mode != BAR_ARRIVE;
	warp->barrier = id;
	warp->barrier_phase = barrier->phase;
	barrier->arrived++;
	barrier->expected = count / SM_LANES;
	barrier->op = insn->f[F_OP];
	for_each_lane (lane, lanes) {
		bool vote = test_predicate(warp, insn->f[F_PS], insn->f[F_PS_NOT], lane);

		barrier->popc += vote;
		barrier->all = barrier->all && vote;
		barrier->any = barrier->any || vote;
	}
	if (is_complete(warp->cta, barrier))
		complete(barrier, barrier->op);
	return SM_CONTINUE;
}

static enum sm_result barrier(struct sm_warp *warp, const struct sm_insn *insn, u32 lanes)
{
	const struct sm_barrier *at;

	if (!lanes)
		return SM_CONTINUE;
	if (!warp->waiting) {
		enum sm_result result = arrive(warp, insn, lanes);

		if (result != SM_CONTINUE || !warp->waiting)
			return result;
	}
	at = &warp->cta->barrier[warp->barrier];
	if (at->phase == warp->barrier_phase)
		return SM_WAIT;
	warp->waiting = false;
	warp->barrier_result = at->result;
	return SM_CONTINUE;
}

static enum sm_result barrier_result(struct sm_warp *warp, const struct sm_insn *insn, u32 lanes)
{
	if (insn->f[F_MODE] != B2R_RESULT)
		return sm_trap(warp, SM_ILLEGAL_INSTR_ENCODING, 0);
	for_each_lane (lane, lanes) {
		sm_write(warp, insn->f[F_D], lane, warp->barrier_result);
		set_predicate(warp, insn->f[F_PD], lane, warp->barrier_result);
	}
	return SM_CONTINUE;
}

static enum sm_result push(struct sm_warp *warp, enum sm_stack_kind kind, u32 pc, u32 lanes)
{
	if (warp->depth == SM_STACK)
		return sm_trap(warp, SM_STACK_ERROR, 0);
	warp->stack[warp->depth++] =
		(struct sm_stack_entry){ .kind = kind, .pc = pc, .lanes = lanes };
	return SM_CONTINUE;
}

/* Nobody is active: go on with what is on top of the stack. */
static enum sm_result unwind(struct sm_warp *warp)
{
	struct sm_cta *cta = warp->cta;

	while (warp->depth) {
		const struct sm_stack_entry *entry = &warp->stack[--warp->depth];

		warp->active = entry->lanes & warp->live;
		warp->pc = entry->pc;
		if (warp->active)
			return SM_CONTINUE;
	}
	/* the last lane has exited: who waits for the rest of the CTA waits for one less */
	cta->warps--;
	for (unsigned int i = 0; i < SM_BARRIERS; i++)
		if (is_complete(cta, &cta->barrier[i]))
			complete(&cta->barrier[i], cta->barrier[i].op);
	return SM_EXIT;
}

/* Lanes go to where the topmost entry of a kind says, and wait there for the others of it. */
static enum sm_result leave(struct sm_warp *warp, enum sm_stack_kind kind, u32 lanes)
{
	u32 at = warp->depth;

	while (at && warp->stack[at - 1].kind != kind)
		at--;
	if (!at)
		return sm_trap(warp, kind == SM_CALL ? SM_RET_EMPTY_STACK_ERROR : SM_STACK_ERROR,
			       0);
	for (; at < warp->depth; at++)
		warp->stack[at].lanes &= ~lanes;
	warp->active &= ~lanes;
	if (warp->active) {
		warp->pc += 8;
		return SM_CONTINUE;
	}
	return unwind(warp);
}

static enum sm_result leave_program(struct sm_warp *warp, u32 lanes)
{
	warp->live &= ~lanes;
	warp->active &= ~lanes;
	if (warp->active) {
		warp->pc += 8;
		return SM_CONTINUE;
	}
	return unwind(warp);
}

static enum sm_result branch(struct sm_warp *warp, u32 target, u32 lanes)
{
	u32 others = warp->active & ~lanes;

	if (!others) {
		warp->pc = target;
		return SM_CONTINUE;
	}
	if (lanes) {
		enum sm_result result = push(warp, SM_DIVERGED, target, lanes);

		if (result != SM_CONTINUE)
			return result;
		warp->active = others;
	}
	warp->pc += 8;
	return SM_CONTINUE;
}

/* Lanes with the same target go together, the first of them first. */
static enum sm_result branch_indirect(struct sm_warp *warp, const struct sm_insn *insn, u32 lanes)
{
	u32 base = warp->pc + 8 + insn->f[F_OFFSET], together = 0, target;

	if (!lanes) {
		warp->pc += 8;
		return SM_CONTINUE;
	}
	target = base + sm_read(warp, insn->f[F_A], (unsigned int)__builtin_ctz(lanes));
	for_each_lane (lane, lanes)
		if (base + sm_read(warp, insn->f[F_A], lane) == target)
			together |= BIT(lane);
	/* the rest executes this instruction once more */
	if (warp->active & ~together) {
		enum sm_result result = push(warp, SM_DIVERGED, warp->pc, warp->active & ~together);

		if (result != SM_CONTINUE)
			return result;
	}
	warp->active = together;
	warp->pc = target;
	return SM_CONTINUE;
}

/* Those of the lanes for which F_CCTEST holds, too. */
static bool filter_by_cc(const struct sm_warp *warp, const struct sm_insn *insn, u32 *lanes)
{
	for_each_lane (lane, *lanes) {
		struct sm_flags flags = get_flags(warp, lane);
		bool holds;

		if (!sm_cc_test(&flags, insn->f[F_CCTEST], &holds))
			return false;
		if (!holds)
			*lanes &= ~BIT(lane);
	}
	return true;
}

static enum sm_result push_target(struct sm_warp *warp, enum sm_stack_kind kind, u32 target)
{
	enum sm_result result = push(warp, kind, target, warp->active);

	if (result == SM_CONTINUE)
		warp->pc += 8;
	return result;
}

/* Control flow: these set the pc themselves. */
static bool is_control(enum sm_op op)
{
	return op >= OP_BRA && op <= OP_KIL;
}

static enum sm_result control(struct sm_warp *warp, const struct sm_insn *insn, u32 lanes)
{
	u32 target = warp->pc + 8 + insn->f[F_OFFSET];
	enum sm_result result;

	if (sm_has(insn, F_CCTEST) && !filter_by_cc(warp, insn, &lanes))
		return sm_trap(warp, SM_ILLEGAL_INSTR_ENCODING, 0);
	switch (insn->op) {
	case OP_BRA:
		return branch(warp, target, lanes);
	case OP_BRX:
		return branch_indirect(warp, insn, lanes);
	case OP_SSY:
		return push_target(warp, SM_SSY, target);
	case OP_PBK:
		return push_target(warp, SM_PBK, target);
	case OP_PCNT:
		return push_target(warp, SM_PCNT, target);
	case OP_PRET:
		return push_target(warp, SM_CALL, target);
	case OP_CAL:
		result = push(warp, SM_CALL, warp->pc + 8, warp->active);
		if (result == SM_CONTINUE)
			warp->pc = target;
		return result;
	default:
		break;
	}
	if (!lanes) {
		warp->pc += 8;
		return SM_CONTINUE;
	}
	switch (insn->op) {
	case OP_SYNC:
		return leave(warp, SM_SSY, lanes);
	case OP_BRK:
		return leave(warp, SM_PBK, lanes);
	case OP_CONT:
		return leave(warp, SM_PCNT, lanes);
	case OP_RET:
		return leave(warp, SM_CALL, lanes);
	default: /* EXIT, KIL */
		return leave_program(warp, lanes);
	}
}

/* What is neither arithmetic nor control flow. */
static enum sm_result other(struct sm_warp *warp, const struct sm_insn *insn, u32 lanes)
{
	if (sm_is_memory(insn->op))
		return sm_memory(warp, insn, lanes);
	switch (insn->op) {
	case OP_S2R:
	case OP_CS2R:
		return read_special(warp, insn, lanes);
	case OP_LEPC:
		read_pc(warp, insn, lanes);
		return SM_CONTINUE;
	case OP_SHFL:
		shuffle(warp, insn, lanes);
		return SM_CONTINUE;
	case OP_VOTE:
		return vote(warp, insn, lanes);
	case OP_P2R:
	case OP_R2P:
		return move_predicates(warp, insn, lanes);
	case OP_BAR:
		return barrier(warp, insn, lanes);
	case OP_B2R:
		return barrier_result(warp, insn, lanes);
	case OP_CCTL:
		return sm_cache_control(warp, insn, lanes);
	default: /* NOP; MEMBAR, DEPBAR: all is in order */
		return SM_CONTINUE;
	}
}

/* Have the bundle of pc. A control word is no instruction: pc goes over it. */
static enum sm_result fetch(struct sm_warp *warp)
{
	u32 start;

	warp->trap.encoding = 0;
	if (warp->pc % 8)
		return sm_trap(warp, SM_MISALIGNED_PC, warp->pc);
	if (!(warp->pc % SM_BUNDLE_BYTES))
		warp->pc += 8;
	start = warp->pc & ~(u32)(SM_BUNDLE_BYTES - 1);
	if (warp->bundle_pc == start)
		return SM_CONTINUE;
	warp->bundle_pc = NOT_FETCHED;
	switch (warp->cta->ops->fetch(warp, start, warp->bundle)) {
	case SM_MEM_OK:
		warp->bundle_pc = start;
		return SM_CONTINUE;
	case SM_MEM_FAULT:
		warp->fault.type = SM_FETCH;
		return SM_FAULT;
	case SM_MEM_OUT_OF_RANGE:
		break;
	}
	return sm_trap(warp, SM_PC_OVERFLOW, warp->pc);
}

static bool decode(struct sm_warp *warp, struct sm_insn *insn)
{
	u32 slot = warp->pc % SM_BUNDLE_BYTES / 8;
	struct sm_control ctl;

	warp->trap.encoding = warp->bundle[slot];
	return sm_control(warp->bundle[0], slot - 1, &ctl) && sm_decode(warp->bundle[slot], insn);
}

static enum sm_error check_operands(const struct sm_warp *warp, const struct sm_insn *insn)
{
	static const enum sm_field registers[] = { F_D, F_A, F_B, F_C };

	for (size_t i = 0; i < ARRAY_SIZE(registers); i++) {
		enum sm_error error = SM_ERROR_NONE;

		if (sm_has(insn, registers[i]))
			error = sm_check_registers(warp, insn->f[registers[i]], 4);
		if (error)
			return error;
	}
	return SM_ERROR_NONE;
}

static u32 guarded_lanes(const struct sm_warp *warp, const struct sm_insn *insn)
{
	u32 pred = insn->f[F_PRED];
	u32 lanes = pred == SM_PT ? ~0u : warp->p[pred];

	return warp->active & (insn->f[F_PRED_NOT] ? ~lanes : lanes);
}

enum sm_result sm_step(struct sm_warp *warp)
{
	struct sm_insn insn;
	enum sm_result result;
	enum sm_error error;
	sm_lane_op *op;
	u32 lanes;

	if (warp->trap.error)
		return SM_TRAP;
	if (!warp->live)
		return SM_EXIT;
	result = fetch(warp);
	if (result != SM_CONTINUE)
		return result;
	if (!decode(warp, &insn))
		return sm_trap(warp, SM_ILLEGAL_INSTR_ENCODING, 0);
	error = check_operands(warp, &insn);
	if (error)
		return sm_trap(warp, error, 0);
	lanes = guarded_lanes(warp, &insn);
	if (is_control(insn.op))
		return control(warp, &insn, lanes);
	op = sm_integer_op(insn.op);
	if (!op)
		op = sm_float_op(insn.op);
	result = op ? arithmetic(warp, &insn, op, lanes) : other(warp, &insn, lanes);
	if (result == SM_CONTINUE)
		warp->pc += 8;
	return result;
}
