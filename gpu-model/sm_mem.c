/* SPDX-License-Identifier: MIT */
/*
 * The shader core's loads, stores and atomics. An instruction goes in three steps: addresses and
 * what is to be written, for all lanes; checks of these; then the accesses. So a warp that traps
 * has done nothing, and one that faults has kept all that it needs to go on.
 */
#include <string.h>

#include "sm_unit.h"

enum space {
	GLOBAL,
	GENERIC, /* global, but for the windows */
	SHARED,
	LOCAL,
	CONSTANT
};

/* Sizes as F_SIZE numbers them for loads and stores. */
static const struct {
	u8 bytes;
	bool is_signed;
} sizes[] = { { 1, false }, { 1, true },  { 2, false }, { 2, true },
	      { 4, false }, { 8, false }, { 16, false } };

static const struct {
	u8 space, type;
	bool known;
} kinds[OP_COUNT] = {
	[OP_LDG] = { GLOBAL, SM_LOAD, true },	     [OP_STG] = { GLOBAL, SM_STORE, true },
	[OP_LD] = { GENERIC, SM_LOAD, true },	     [OP_ST] = { GENERIC, SM_STORE, true },
	[OP_LDS] = { SHARED, SM_LOAD, true },	     [OP_STS] = { SHARED, SM_STORE, true },
	[OP_LDL] = { LOCAL, SM_LOAD, true },	     [OP_STL] = { LOCAL, SM_STORE, true },
	[OP_LDC] = { CONSTANT, SM_LOAD, true },	     [OP_ATOM] = { GLOBAL, SM_ATOMIC, true },
	[OP_ATOM_CAS] = { GLOBAL, SM_ATOMIC, true }, [OP_RED] = { GLOBAL, SM_ATOMIC, true },
	[OP_ATOMS] = { SHARED, SM_ATOMIC, true },    [OP_ATOMS_CAS] = { SHARED, SM_ATOMIC, true },
};

bool sm_is_memory(enum sm_op op)
{
	return kinds[op].known;
}

static u64 mask_of(u32 bytes)
{
	return bytes < 8 ? BIT_ULL(8 * bytes) - 1 : ~UINT64_C(0);
}

static u64 get64(const u32 data[4])
{
	return (u64)data[1] << 32 | data[0];
}

static u64 float_sum(u64 old, u64 value)
{
	u32 bits[2] = { (u32)old, (u32)value };
	float f[2];

	memcpy(f, bits, sizeof(f));
	f[0] += f[1];
	memcpy(bits, f, sizeof(bits));
	return bits[0];
}

u64 sm_atomic_result(const struct sm_access *access, unsigned int lane, u64 old)
{
	u64 mask = mask_of(access->bytes), sign = mask ^ mask >> 1;
	u64 value = get64(access->data[lane]) & mask;
	bool is_signed = access->atomic_type == SM_ATOM_S32 || access->atomic_type == SM_ATOM_S64;
	bool less;

	old &= mask;
	less = is_signed ? (value ^ sign) < (old ^ sign) : value < old;
	switch (access->op) {
	case SM_ATOM_ADD:
		return access->atomic_type == SM_ATOM_F32 ? float_sum(old, value)
							  : (old + value) & mask;
	case SM_ATOM_MIN:
		return less ? value : old;
	case SM_ATOM_MAX:
		return less ? old : value;
	case SM_ATOM_INC:
		return old >= value ? 0 : old + 1;
	case SM_ATOM_DEC:
		return !old || old > value ? value : old - 1;
	case SM_ATOM_AND:
		return old & value;
	case SM_ATOM_OR:
		return old | value;
	case SM_ATOM_XOR:
		return old ^ value;
	case SM_ATOM_EXCH:
		return value;
	case SM_ATOM_CAS:
		return old == (access->compare[lane] & mask) ? value : old;
	}
	return old;
}

/* Which atomic it is; false: there is none such. */
static bool atomic_kind(const struct sm_insn *insn, struct sm_access *access)
{
	static const enum sm_atomic_type global[] = { SM_ATOM_U32, SM_ATOM_S32, SM_ATOM_U64,
						      SM_ATOM_F32, SM_ATOM_U64, SM_ATOM_S64 };
	static const enum sm_atomic_type shared[] = { SM_ATOM_U32, SM_ATOM_S32, SM_ATOM_U64,
						      SM_ATOM_S64 };
	u32 size = insn->f[F_SIZE], op = insn->f[F_OP];

	if (insn->op == OP_ATOM_CAS || insn->op == OP_ATOMS_CAS) {
		op = SM_ATOM_CAS;
		access->atomic_type = size ? SM_ATOM_U64 : SM_ATOM_U32;
	} else if (op > SM_ATOM_EXCH) {
		return false;
	} else if (insn->op == OP_ATOMS) {
		access->atomic_type = shared[size];
	} else if (size == 4 || size >= ARRAY_SIZE(global)) {
		return false;
	} else {
		access->atomic_type = global[size];
	}
	access->op = op;
	access->bytes =
		access->atomic_type == SM_ATOM_U64 || access->atomic_type == SM_ATOM_S64 ? 8 : 4;
	if (access->atomic_type == SM_ATOM_F32)
		return access->op == SM_ATOM_ADD;
	if (access->op == SM_ATOM_INC || access->op == SM_ATOM_DEC)
		return access->atomic_type == SM_ATOM_U32;
	return true;
}

static bool access_kind(const struct sm_insn *insn, struct sm_access *access)
{
	access->type = kinds[insn->op].type;
	if (access->type == SM_ATOMIC)
		return atomic_kind(insn, access);
	if (insn->f[F_SIZE] >= ARRAY_SIZE(sizes))
		return false;
	access->bytes = sizes[insn->f[F_SIZE]].bytes;
	return true;
}

/* The registers of data: those of B for an atomic with a result, else those of D. */
static u32 data_register(const struct sm_insn *insn)
{
	return sm_has(insn, F_B) ? insn->f[F_B] : insn->f[F_D];
}

static enum sm_error check_registers(const struct sm_warp *warp, const struct sm_insn *insn,
				     u32 bytes)
{
	u32 operands = insn->op == OP_ATOM_CAS || insn->op == OP_ATOMS_CAS ? 2 : 1;
	enum sm_error error = sm_check_registers(warp, insn->f[F_A], insn->f[F_E] ? 8 : 4);

	if (!error)
		error = sm_check_registers(warp, insn->f[F_D], bytes);
	if (!error && sm_has(insn, F_B))
		error = sm_check_registers(warp, insn->f[F_B], bytes * operands);
	return error;
}

static u64 address_of(const struct sm_warp *warp, const struct sm_insn *insn, unsigned int lane)
{
	u32 a = insn->f[F_A];
	u64 offset = (u64)(s64)(s32)insn->f[F_OFFSET];

	if (!insn->f[F_E])
		return (u32)(sm_read(warp, a, lane) + offset);
	if (a == SM_RZ)
		return offset;
	return ((u64)sm_read(warp, a + 1, lane) << 32 | sm_read(warp, a, lane)) + offset;
}

static void gather(const struct sm_warp *warp, const struct sm_insn *insn, unsigned int lane,
		   struct sm_access *access)
{
	u32 first = data_register(insn), words = (access->bytes + 3) / 4;

	memset(access->data[lane], 0, sizeof(access->data[lane]));
	access->compare[lane] = 0;
	if (access->type == SM_LOAD || first == SM_RZ)
		return;
	for (u32 i = 0; i < words; i++)
		access->data[lane][i] = sm_read(warp, first + i, lane);
	if (access->op == SM_ATOM_CAS && access->type == SM_ATOMIC) {
		access->compare[lane] = get64(access->data[lane]);
		for (u32 i = 0; i < words; i++)
			access->data[lane][i] = sm_read(warp, first + words + i, lane);
	}
}

/* A load's or an atomic's result goes to D. */
static void scatter(struct sm_warp *warp, const struct sm_insn *insn, unsigned int lane,
		    const struct sm_access *access)
{
	u32 first = insn->f[F_D], low = access->data[lane][0];

	if (access->type == SM_STORE || insn->op == OP_RED || first == SM_RZ)
		return;
	if (access->bytes < 4) {
		u32 mask = BIT(8 * access->bytes) - 1;

		low &= mask;
		if (sizes[insn->f[F_SIZE]].is_signed && low > mask >> 1)
			low |= ~mask;
	}
	sm_write(warp, first, lane, low);
	for (u32 i = 1; i < access->bytes / 4; i++)
		sm_write(warp, first + i, lane, access->data[lane][i]);
}

/*
 * Where a lane's memory is that is not in the GPU's address space: near is NULL for what is.
 * false: beyond its end.
 */
static bool resolve(const struct sm_warp *warp, enum space space, unsigned int lane,
		    const struct sm_access *access, u8 **near)
{
	const struct sm_cta *cta = warp->cta;
	u64 at = access->va[lane];
	u32 size = cta->shared_bytes;
	u8 *memory = cta->shared;

	*near = NULL;
	if (space == GENERIC && at - cta->shared_window < SM_WINDOW_BYTES) {
		at -= cta->shared_window;
		space = SHARED;
	} else if (space == GENERIC && at - cta->local_window < SM_WINDOW_BYTES) {
		at -= cta->local_window;
		space = LOCAL;
	}
	if (space == LOCAL) {
		size = cta->local_bytes;
		memory = warp->local ? warp->local + (size_t)lane * size : NULL;
	} else if (space != SHARED) {
		return true;
	}
	if (!memory || at >= size || access->bytes > size - at)
		return false;
	*near = memory + at;
	return true;
}

static void access_near(struct sm_access *access, unsigned int lane, u8 *memory)
{
	u64 old = 0, result;

	switch (access->type) {
	case SM_STORE:
		memcpy(memory, access->data[lane], access->bytes);
		break;
	case SM_ATOMIC:
		memcpy(&old, memory, access->bytes);
		result = sm_atomic_result(access, lane, old);
		memcpy(memory, &result, access->bytes);
		memcpy(access->data[lane], &old, sizeof(old));
		break;
	default:
		memcpy(access->data[lane], memory, access->bytes);
	}
}

/* Lanes with a constant's value read it all before any of them writes its register. */
static enum sm_result load_constant(struct sm_warp *warp, const struct sm_insn *insn, u32 lanes)
{
	struct sm_access *access = &warp->access;

	if (insn->f[F_MODE])
		return sm_trap(warp, SM_ILLEGAL_INSTR_ENCODING, 0);
	for_each_lane (lane, lanes) {
		u64 at = access->va[lane];

		for (u32 i = 0; i < (access->bytes + 3) / 4; i++) {
			enum sm_result result = SM_CONTINUE;

			if (at + access->bytes > 0x10000)
				return sm_trap(warp, SM_INVALID_CONST_ADDR_LDC, at);
			result = sm_read_constant(
				warp, insn->f[F_BANK], (u32)(at & ~UINT64_C(3)) + 4 * i,
				SM_INVALID_CONST_ADDR_LDC, &access->data[lane][i]);
			if (result != SM_CONTINUE)
				return result;
		}
		access->data[lane][0] >>= 8 * (at & 3);
	}
	for_each_lane (lane, lanes)
		scatter(warp, insn, lane, access);
	return SM_CONTINUE;
}

static enum sm_result begin(struct sm_warp *warp, const struct sm_insn *insn, u32 lanes)
{
	struct sm_access *access = &warp->access;
	enum space space = kinds[insn->op].space;
	u8 *near[SM_LANES];
	enum sm_error error;

	if (!access_kind(insn, access))
		return sm_trap(warp, SM_ILLEGAL_INSTR_ENCODING, 0);
	error = check_registers(warp, insn, access->bytes);
	if (error)
		return sm_trap(warp, error, 0);
	for_each_lane (lane, lanes) {
		access->va[lane] = address_of(warp, insn, lane);
		gather(warp, insn, lane, access);
	}
	for_each_lane (lane, lanes) {
		if (access->va[lane] % access->bytes)
			return sm_trap(warp, SM_MISALIGNED_ADDR, access->va[lane]);
		if (!resolve(warp, space, lane, access, &near[lane]))
			return sm_trap(warp, SM_OOR_ADDR, access->va[lane]);
	}
	if (space == CONSTANT)
		return load_constant(warp, insn, lanes);
	access->lanes = 0;
	for_each_lane (lane, lanes) {
		if (!near[lane]) {
			access->lanes |= BIT(lane);
			continue;
		}
		access_near(access, lane, near[lane]);
		scatter(warp, insn, lane, access);
	}
	warp->in_flight = access->lanes;
	return SM_CONTINUE;
}

enum sm_result sm_memory(struct sm_warp *warp, const struct sm_insn *insn, u32 lanes)
{
	struct sm_access *access = &warp->access;
	u32 done;

	if (!warp->in_flight) {
		enum sm_result result = begin(warp, insn, lanes);

		if (result != SM_CONTINUE || !warp->in_flight)
			return result;
	}
	done = warp->cta->ops->access(warp, access) & access->lanes;
	for_each_lane (lane, done)
		scatter(warp, insn, lane, access);
	access->lanes &= ~done;
	warp->in_flight = access->lanes;
	if (!access->lanes)
		return SM_CONTINUE;
	warp->fault.type = access->type;
	warp->fault.va = access->va[__builtin_ctz(access->lanes)];
	return SM_FAULT;
}

/* CCTL's operations and caches, as envydis numbers them. */
enum {
	CCTL_PF1 = 1, /* prefetch to L1 */
	CCTL_PF1_5,
	CCTL_PF2,
};
#define CCTL_DATA 0

/* An address of any alignment may be prefetched, and also one that is nowhere [INF]. */
enum sm_result sm_cache_control(struct sm_warp *warp, const struct sm_insn *insn, u32 lanes)
{
	bool prefetch = insn->f[F_OP] >= CCTL_PF1 && insn->f[F_OP] <= CCTL_PF2;
	enum sm_error error;

	if (!prefetch || insn->f[F_MODE] != CCTL_DATA)
		return SM_CONTINUE;
	error = sm_check_registers(warp, insn->f[F_A], insn->f[F_E] ? 8 : 4);
	if (error)
		return sm_trap(warp, error, 0);
	for_each_lane (lane, lanes)
		warp->cta->ops->prefetch(warp, address_of(warp, insn, lane));
	return SM_CONTINUE;
}
