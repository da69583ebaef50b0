/* SPDX-License-Identifier: MIT */
/*
 * See sass.h. A format is literal text with tokens in braces; a token is a field of the
 * instruction, and either a list of what stands for its values, or a way to print and read it.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sass.h"
#include "sm_insn.h"

struct text {
	char *out;	/* printing: where to; NULL when parsing */
	const char *in; /* parsing: what is left */
	struct sm_insn *insn;
	u32 pc;
};

struct token {
	const char *name;
	u8 field;
	bool (*both)(struct text *t, const struct token *token); /* NULL: by names */
	const char *names[84];
};

static void emit(struct text *t, const char *text)
{
	strcat(t->out, text);
}

static bool skip(struct text *t, const char *text)
{
	size_t len = strlen(text);

	if (strncmp(t->in, text, len))
		return false;
	t->in += len;
	return true;
}

/* A piece of literal text. */
static bool literal(struct text *t, const char *text)
{
	if (!t->out)
		return skip(t, text);
	emit(t, text);
	return true;
}

static u32 *value(struct text *t, const struct token *token)
{
	return &t->insn->f[token->field];
}

static bool set(struct text *t, enum sm_field field, u32 to)
{
	t->insn->f[field] = to;
	return sm_has(t->insn, field) || !to;
}

/* Whether what follows is this name, and not a longer one (.XOR) or a number (-1). */
static bool is_next(const struct text *t, const char *name)
{
	size_t len = strlen(name);
	char after;

	if (strncmp(t->in, name, len))
		return false;
	after = len ? t->in[len] : 0;
	return !(*name == '.' && isupper((unsigned char)after)) &&
	       !(*name == '-' && isdigit((unsigned char)after));
}

static bool by_names(struct text *t, const struct token *token)
{
	const char *const *names = token->names;
	size_t best = ARRAY_SIZE(token->names);

	if (t->out) {
		u32 v = *value(t, token);

		if (v >= ARRAY_SIZE(token->names) || !names[v])
			return false;
		emit(t, names[v]);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(token->names); i++)
		if (names[i] && is_next(t, names[i]) &&
		    (best == ARRAY_SIZE(token->names) || strlen(names[i]) > strlen(names[best])))
			best = i;
	return best < ARRAY_SIZE(token->names) && skip(t, names[best]) &&
	       set(t, token->field, (u32)best);
}

static bool number(struct text *t, s64 *v)
{
	char *end;

	if (t->out) {
		sprintf(t->out + strlen(t->out), *v < 0 ? "-0x%llx" : "0x%llx",
			(unsigned long long)(*v < 0 ? -*v : *v));
		return true;
	}
	if (strncmp(t->in, "0x", 2) && strncmp(t->in, "-0x", 3))
		return false;
	*v = strtoll(t->in, &end, 16);
	t->in = end;
	return true;
}

static bool number_field(struct text *t, enum sm_field field, bool is_signed)
{
	u32 raw = t->insn->f[field];
	s64 v = is_signed ? (s64)(s32)raw : (s64)raw;

	return number(t, &v) && (t->out || set(t, field, (u32)v));
}

static bool hex(struct text *t, const struct token *token)
{
	return number_field(t, token->field, false);
}

static bool signed_hex(struct text *t, const struct token *token)
{
	return number_field(t, token->field, true);
}

static bool indexed(struct text *t, const char *letter, u32 *v, u32 special, const char *name)
{
	char *end;

	if (t->out) {
		if (*v == special)
			emit(t, name);
		else
			sprintf(t->out + strlen(t->out), "%s%u", letter, *v);
		return true;
	}
	if (skip(t, name)) {
		*v = special;
		return true;
	}
	if (!skip(t, letter) || *t->in < '0' || *t->in > '9')
		return false;
	*v = (u32)strtoul(t->in, &end, 10);
	t->in = end;
	return true;
}

static bool register_field(struct text *t, enum sm_field field)
{
	return indexed(t, "R", &t->insn->f[field], SM_RZ, "RZ");
}

static bool reg(struct text *t, const struct token *token)
{
	return register_field(t, token->field);
}

static bool pred(struct text *t, const struct token *token)
{
	return indexed(t, "P", value(t, token), SM_PT, "PT");
}

/* A source: the field after it negates it. */
static bool pred_source(struct text *t, const struct token *token)
{
	u32 *not = value(t, token) + 1;

	if (t->out ? *not : skip(t, "!")) {
		*not = 1;
		if (t->out)
			emit(t, "!");
	}
	return pred(t, token);
}

/* What is left out when it is PT, RZ or 0. */
static bool optional_pred(struct text *t, const struct token *token)
{
	bool none = t->out ? *value(t, token) == SM_PT : *t->in != 'P';

	if (!sm_has(t->insn, token->field))
		return t->out || none;
	if (none) {
		*value(t, token) = SM_PT;
		return true;
	}
	return pred(t, token) && literal(t, ", ");
}

static bool optional_pred_last(struct text *t, const struct token *token)
{
	if (t->out ? *value(t, token) == SM_PT : !*t->in) {
		*value(t, token) = SM_PT;
		return true;
	}
	return literal(t, ", ") && (token->field == F_PS ? pred_source(t, token) : pred(t, token));
}

static bool optional_reg(struct text *t, const struct token *token)
{
	if (t->out ? *value(t, token) == SM_RZ : *t->in != 'R') {
		*value(t, token) = SM_RZ;
		return true;
	}
	return reg(t, token) && literal(t, ", ");
}

static bool optional_hex(struct text *t, const struct token *token)
{
	if (t->out ? !*value(t, token) : !*t->in)
		return true;
	return literal(t, ", ") && hex(t, token);
}

/* MOV's lanes: all, if nothing is said. */
static bool mov_lanes(struct text *t, const struct token *token)
{
	if (t->out ? *value(t, token) == 15 : !*t->in)
		return set(t, token->field, 15);
	return literal(t, ", ") && hex(t, token);
}

static bool constant(struct text *t)
{
	return literal(t, "c[") && number_field(t, F_BANK, false) && literal(t, "][") &&
	       number_field(t, F_OFFSET, false) && literal(t, "]");
}

static bool float_number(struct text *t)
{
	u32 *v = &t->insn->f[F_IMM];
	char *end;
	float f;

	if (t->out) {
		memcpy(&f, v, sizeof(f));
		sprintf(t->out + strlen(t->out), "%.20g", (double)f);
		return true;
	}
	f = strtof(t->in, &end);
	memcpy(v, &f, sizeof(f));
	if (end == t->in)
		return false;
	t->in = end;
	return true;
}

enum immediate {
	IMM_SIGNED,
	IMM_20_BITS,
	IMM_FLOAT
};

static bool source_b(struct text *t, enum immediate kind)
{
	switch (t->insn->b) {
	case FROM_REGISTER:
		return register_field(t, F_B);
	case FROM_CONSTANT:
		return constant(t);
	case FROM_IMMEDIATE:
		break;
	}
	if (kind == IMM_FLOAT)
		return float_number(t);
	if (kind == IMM_20_BITS) {
		s64 v = t->insn->f[F_IMM] & 0xfffff;

		return number(t, &v) &&
		       (t->out || set(t, F_IMM, v & 0x80000 ? (u32)v | 0xfff00000 : (u32)v));
	}
	return number_field(t, F_IMM, true);
}

static bool b_signed(struct text *t, const struct token *token)
{
	(void)token;
	return source_b(t, IMM_SIGNED);
}

static bool b_20_bits(struct text *t, const struct token *token)
{
	(void)token;
	return source_b(t, IMM_20_BITS);
}

static bool b_float(struct text *t, const struct token *token)
{
	(void)token;
	return source_b(t, IMM_FLOAT);
}

static bool c_any(struct text *t, const struct token *token)
{
	(void)token;
	return t->insn->c == FROM_CONSTANT ? constant(t) : register_field(t, F_C);
}

/* SHFL and BAR: a register or a number, by the form. */
static bool b_or_imm(struct text *t, const struct token *token)
{
	(void)token;
	return sm_has(t->insn, F_IMM_B) ? number_field(t, F_IMM_B, false) : register_field(t, F_B);
}

static bool c_or_imm(struct text *t, const struct token *token)
{
	(void)token;
	return sm_has(t->insn, F_IMM_C) ? number_field(t, F_IMM_C, false) : register_field(t, F_C);
}

static bool bar_id(struct text *t, const struct token *token)
{
	(void)token;
	return sm_has(t->insn, F_IMM) ? number_field(t, F_IMM, false) : register_field(t, F_A);
}

/* B2R.RESULT is of no barrier. */
static bool no_register(struct text *t, const struct token *token)
{
	if (!t->out)
		*value(t, token) = SM_RZ;
	return *value(t, token) == SM_RZ;
}

static bool bar_count(struct text *t, const struct token *token)
{
	bool none = sm_has(t->insn, F_IMM_B) &&
		    (t->out ? !t->insn->f[F_IMM_B] : *t->in != ',' || t->in[2] == 'P');

	return none || (literal(t, ", ") && b_or_imm(t, token));
}

/* Inside the brackets: R2, R2+0x8, R2+-0x8, 0x8, RZ. */
static bool address(struct text *t, const struct token *token)
{
	u32 *a = &t->insn->f[F_A];

	(void)token;
	if (t->out) {
		u32 offset = t->insn->f[F_OFFSET];

		if (*a == SM_RZ && offset)
			return number_field(t, F_OFFSET, true);
		return register_field(t, F_A) &&
		       (!offset || (literal(t, "+") && number_field(t, F_OFFSET, true)));
	}
	if (*t->in != 'R') {
		*a = SM_RZ;
		return number_field(t, F_OFFSET, true);
	}
	return register_field(t, F_A) && (!skip(t, "+") || number_field(t, F_OFFSET, true));
}

/* LDC leaves RZ out always. */
static bool constant_address(struct text *t, const struct token *token)
{
	if (t->out && t->insn->f[F_A] == SM_RZ)
		return number_field(t, F_OFFSET, true);
	return address(t, token);
}

/* What a CAS puts there: in the registers after those that it compares with. */
static bool b_next(struct text *t, const struct token *token)
{
	u32 next = t->insn->f[F_B] + 1 + t->insn->f[F_SIZE];

	(void)token;
	return indexed(t, "R", &next, SM_RZ, "RZ") &&
	       next == t->insn->f[F_B] + 1 + t->insn->f[F_SIZE];
}

static bool target(struct text *t, const struct token *token)
{
	s64 at = (s64)t->pc + 8 + (s32)*value(t, token);

	return number(t, &at) && (t->out || set(t, token->field, (u32)at - t->pc - 8));
}

static bool select_source(struct text *t, const struct token *token)
{
	static const struct token byte = { .field = F_SELECT,
					   .names = { "", ".B1", ".B2", ".B3" } };
	static const struct token half = { .field = F_SELECT, .names = { "", NULL, ".H1" } };

	(void)token;
	return by_names(t, t->insn->f[F_SIZE] == 1 ? &half : &byte);
}

/* DEPBAR's list: {2,1} */
static bool scoreboards(struct text *t, const struct token *token)
{
	u32 *mask = value(t, token);
	const char *between = "{";

	if (t->out) {
		for (int i = 5; i >= 0; i--)
			if (*mask >> i & 1) {
				sprintf(t->out + strlen(t->out), "%s%d", between, i);
				between = ",";
			}
		if (*mask)
			emit(t, "}");
		return true;
	}
	for (; skip(t, between); between = ",")
		*mask |= BIT((unsigned int)(*t->in++ - '0') % 6);
	return *mask ? skip(t, "}") : true;
}

static bool comma_scoreboards(struct text *t, const struct token *token)
{
	if (t->out ? !*value(t, token) : !*t->in)
		return true;
	return literal(t, ", ") && scoreboards(t, token);
}

#define CC_NAMES(before, after)                                                                 \
	before "F" after, before "LT" after, before "EQ" after, before "LE" after,              \
		before "GT" after, before "NE" after, before "GE" after, before "NUM" after,    \
		before "NAN" after, before "LTU" after, before "EQU" after, before "LEU" after, \
		before "GTU" after, before "NEU" after, before "GEU" after, "",                 \
		before "OFF" after, before "LO" after, before "SFF" after, before "LS" after,   \
		before "HI" after, before "SFT" after, before "HS" after, before "OFT" after

static const struct token tokens[] = {
	{ "a", F_A, reg, { 0 } },
	{ "aabs", F_ABS_A, NULL, { "", "|" } },
	{ "addr", 0, address, { 0 } },
	{ "anone", F_A, no_register, { 0 } },
	{ "atomop",
	  F_OP,
	  NULL,
	  { ".ADD", ".MIN", ".MAX", ".INC", ".DEC", ".AND", ".OR", ".XOR", ".EXCH" } },
	{ "atomtype", F_SIZE, NULL, { "", ".S32", ".U64", ".F32.FTZ.RN", NULL, ".S64" } },
	{ "b", 0, b_signed, { 0 } },
	{ "b20", 0, b_20_bits, { 0 } },
	{ "babs", F_ABS_B, NULL, { "", "|" } },
	{ "barcount", 0, bar_count, { 0 } },
	{ "barid", 0, bar_id, { 0 } },
	{ "barred", F_MODE, NULL, { NULL, NULL, "" } },
	{ "barop", F_MODE, NULL, { ".SYNC", ".ARRIVE" } },
	{ "bf", F_BF, NULL, { "", ".BF" } },
	{ "bimm", 0, b_or_imm, { 0 } },
	{ "bnext", 0, b_next, { 0 } },
	{ "bool", F_BOOL, NULL, { ".AND", ".OR", ".XOR" } },
	{ "bool2", F_BOOL2, NULL, { ".AND", ".OR", ".XOR" } },
	{ "breg", F_B, reg, { 0 } },
	{ "brev", F_BREV, NULL, { "", ".BREV" } },
	{ "byte", F_SELECT, NULL, { "", ".B1", ".B2", ".B3" } },
	{ "c", 0, c_any, { 0 } },
	{ "cache_ld", F_CACHE, NULL, { "", ".CG", ".CI", ".CV" } },
	{ "cache_ldl", F_CACHE, NULL, { "", ".LU", ".CI", ".CV" } },
	{ "cache_st", F_CACHE, NULL, { "", ".CG", ".CS", ".WT" } },
	{ "cas64", F_SIZE, NULL, { "", ".64" } },
	{ "cc", F_CC, NULL, { "", ".CC" } },
	{ "cccmp", F_CCTEST, NULL, { CC_NAMES(".", "") } },
	{ "ccpr", F_MODE, NULL, { "PR", "CC" } },
	{ "cctest", F_CCTEST, NULL, { CC_NAMES(" CC.", "") } },
	{ "cctestc", F_CCTEST, NULL, { CC_NAMES("CC.", ", ") } },
	{ "cctl",
	  F_OP,
	  NULL,
	  { ".QRY1", ".PF1", ".PF1.5", ".PF2", ".WB", ".IV", ".IVALL", ".RS", NULL, ".RSLB" } },
	{ "cctld", F_MODE, NULL, { "" } },
	{ "cimm", 0, c_or_imm, { 0 } },
	{ "cmp", F_CMP, NULL, { ".F", ".LT", ".EQ", ".LE", ".GT", ".NE", ".GE", ".T" } },
	{ "count", F_IMM, hex, { 0 } },
	{ "d", F_D, reg, { 0 } },
	{ "dopt", F_D, optional_reg, { 0 } },
	{ "e", F_E, NULL, { "", ".E" } },
	{ "f32", F_SIZE_D, NULL, { NULL, NULL, ".F32" } },
	{ "f32src", F_SIZE, NULL, { NULL, NULL, ".F32" } },
	{ "fb", 0, b_float, { 0 } },
	{ "fcmp",
	  F_CMP,
	  NULL,
	  { ".F", ".LT", ".EQ", ".LE", ".GT", ".NE", ".GE", ".NUM", ".NAN", ".LTU", ".EQU", ".LEU",
	    ".GTU", ".NEU", ".GEU", ".T" } },
	{ "ftz", F_FTZ, NULL, { "", ".FTZ" } },
	{ "ftz2", F_FTZ, NULL, { "", ".FTZ", ".FMZ" } },
	{ "h1a", F_H1_A, NULL, { "", ".H1" } },
	{ "h1b", F_H1_B, NULL, { "", ".H1" } },
	{ "half_a", F_H1_A, NULL, { "", ".H0", ".H1" } },
	{ "half_b", F_H1_B, NULL, { "", ".H0", ".H1" } },
	{ "half_c", F_H1_C, NULL, { "", ".H0", ".H1" } },
	{ "hi", F_HIGH, NULL, { "", ".HI" } },
	{ "iadd3", F_MODE, NULL, { "", ".RS", ".LS" } },
	{ "ia", F_INV_A, NULL, { "", "~" } },
	{ "ib", F_INV_B, NULL, { "", "~" } },
	{ "ivall", F_OP, NULL, { "", ".IVALLD", ".IVALLT", ".IVALLTD" } },
	{ "lanes", F_MODE, mov_lanes, { 0 } },
	{ "ldc", 0, constant_address, { 0 } },
	{ "ldcbank", F_BANK, hex, { 0 } },
	{ "le", F_U, NULL, { NULL, ".LE" } },
	{ "level", F_MODE, NULL, { ".CTA", ".GL", ".SYS" } },
	{ "lop", F_OP, NULL, { ".AND", ".OR", ".XOR", ".PASS_B" } },
	{ "lut", F_LUT, hex, { 0 } },
	{ "lutmode", F_MODE, NULL, { "", ".T", ".Z", ".NZ" } },
	{ "mrg", F_MRG, NULL, { "", ".MRG" } },
	{ "mufu",
	  F_OP,
	  NULL,
	  { ".COS", ".SIN", ".EX2", ".LG2", ".RCP", ".RSQ", ".RCP64H", ".RSQ64H", ".SQRT" } },
	{ "na", F_NEG_A, NULL, { "", "-" } },
	{ "nb", F_NEG_B, NULL, { "", "-" } },
	{ "nc", F_NEG_C, NULL, { "", "-" } },
	{ "nop", F_CCTEST, NULL, { [15] = "" } },
	{ "notle", F_U, NULL, { "" } },
	{ "off", F_OFFSET, signed_hex, { 0 } },
	{ "pd", F_PD, pred, { 0 } },
	{ "pd2", F_PD2, pred, { 0 } },
	{ "pdlast", F_PD, optional_pred_last, { 0 } },
	{ "pdopt", F_PD, optional_pred, { 0 } },
	{ "plain", F_CCTEST, NULL, { [15] = "" } },
	{ "pop", F_MODE, NULL, { NULL, "" } },
	{ "prmt", F_OP, NULL, { "", ".F4E", ".B4E", ".RC8", ".ECL", ".ECR", ".RC16" } },
	{ "ps", F_PS, pred_source, { 0 } },
	{ "ps2", F_PS2, pred_source, { 0 } },
	{ "ps3", F_PS3, pred_source, { 0 } },
	{ "psgeneric", F_PS, pred, { 0 } },
	{ "psl", F_PSL, NULL, { "", ".PSL" } },
	{ "pslast", F_PS, optional_pred_last, { 0 } },
	{ "red", F_OP, NULL, { ".POPC", ".AND", ".OR" } },
	{ "result", F_MODE, NULL, { NULL, ".RESULT" } },
	{ "round", F_ROUND, NULL, { "", ".RM", ".RP", ".RZ" } },
	{ "roundi", F_ROUND, NULL, { "", ".FLOOR", ".CEIL", ".TRUNC" } },
	{ "s32", F_SIGNED, NULL, { ".U32", "" } },
	{ "sat", F_SAT, NULL, { "", ".SAT" } },
	{ "sb", F_OP, NULL, { "SB0", "SB1", "SB2", "SB3", "SB4", "SB5" } },
	{ "scale", F_SCALE, NULL, { "", ".D2", ".D4", ".D8", ".M8", ".M4", ".M2" } },
	{ "scoreboards", F_LUT, scoreboards, { 0 } },
	{ "scoreboardsc", F_LUT, comma_scoreboards, { 0 } },
	{ "select", 0, select_source, { 0 } },
	{ "sh", F_SHIFT, NULL, { "", ".SH" } },
	{ "shift", F_SHIFT, hex, { 0 } },
	{ "shiftopt", F_SHIFT, optional_hex, { 0 } },
	{ "shf", F_MODE, NULL, { "", NULL, ".U64", ".S64" } },
	{ "shfl", F_OP, NULL, { ".IDX", ".UP", ".DOWN", ".BFLY" } },
	{ "sign", F_SIGNED, NULL, { ".U", ".S" } },
	{ "signb", F_SIGNED_B, NULL, { ".U", ".S" } },
	{ "size", F_SIZE, NULL, { ".U8", ".S8", ".U16", ".S16", "", ".64", ".128" } },
	{ "sized", F_SIZE_D, NULL, { "8", "16", "32", "64" } },
	{ "sizes", F_SIZE, NULL, { "8", "16", "32", "64" } },
	{ "sizeu", F_SIZE, NULL, { ".U8", ".S8", ".U16", ".S16", ".32", ".64", ".128" } },
	{ "sr",
	  F_IMM,
	  NULL,
	  { [0x00] = "SR_LANEID",
	    [0x02] = "SR_VIRTCFG",
	    [0x03] = "SR_VIRTID",
	    [0x21] = "SR_TID.X",
	    [0x22] = "SR_TID.Y",
	    [0x23] = "SR_TID.Z",
	    [0x25] = "SR_CTAID.X",
	    [0x26] = "SR_CTAID.Y",
	    [0x27] = "SR_CTAID.Z",
	    [0x38] = "SR_EQMASK",
	    [0x39] = "SR_LTMASK",
	    [0x3a] = "SR_LEMASK",
	    [0x3b] = "SR_GTMASK",
	    [0x3c] = "SR_GEMASK",
	    [0x50] = "SR_CLOCKLO",
	    [0x51] = "SR_CLOCKHI",
	    [0x52] = "SR_GLOBALTIMERLO",
	    [0x53] = "SR_GLOBALTIMERHI" } },
	{ "target", F_OFFSET, target, { 0 } },
	{ "u", F_U, NULL, { NULL, ".U" } },
	{ "u0", F_U, NULL, { "" } },
	{ "ubra", F_U, NULL, { "", ".U" } },
	{ "u32", F_IMM, hex, { 0 } },
	{ "umul", F_SIGNED, NULL, { ".U32", ".S32" } },
	{ "umulb", F_SIGNED_B, NULL, { ".U32", ".S32" } },
	{ "vote", F_OP, NULL, { ".ALL", ".ANY", ".EQ" } },
	{ "w", F_WRAP, NULL, { "", ".W" } },
	{ "x", F_X, NULL, { "", ".X" } },
	{ "xmad", F_MODE, NULL, { "", ".CLO", ".CHI", ".CSFU", ".CBCC" } },
	{ "xsa", F_SIGNED, NULL, { ".U16", ".S16" } },
	{ "xsb", F_SIGNED_B, NULL, { ".U16", ".S16" } },
	{ "yes_a", F_SIGNED, NULL, { NULL, "" } },
	{ "yes_b", F_SIGNED_B, NULL, { NULL, "" } },
	{ "zero_a", F_SIGNED, NULL, { "" } },
	{ "zero_b", F_SIGNED_B, NULL, { "" } },
};

#define FA "{na}{aabs}{a}{aabs}"
#define FB "{nb}{babs}{fb}{babs}"

/* The first that fits is used. */
static const struct {
	u8 op;
	const char *format;
} formats[] = {
	{ OP_NOP, "NOP{nop}" },
	{ OP_MOV, "MOV {d}, {b}{lanes}" },
	{ OP_MOV32I, "MOV32I {d}, {u32}{lanes}" },
	{ OP_SEL, "SEL {d}, {a}, {b}, {ps}" },
	{ OP_S2R, "S2R {d}, {sr}" },
	{ OP_CS2R, "CS2R {d}, {sr}" },
	{ OP_LEPC, "LEPC {d}" },
	{ OP_SHFL, "SHFL{shfl} {pd}, {d}, {a}, {bimm}, {cimm}" },
	{ OP_PRMT, "PRMT{prmt} {d}, {a}, {b}, {c}" },
	{ OP_IADD, "IADD{x}{sat} {d}{cc}, {na}{a}, {nb}{b}" },
	{ OP_IADD32I, "IADD32I{x}{sat} {d}{cc}, {na}{a}, {b}" },
	{ OP_IADD3,
	  "IADD3{x}{iadd3} {d}{cc}, {na}{a}{half_a}, {nb}{b20}{half_b}, {nc}{c}{half_c}" },
	{ OP_ISCADD, "ISCADD {d}{cc}, {na}{a}, {nb}{b}, {shift}" },
	{ OP_ISCADD32I, "ISCADD32I {d}{cc}, {a}, {b}, {shift}" },
	{ OP_LEA, "LEA{x} {pdopt}{d}{cc}, {na}{a}, {b}{shiftopt}" },
	{ OP_LEA_HI, "LEA.HI{x} {pdopt}{d}{cc}, {na}{a}, {b}, {c}{shiftopt}" },
	{ OP_XMAD, "XMAD{zero_a}{zero_b}{psl}{mrg}{xmad}{x} {d}{cc}, {a}{h1a}, {b}{h1b}, {c}" },
	{ OP_XMAD, "XMAD{xsa}{xsb}{psl}{mrg}{xmad}{x} {d}{cc}, {a}{h1a}, {b}{h1b}, {c}" },
	{ OP_IMUL, "IMUL{yes_a}{yes_b}{hi} {d}{cc}, {a}, {b}" },
	{ OP_IMUL, "IMUL{umul}{umulb}{hi} {d}{cc}, {a}, {b}" },
	{ OP_IMUL32I, "IMUL32I{umul}{umulb}{hi} {d}{cc}, {a}, {b}" },
	{ OP_IMAD, "IMAD{yes_a}{yes_b}{hi}{sat}{x} {d}{cc}, {a}, {b}, {c}" },
	{ OP_IMAD, "IMAD{umul}{umulb}{hi}{sat}{x} {d}{cc}, {a}, {b}, {c}" },
	{ OP_IMNMX, "IMNMX{s32} {d}{cc}, {a}, {b}, {ps}" },
	{ OP_I2I, "I2I{sign}{sized}{signb}{sizes}{sat} {d}{cc}, {nb}{babs}{b}{babs}{select}" },
	{ OP_SHL, "SHL{w}{x} {d}{cc}, {a}, {b}" },
	{ OP_SHR, "SHR{s32}{w}{brev}{x} {d}{cc}, {a}, {b}" },
	{ OP_SHF_L, "SHF.L{w}{shf}{hi} {d}{cc}, {a}, {b}, {c}" },
	{ OP_SHF_R, "SHF.R{w}{shf}{hi} {d}{cc}, {a}, {b}, {c}" },
	{ OP_BFE, "BFE{s32}{brev} {d}{cc}, {a}, {b}" },
	{ OP_BFI, "BFI {d}{cc}, {a}, {b}, {c}" },
	{ OP_FLO, "FLO{s32}{sh} {d}{cc}, {ib}{b}" },
	{ OP_POPC, "POPC {d}, {ib}{b}" },
	{ OP_LOP, "LOP{lop}{x}{lutmode} {pdopt}{d}{cc}, {ia}{a}, {ib}{b}" },
	{ OP_LOP32I, "LOP32I{lop}{x} {d}{cc}, {ia}{a}, {ib}{u32}" },
	{ OP_LOP3, "LOP3.LUT{x}{lutmode} {pdopt}{d}{cc}, {a}, {b}, {c}, {lut}" },
	{ OP_ISETP, "ISETP{cmp}{s32}{x}{bool} {pd}, {pd2}, {a}, {b}, {ps}" },
	{ OP_ISET, "ISET{bf}{cmp}{s32}{x}{bool} {d}{cc}, {a}, {b}, {ps}" },
	{ OP_ICMP, "ICMP{cmp}{s32} {d}, {a}, {b}, {c}" },
	{ OP_PSETP, "PSETP{bool2}{bool} {pd}, {pd2}, {ps2}, {ps3}, {ps}" },
	{ OP_PSET, "PSET{bf}{bool2}{bool} {d}{cc}, {ps2}, {ps3}, {ps}" },
	{ OP_CSETP, "CSETP{cccmp}{bool} {pd}, {pd2}, CC, {ps}" },
	{ OP_CSET, "CSET{bf}{cccmp}{bool} {d}, CC, {ps}" },
	{ OP_P2R, "P2R{byte} {d}, {ccpr}, {a}, {b}" },
	{ OP_R2P, "R2P {ccpr}, {a}{byte}, {b}" },
	{ OP_VOTE, "VOTE{vote} {dopt}{pd}, {ps}" },
	{ OP_FADD, "FADD{ftz}{round}{sat} {d}{cc}, " FA ", " FB },
	{ OP_FADD32I, "FADD32I{ftz} {d}{cc}, " FA ", " FB },
	{ OP_FMUL, "FMUL{ftz2}{scale}{round}{sat} {d}{cc}, {a}, {nb}{fb}" },
	{ OP_FMUL32I, "FMUL32I{ftz2}{sat} {d}{cc}, {a}, {fb}" },
	{ OP_FFMA, "FFMA{ftz2}{round}{sat} {d}{cc}, {a}, {nb}{fb}, {nc}{c}" },
	{ OP_FMNMX, "FMNMX{ftz} {d}{cc}, " FA ", " FB ", {ps}" },
	{ OP_FSETP, "FSETP{fcmp}{ftz}{bool} {pd}, {pd2}, " FA ", " FB ", {ps}" },
	{ OP_FSET, "FSET{bf}{fcmp}{ftz}{bool} {d}{cc}, " FA ", " FB ", {ps}" },
	{ OP_MUFU, "MUFU{mufu}{sat} {d}, " FA },
	{ OP_I2F, "I2F{f32}{signb}{sizes}{round} {d}{cc}, {nb}{babs}{b}{babs}{select}" },
	{ OP_F2I, "F2I{ftz}{sign}{sized}{f32src}{roundi} {d}{cc}, " FB },
	{ OP_LDG, "LDG{e}{cache_ld}{size} {d}, [{addr}]" },
	{ OP_STG, "STG{e}{cache_st}{size} [{addr}], {d}" },
	{ OP_LD, "LD{e}{cache_ld}{size} {d}, [{addr}], {psgeneric}" },
	{ OP_ST, "ST{e}{cache_st}{size} [{addr}], {d}, {psgeneric}" },
	{ OP_LDS, "LDS{u0}{size} {d}, [{addr}]" },
	{ OP_LDS, "LDS{u}{sizeu} {d}, [{addr}]" },
	{ OP_STS, "STS{size} [{addr}], {d}" },
	{ OP_LDL, "LDL{cache_ldl}{size} {d}, [{addr}]" },
	{ OP_STL, "STL{cache_st}{size} [{addr}], {d}" },
	{ OP_LDC, "LDC{size} {d}, c[{ldcbank}][{ldc}]" },
	{ OP_ATOM, "ATOM{e}{atomop}{atomtype} {d}, [{addr}], {breg}" },
	{ OP_ATOM_CAS, "ATOM{e}.CAS{cas64} {d}, [{addr}], {breg}, {bnext}" },
	{ OP_ATOMS, "ATOMS{atomop}{atomtype} {d}, [{addr}], {breg}" },
	{ OP_ATOMS_CAS, "ATOMS.CAS{cas64} {d}, [{addr}], {breg}, {bnext}" },
	{ OP_RED, "RED{e}{atomop}{atomtype} [{addr}], {d}" },
	{ OP_MEMBAR, "MEMBAR{level}{ivall}" },
	{ OP_CCTL, "CCTL{e}{cctl}{cctld} [{addr}]" },
	{ OP_DEPBAR, "DEPBAR{le} {sb}, {count}{scoreboardsc}" },
	{ OP_DEPBAR, "DEPBAR{notle} {scoreboards}" },
	{ OP_BRA, "BRA{ubra} {cctestc}{target}" },
	{ OP_BRX, "BRX{plain} {a} {off}" },
	{ OP_SSY, "SSY {target}" },
	{ OP_PBK, "PBK {target}" },
	{ OP_PCNT, "PCNT {target}" },
	{ OP_CAL, "CAL{pop} {target}" },
	{ OP_PRET, "PRET{pop} {target}" },
	{ OP_SYNC, "SYNC{cctest}" },
	{ OP_BRK, "BRK{cctest}" },
	{ OP_CONT, "CONT{cctest}" },
	{ OP_RET, "RET{cctest}" },
	{ OP_EXIT, "EXIT{cctest}" },
	{ OP_KIL, "KIL{cctest}" },
	{ OP_BAR, "BAR.RED{barred}{red} {barid}{barcount}{pslast}" },
	{ OP_BAR, "BAR{barop} {barid}{barcount}{pslast}" },
	{ OP_B2R, "B2R{result}{anone} {d}{pdlast}" },
};

static const struct token *token_find(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++)
		if (strlen(tokens[i].name) == len && !strncmp(tokens[i].name, name, len))
			return &tokens[i];
	fprintf(stderr, "sass.c: no token %.*s\n", (int)len, name);
	abort();
}

/* Go through a format, printing or parsing as t says. */
static bool walk(struct text *t, const char *format)
{
	while (*format) {
		size_t len = strcspn(format, "{");
		char plain[32] = "";

		memcpy(plain, format, len);
		if (!literal(t, plain))
			return false;
		format += len;
		if (*format == '{') {
			const struct token *token;

			len = strcspn(++format, "}");
			token = token_find(format, len);
			if (!(token->both ? token->both : by_names)(t, token))
				return false;
			format += len + 1;
		}
	}
	return t->out || !*t->in;
}

bool sass_print(u64 encoding, u32 pc, char text[SASS_TEXT])
{
	struct sm_insn insn;
	struct text t = { .out = text, .insn = &insn, .pc = pc };

	if (!sm_decode(encoding, &insn))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (formats[i].op != insn.op)
			continue;
		text[0] = 0;
		if (insn.f[F_PRED] != SM_PT || insn.f[F_PRED_NOT])
			sprintf(text, insn.f[F_PRED] == SM_PT ? "@!PT " : "@%sP%u ",
				insn.f[F_PRED_NOT] ? "!" : "", insn.f[F_PRED]);
		if (walk(&t, formats[i].format))
			return true;
	}
	return false;
}

static bool parse_guard(const char **text, u32 *pred, u32 * not)
{
	const char *at = *text;

	*pred = SM_PT;
	*not = 0;
	if (*at != '@')
		return true;
	at++;
	if (*at == '!') {
		*not = 1;
		at++;
	}
	if (at[0] != 'P' || !strchr("0123456T", at[1]) || at[2] != ' ')
		return false;
	*pred = at[1] == 'T' ? SM_PT : (u32)(at[1] - '0');
	*text = at + 3;
	return true;
}

bool sass_assemble(const char *text, u32 pc, u64 *encoding)
{
	u32 guard, not;

	if (!parse_guard(&text, &guard, &not))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct sm_insn insn = { .op = formats[i].op };

		while (sm_opcode_next(&insn)) {
			struct text t = { .in = text, .insn = &insn, .pc = pc };

			insn.f[F_PRED] = guard;
			insn.f[F_PRED_NOT] = not;
			if (!sm_has(&insn, F_PRED) && (guard != SM_PT || not))
				continue;
			if (walk(&t, formats[i].format) && sm_encode(&insn, encoding))
				return true;
		}
	}
	return false;
}
