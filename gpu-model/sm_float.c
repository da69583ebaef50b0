/* SPDX-License-Identifier: MIT */
/*
 * The shader core's single precision instructions and conversions, for one lane each.
 * Sources: the PTX manual. MUFU's results are as exact as libm's, those of hardware are not; its
 * sine and cosine need RRO and are not here. Nor is double and half precision.
 */
#include <fenv.h>
#include <math.h>
#include <string.h>

#include "sm_unit.h"

#define NVIDIA_NAN 0x7fffffff

static u32 field(const struct sm_lane *l, enum sm_field field)
{
	return l->insn->f[field];
}

static float to_float(u32 v)
{
	float f;

	memcpy(&f, &v, sizeof(f));
	return f;
}

static float flush(const struct sm_lane *l, float f)
{
	return field(l, F_FTZ) && fpclassify(f) == FP_SUBNORMAL ? copysignf(0, f) : f;
}

/* An operand with its modifiers. */
static float operand(const struct sm_lane *l, u32 v, bool neg, bool abs)
{
	if (abs)
		v &= 0x7fffffff;
	if (neg)
		v ^= 0x80000000;
	return flush(l, to_float(v));
}

static float operand_a(const struct sm_lane *l)
{
	return operand(l, l->a, field(l, F_NEG_A), field(l, F_ABS_A));
}

static float operand_b(const struct sm_lane *l)
{
	return operand(l, l->b, field(l, F_NEG_B), field(l, F_ABS_B));
}

static void result(struct sm_lane *l, float f)
{
	f = flush(l, f);
	if (field(l, F_SAT))
		f = f > 1 ? 1 : f > 0 ? f : 0;
	memcpy(&l->d, &f, sizeof(f));
	if (isnan(f))
		l->d = NVIDIA_NAN;
	l->out = (struct sm_flags){ .z = f == 0 || isnan(f), .s = f < 0 || isnan(f) };
	l->keep_flags = true;
}

/* F_ROUND: nearest even, down, up, towards zero */
static void round_as(u32 mode)
{
	static const int modes[] = { FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO };

	fesetround(modes[mode]);
}

static void fadd(struct sm_lane *l)
{
	volatile float a = operand_a(l), b = operand_b(l), sum;

	round_as(field(l, F_ROUND));
	sum = a + b;
	round_as(0);
	result(l, sum);
}

static void fmul(struct sm_lane *l)
{
	static const float scales[] = { 1, 0.5f, 0.25f, 0.125f, 8, 4, 2 };
	volatile float a = operand_a(l), b = operand_b(l), product;
	bool zero_wins = field(l, F_FTZ) == 2 && (a == 0 || b == 0);

	if (field(l, F_SCALE) >= ARRAY_SIZE(scales) || field(l, F_FTZ) == 3) {
		l->illegal = true;
		return;
	}
	round_as(field(l, F_ROUND));
	product = a * scales[field(l, F_SCALE)] * b;
	round_as(0);
	result(l, zero_wins ? 0 : product);
}

static void ffma(struct sm_lane *l)
{
	float a = operand_a(l), b = operand_b(l);
	float c = operand(l, l->c, field(l, F_NEG_C), false), sum;
	bool zero_wins = field(l, F_FTZ) == 2 && (a == 0 || b == 0);

	l->illegal = field(l, F_FTZ) == 3;
	round_as(field(l, F_ROUND));
	sum = fmaf(a, b, c);
	round_as(0);
	result(l, zero_wins ? c : sum);
}

static void fmnmx(struct sm_lane *l)
{
	float a = operand_a(l), b = operand_b(l);

	if (isnan(a) || isnan(b))
		result(l, isnan(a) ? b : a);
	else
		result(l, (l->ps ? a < b : a > b) ? a : b);
}

/* The code of a comparison is made of four bits: less, equal, greater, unordered. */
static void fset(struct sm_lane *l)
{
	float a = operand_a(l), b = operand_b(l);
	u32 which = a < b ? 0 : a == b ? 1 : a > b ? 2 : 3;
	bool holds = field(l, F_CMP) >> which & 1;
	u32 op = field(l, F_BOOL);

	l->illegal = op > 2;
	l->pd = sm_bool(op, holds, l->ps);
	l->pd2 = sm_bool(op, !holds, l->ps);
	l->d = !l->pd ? 0 : field(l, F_BF) ? 0x3f800000 : ~0u;
}

static void mufu(struct sm_lane *l)
{
	float a = operand_a(l);

	switch (field(l, F_OP)) {
	case 2:
		return result(l, exp2f(a));
	case 3:
		return result(l, log2f(a));
	case 4:
		return result(l, 1 / a);
	case 5:
		return result(l, 1 / sqrtf(a));
	case 8:
		return result(l, sqrtf(a));
	default:
		l->illegal = true;
	}
}

static void i2f(struct sm_lane *l)
{
	u32 from = field(l, F_SIZE), width = 8u << from;
	u64 mask = BIT_ULL(width < 64 ? width : 0) - 1;
	volatile s64 v;
	volatile float f;

	if (field(l, F_SIZE_D) != 2 || from == 3) {
		l->illegal = true;
		return;
	}
	v = (s64)(l->b >> (from < 2 ? 8 * field(l, F_SELECT) : 0) & mask);
	if (field(l, F_SIGNED_B) && v >> (width - 1) & 1)
		v |= (s64)~mask;
	if (field(l, F_ABS_B) && v < 0)
		v = -v;
	if (field(l, F_NEG_B))
		v = -v;
	round_as(field(l, F_ROUND));
	f = (float)v;
	round_as(0);
	result(l, f);
}

/* What does not fit becomes the nearest that does; NaN becomes 0. */
static void f2i(struct sm_lane *l)
{
	u32 width = 8u << field(l, F_SIZE_D);
	bool is_signed = field(l, F_SIGNED);
	double max = (double)((BIT_ULL(width & 63) - 1) >> is_signed);
	double min = is_signed ? -max - 1 : 0, v = (double)operand_b(l);

	if (field(l, F_SIZE) != 2 || width == 64) {
		l->illegal = true;
		return;
	}
	round_as(field(l, F_ROUND));
	v = nearbyint(v);
	round_as(0);
	l->d = isnan(v) ? 0 : (u32)(s64)(v < min ? min : v > max ? max : v);
}

sm_lane_op *sm_float_op(enum sm_op op)
{
	static sm_lane_op *const ops[OP_COUNT] = {
		[OP_FADD] = fadd, [OP_FADD32I] = fadd, [OP_FMUL] = fmul,  [OP_FMUL32I] = fmul,
		[OP_FFMA] = ffma, [OP_FMNMX] = fmnmx,  [OP_FSETP] = fset, [OP_FSET] = fset,
		[OP_MUFU] = mufu, [OP_I2F] = i2f,      [OP_F2I] = f2i,
	};

	return ops[op];
}
