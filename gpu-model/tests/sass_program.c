/* SPDX-License-Identifier: MIT */
/* See sass.h: programs of lines and labels, with control words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sass.h"
#include "sm_insn.h"

#define LABELS 32

struct label {
	char name[24];
	u32 at;
};

struct program {
	struct label labels[LABELS];
	size_t count;
};

/* The address of the n-th instruction: every fourth word is a control word. */
static u32 address_of(size_t n)
{
	return (u32)(n / 3 * 32 + n % 3 * 8 + 8);
}

/* One instruction, in which a label at the end stands for an address. */
static bool assemble_line(const struct program *program, const char *line, u32 pc, u64 *encoding)
{
	char text[SASS_TEXT + 24];
	char *last;

	snprintf(text, sizeof(text), "%s", line);
	last = strrchr(text, ' ');
	for (size_t i = 0; last && i < program->count; i++)
		if (!strcmp(last + 1, program->labels[i].name))
			sprintf(last + 1, "0x%x", program->labels[i].at);
	return sass_assemble(text, pc, encoding);
}

/*
 * The part of the control word for an instruction, as hardware needs it that does not track
 * registers: what comes late sets barrier 0, what is read late barrier 1, each instruction waits
 * for both, and then for the 13 cycles of a predicate. Which are late: maxas' grammar.
 */
static u64 control_for(u64 encoding)
{
	enum {
		STALL = 13,
		NO_WRITE_BARRIER = SM_NO_BARRIER << 5,
		READ_BARRIER = 1 << 8,
		NO_READ_BARRIER = SM_NO_BARRIER << 8,
		WAIT_FOR_BOTH = 3 << 11,
	};
	struct sm_insn insn;

	sm_decode(encoding, &insn);
	switch (insn.op) {
	case OP_LDG:
	case OP_LD:
	case OP_LDS:
	case OP_LDL:
	case OP_LDC:
	case OP_ATOM:
	case OP_ATOM_CAS:
	case OP_ATOMS:
	case OP_ATOMS_CAS:
	case OP_SHFL:
		return STALL | READ_BARRIER | WAIT_FOR_BOTH;
	case OP_STG:
	case OP_ST:
	case OP_STS:
	case OP_STL:
	case OP_RED:
	case OP_CCTL: /* not in maxas' grammar; its address is read as a store's is */
		return STALL | NO_WRITE_BARRIER | READ_BARRIER | WAIT_FOR_BOTH;
	case OP_S2R:
	case OP_B2R:
	case OP_MUFU:
	case OP_I2F:
	case OP_F2I:
	case OP_I2I:
	case OP_FLO:
	case OP_POPC:
		return STALL | NO_READ_BARRIER | WAIT_FOR_BOTH;
	default:
		return STALL | NO_WRITE_BARRIER | NO_READ_BARRIER | WAIT_FOR_BOTH;
	}
}

/* The control words, in front of each three instructions; a bundle is fetched whole. */
static size_t add_control_words(u64 *code, size_t words, size_t max)
{
	for (; words % 4; words++)
		if (words >= max || !sass_assemble("NOP", 0, &code[words]))
			abort();
	for (size_t i = 0; i < words; i += 4)
		code[i] = control_for(code[i + 1]) | control_for(code[i + 2]) << 21 |
			  control_for(code[i + 3]) << 42;
	return words;
}

size_t sass_program(const char *source, u64 *code, size_t max)
{
	struct program program = { .count = 0 };
	size_t n = 0, words = 0;

	for (unsigned int pass = 0; pass < 2; pass++) {
		char *copy = strdup(source), *save = NULL;

		n = 0;
		for (char *line = strtok_r(copy, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save)) {
			size_t len;

			line += strspn(line, "\t ");
			len = strlen(line);
			if (len && line[len - 1] == ':') {
				if (!pass && program.count < LABELS) {
					struct label *label = &program.labels[program.count++];

					snprintf(label->name, sizeof(label->name), "%.*s",
						 (int)len - 1, line);
					label->at = address_of(n);
				}
				continue;
			}
			words = address_of(n) / 8 + 1;
			if (words > max || (pass && !assemble_line(&program, line, address_of(n),
								   &code[words - 1]))) {
				fprintf(stderr, "cannot assemble: %s\n", line);
				abort();
			}
			n++;
		}
		free(copy);
	}
	return add_control_words(code, words, max);
}
