/* SPDX-License-Identifier: MIT */
/*
 * SM60 instructions as text, as NVIDIA's cuobjdump prints them, and back: with one table of
 * formats for both ways, on top of the model's decoder.
 */
#ifndef SASS_H
#define SASS_H

#include "types.h"

#define SASS_TEXT 96

/* The instruction at pc as text; false if it is none that the model knows. */
bool sass_print(u64 encoding, u32 pc, char text[SASS_TEXT]);

/* false: not of any format, or a number does not fit. */
bool sass_assemble(const char *text, u32 pc, u64 *encoding);

/*
 * A program: lines of instructions, and labels ("loop:", then "BRA loop"). Control words are put
 * in between: slow, but such that hardware would get the same results. Returns the number
 * of words; ends the test with a message if a line is wrong. code has room for max.
 */
size_t sass_program(const char *source, u64 *code, size_t max);

#endif
