/* SPDX-License-Identifier: MIT */
/*
 * The shader core's integer, logic and predicate instructions, for one lane each.
 * Sources: the PTX manual for what an operation means, NVIDIA's instruction list for which there
 * are, envytools' ISA documents for condition codes, maxas for XMAD.
 */
#include "sm_unit.h"

static u32 field(const struct sm_lane *l, enum sm_field field)
{
	return l->insn->f[field];
}

/* d = x + y + carry */
static void add(struct sm_lane *l, u32 x, u32 y, bool carry)
{
	u64 sum = (u64)x + y + carry;

	l->d = (u32)sum;
	l->out.c = sum >> 32;
	l->out.o = (~(x ^ y) & (x ^ l->d)) >> 31;
}

/*
 * A negated operand is its one's complement, and 1; with .X, the 1 is in the carry of the lower
 * half already. Both negated at once stands for plus one (.PO).
 */
static void add_signed(struct sm_lane *l, u32 x, bool neg_x, u32 y, bool neg_y)
{
	if (neg_x && neg_y)
		add(l, x, y, true);
	else
		add(l, neg_x ? ~x : x, neg_y ? ~y : y, field(l, F_X) ? l->cc.c : neg_x || neg_y);
}

static void saturate(struct sm_lane *l)
{
	if (field(l, F_SAT) && l->out.o)
		l->d = l->d >> 31 ? 0x7fffffff : 0x80000000;
}

static void iadd(struct sm_lane *l)
{
	add_signed(l, l->a, field(l, F_NEG_A), l->b, field(l, F_NEG_B));
	saturate(l);
}

static u32 half(u32 v, u32 which)
{
	return which == 0 ? v : which == 1 ? v & 0xffff : v >> 16;
}

static void iadd3(struct sm_lane *l)
{
	u32 a = half(l->a, field(l, F_H1_A)), b = half(l->b, field(l, F_H1_B));
	u32 c = half(l->c, field(l, F_H1_C)), mode = field(l, F_MODE);
	bool neg_a = field(l, F_NEG_A), neg_b = field(l, F_NEG_B), neg_c = field(l, F_NEG_C);
	u64 sum = (u64)(neg_a ? ~a : a) + (neg_b ? ~b : b);

	if (mode == 1)
		sum = (u32)sum >> 16;
	else if (mode == 2)
		sum = (u32)sum << 16;
	l->illegal = mode == 3 || (mode && (neg_a || neg_b));
	sum += neg_c ? ~c : c;
	sum += field(l, F_X) ? (u64)l->cc.c + l->cc.c2 : (u64)neg_a + neg_b + neg_c;
	l->d = (u32)sum;
	l->out.c = sum >> 32;
	l->out.c2 = sum >> 33;
}

static void iscadd(struct sm_lane *l)
{
	add_signed(l, l->a << field(l, F_SHIFT), field(l, F_NEG_A), l->b, field(l, F_NEG_B));
}

static void lea(struct sm_lane *l)
{
	add_signed(l, l->a << field(l, F_SHIFT), field(l, F_NEG_A), l->b, false);
	l->pd = l->out.c;
}

static void lea_hi(struct sm_lane *l)
{
	u64 wide = ((u64)l->c << 32 | l->a) << field(l, F_SHIFT);

	add_signed(l, (u32)(wide >> 32), field(l, F_NEG_A), l->b, false);
	l->pd = l->out.c;
}

static s64 half_of_product(u32 v, bool high, bool is_signed)
{
	u32 h = high ? v >> 16 : v & 0xffff;

	return is_signed && h >> 15 ? (s64)h - 0x10000 : (s64)h;
}

static void xmad(struct sm_lane *l)
{
	u32 product = (u32)(half_of_product(l->a, field(l, F_H1_A), field(l, F_SIGNED)) *
			    half_of_product(l->b, field(l, F_H1_B), field(l, F_SIGNED_B)));
	u32 c = l->c;

	switch (field(l, F_MODE)) {
	case 0:
		break;
	case 1: /* CLO */
		c &= 0xffff;
		break;
	case 2: /* CHI */
		c >>= 16;
		break;
	case 4: /* CBCC */
		c += l->b << 16;
		break;
	default: /* CSFU is not documented */
		l->illegal = true;
	}
	if (field(l, F_PSL))
		product <<= 16;
	add(l, product, c, field(l, F_X) && l->cc.c);
	if (field(l, F_MRG))
		l->d = l->b << 16 | (l->d & 0xffff);
}

static u64 multiply(const struct sm_lane *l)
{
	u64 a = field(l, F_SIGNED) ? (u64)(s64)(s32)l->a : l->a;
	u64 b = field(l, F_SIGNED_B) ? (u64)(s64)(s32)l->b : l->b;

	return a * b;
}

static void imul(struct sm_lane *l)
{
	u64 product = multiply(l);

	l->d = field(l, F_HIGH) ? (u32)(product >> 32) : (u32)product;
}

static void imad(struct sm_lane *l)
{
	imul(l);
	add(l, l->d, l->c, field(l, F_X) && l->cc.c);
	saturate(l);
}

/* The code of a comparison is made of three bits: less, equal, greater. */
static bool compare(const struct sm_lane *l, u32 x, u32 y)
{
	u32 sign = field(l, F_SIGNED) ? 0x80000000 : 0;
	u32 code = field(l, F_CMP);

	x ^= sign;
	y ^= sign;
	if (x != y || !field(l, F_X))
		return code >> (x < y ? 0 : x == y ? 1 : 2) & 1;
	/* .X: upper halves are equal, and a subtraction compared the lower ones */
	return code >> (!l->cc.c ? 0 : l->cc.z ? 1 : 2) & 1;
}

static void imnmx(struct sm_lane *l)
{
	u32 sign = field(l, F_SIGNED) ? 0x80000000 : 0;

	l->d = ((l->a ^ sign) < (l->b ^ sign)) == l->ps ? l->a : l->b;
}

static u32 reverse(u32 v)
{
	u32 r = 0;

	for (unsigned int i = 0; i < 32; i++)
		r |= (v >> i & 1) << (31 - i);
	return r;
}

static s64 extend(u32 v, u32 width, bool is_signed)
{
	u64 mask = BIT_ULL(width) - 1;

	return is_signed && v >> (width - 1) & 1 ? (s64)(v | ~mask) : (s64)(v & mask);
}

static void i2i(struct sm_lane *l)
{
	u32 from = 8u << field(l, F_SIZE), to = 8u << field(l, F_SIZE_D);
	bool to_signed = field(l, F_SIGNED);
	s64 v, max, min;

	if (from > 32 || to > 32) {
		l->illegal = true;
		return;
	}
	v = extend(l->b >> (from < 32 ? 8 * field(l, F_SELECT) : 0), from, field(l, F_SIGNED_B));
	if (field(l, F_ABS_B) && v < 0)
		v = -v;
	if (field(l, F_NEG_B))
		v = -v;
	max = (s64)((BIT_ULL(to) - 1) >> to_signed);
	min = to_signed ? -max - 1 : 0;
	if (field(l, F_SAT))
		v = v < min ? min : v > max ? max : v;
	l->out.o = v < min || v > max;
	l->d = (u32)extend((u32)v, to, to_signed);
}

static void shl(struct sm_lane *l)
{
	u32 n = field(l, F_WRAP) ? l->b & 31 : l->b;

	l->illegal = field(l, F_X);
	l->d = n < 32 ? l->a << n : 0;
}

static void shr(struct sm_lane *l)
{
	u32 v = field(l, F_BREV) ? reverse(l->a) : l->a;
	u32 n = field(l, F_WRAP) ? l->b & 31 : l->b;

	l->illegal = field(l, F_X);
	if (field(l, F_SIGNED))
		l->d = (u32)((s32)v >> (n < 32 ? n : 31));
	else
		l->d = n < 32 ? v >> n : 0;
}

/* How far the pair C:A is shifted: .U64 and .S64 by up to 64, else by up to 32. */
static u32 funnel_distance(const struct sm_lane *l)
{
	u32 limit = field(l, F_MODE) & 2 ? 64 : 32;

	return field(l, F_WRAP) ? l->b & (limit - 1) : l->b < limit ? l->b : limit;
}

static void shf_l(struct sm_lane *l)
{
	u32 n = funnel_distance(l);
	u64 pair = (u64)l->c << 32 | l->a;

	l->illegal = field(l, F_HIGH) || field(l, F_MODE) == 1;
	l->d = n < 64 ? (u32)(pair << n >> 32) : 0;
}

static void shf_r(struct sm_lane *l)
{
	u32 n = funnel_distance(l);
	u64 pair = (u64)l->c << 32 | l->a;
	bool is_signed = field(l, F_MODE) == 3;

	l->illegal = field(l, F_HIGH) > 1 || field(l, F_MODE) == 1;
	if (is_signed)
		pair = (u64)((s64)pair >> (n < 64 ? n : 63));
	else
		pair = n < 64 ? pair >> n : 0;
	l->d = field(l, F_HIGH) ? (u32)(pair >> 32) : (u32)pair;
}

/* B is a position in 7:0 and a length in 15:8; bits beyond the register are 0 or the sign. */
static void bfe(struct sm_lane *l)
{
	u32 v = field(l, F_BREV) ? reverse(l->a) : l->a;
	u32 pos = l->b & 0xff, len = l->b >> 8 & 0xff;
	u64 wide = field(l, F_SIGNED) ? (u64)(s64)(s32)v : v;

	wide = (u64)((s64)wide >> (pos < 32 ? pos : 32));
	if (!len)
		l->d = 0;
	else
		l->d = (u32)extend((u32)wide, len < 32 ? len : 32, field(l, F_SIGNED));
}

static void bfi(struct sm_lane *l)
{
	u32 pos = l->b & 0xff, len = l->b >> 8 & 0xff;
	u64 mask = pos < 32 ? ((len < 32 ? BIT_ULL(len) : BIT_ULL(32)) - 1) << pos : 0;

	l->d = (u32)((((u64)l->a << (pos & 31)) & mask) | (l->c & ~mask));
}

static void flo(struct sm_lane *l)
{
	u32 v = field(l, F_INV_B) ? ~l->b : l->b;

	if (field(l, F_SIGNED) && v >> 31)
		v = ~v;
	l->d = !v ? ~0u : field(l, F_SHIFT) ? (u32)__builtin_clz(v) : 31 - (u32)__builtin_clz(v);
}

static void popc(struct sm_lane *l)
{
	l->d = (u32)__builtin_popcount(field(l, F_INV_B) ? ~l->b : l->b);
}

/* PRMT: which of the eight bytes of C:A each byte of the result is, 8 meaning its sign. */
static void prmt(struct sm_lane *l)
{
	u64 bytes = (u64)l->c << 32 | l->a;
	u32 n = l->b & 3, mode = field(l, F_OP);

	l->illegal = mode > 6;
	for (u32 i = 0; i < 4; i++) {
		u32 select = 0;
		u8 byte;

		switch (mode) {
		case 0:
			select = l->b >> (4 * i) & 15;
			break;
		case 1: /* F4E */
			select = (n + i) & 7;
			break;
		case 2: /* B4E */
			select = (n - i) & 7;
			break;
		case 3: /* RC8 */
			select = n;
			break;
		case 4: /* ECL */
			select = i < n ? n : i;
			break;
		case 5: /* ECR */
			select = i > n ? n : i;
			break;
		default: /* RC16 */
			select = (n & 1) * 2 + (i & 1);
		}
		byte = (u8)(bytes >> (8 * (select & 7)));
		if (select & 8)
			byte = byte >> 7 ? 0xff : 0;
		l->d |= (u32)byte << (8 * i);
	}
}

static void mov(struct sm_lane *l)
{
	l->d = l->b;
}

static void sel(struct sm_lane *l)
{
	l->d = l->ps ? l->a : l->b;
}

/* The predicate that LOP and LOP3 make of their result. With .X, of this and the lower half. */
static void logic_predicate(struct sm_lane *l)
{
	bool zero = !l->d && (!field(l, F_X) || l->cc.z);
	const bool by_mode[] = { false, true, zero, !zero };

	l->pd = by_mode[field(l, F_MODE)];
}

static void lop(struct sm_lane *l)
{
	u32 a = field(l, F_INV_A) ? ~l->a : l->a, b = field(l, F_INV_B) ? ~l->b : l->b;
	const u32 results[] = { a & b, a | b, a ^ b, b };

	l->d = results[field(l, F_OP)];
	logic_predicate(l);
}

static void lop3(struct sm_lane *l)
{
	u32 lut = field(l, F_LUT);

	for (u32 i = 0; i < 8; i++)
		if (lut >> i & 1)
			l->d |= (i & 4 ? l->a : ~l->a) & (i & 2 ? l->b : ~l->b) &
				(i & 1 ? l->c : ~l->c);
	logic_predicate(l);
}

/* What all the SETs have in common. */
static void set_predicates(struct sm_lane *l, bool result)
{
	u32 op = field(l, F_BOOL);

	l->illegal = op > 2;
	l->pd = sm_bool(op, result, l->ps);
	l->pd2 = sm_bool(op, !result, l->ps);
	l->d = !l->pd ? 0 : field(l, F_BF) ? 0x3f800000 : ~0u;
}

static void iset(struct sm_lane *l)
{
	set_predicates(l, compare(l, l->a, l->b));
}

static void icmp(struct sm_lane *l)
{
	l->d = compare(l, l->c, 0) ? l->a : l->b;
}

static void pset(struct sm_lane *l)
{
	u32 op = field(l, F_BOOL2);

	set_predicates(l, sm_bool(op, l->ps2, l->ps3));
	l->illegal |= op > 2;
}

static void cset(struct sm_lane *l)
{
	bool result = false;

	l->illegal = !sm_cc_test(&l->cc, field(l, F_CCTEST), &result);
	if (!l->illegal)
		set_predicates(l, result);
}

bool sm_cc_test(const struct sm_flags *cc, u32 test, bool *result)
{
	bool z = cc->z, s = cc->s, c = cc->c, o = cc->o;
	const bool results[] = {
		false,
		(s && !z) != o,
		z && !s,
		s != (z || o), /* F LT EQ LE */
		!z && s == o,
		!z,
		s == o,
		!z || !s, /* GT NE GE NUM */
		z && s,
		s != o,
		z,
		z || s != o, /* NAN LTU EQU LEU */
		!s != (z || o),
		!z || s,
		(!s || z) != o,
		true, /* GTU NEU GEU T */
		!o,
		!c,
		!s,
		z || !c, /* OFF LO SFF LS */
		c && !z,
		s,
		c,
		o, /* HI SFT HS OFT */
	};

	*result = test < ARRAY_SIZE(results) && results[test];
	return test < ARRAY_SIZE(results);
}

sm_lane_op *sm_integer_op(enum sm_op op)
{
	static sm_lane_op *const ops[OP_COUNT] = {
		[OP_MOV] = mov,	    [OP_MOV32I] = mov,	  [OP_SEL] = sel,
		[OP_PRMT] = prmt,   [OP_IADD] = iadd,	  [OP_IADD32I] = iadd,
		[OP_IADD3] = iadd3, [OP_ISCADD] = iscadd, [OP_ISCADD32I] = iscadd,
		[OP_LEA] = lea,	    [OP_LEA_HI] = lea_hi, [OP_XMAD] = xmad,
		[OP_IMUL] = imul,   [OP_IMUL32I] = imul,  [OP_IMAD] = imad,
		[OP_IMNMX] = imnmx, [OP_I2I] = i2i,	  [OP_SHL] = shl,
		[OP_SHR] = shr,	    [OP_SHF_L] = shf_l,	  [OP_SHF_R] = shf_r,
		[OP_BFE] = bfe,	    [OP_BFI] = bfi,	  [OP_FLO] = flo,
		[OP_POPC] = popc,   [OP_LOP] = lop,	  [OP_LOP32I] = lop,
		[OP_LOP3] = lop3,   [OP_ISETP] = iset,	  [OP_ISET] = iset,
		[OP_ICMP] = icmp,   [OP_PSETP] = pset,	  [OP_PSET] = pset,
		[OP_CSETP] = cset,  [OP_CSET] = cset,
	};

	return ops[op];
}
