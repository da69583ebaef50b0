/* SPDX-License-Identifier: MIT */
/* Fixed-width names and bit helpers in the kernel's manner. */
#ifndef TYPES_H
#define TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

#define BIT(n)	   (UINT32_C(1) << (n))
#define BIT_ULL(n) (UINT64_C(1) << (n))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* bits(v, 15, 8): the field 15:8 of v, right-aligned; any width up to 64 bits. */
static inline u64 bits(u64 v, unsigned int hi, unsigned int lo)
{
	return (v >> lo) & (~UINT64_C(0) >> (63 - (hi - lo)));
}

#endif
