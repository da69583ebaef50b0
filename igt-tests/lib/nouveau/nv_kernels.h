/* SPDX-License-Identifier: MIT */
/*
 * Compute kernels for SM60 (GP100), written by hand: each instruction's encoding beside its text.
 *
 * Bank 0 of constants is laid out as CUDA does it for sm_60: c[0x0][0x8] is the number of threads
 * of a CTA along x, c[0x0][0x14] that of CTAs, parameters begin at 0x140 (struct nv_kernel_params).
 * Grids have one dimension; i is a thread's number in it. array[i] is the word at
 * params.array + (i << params.shift). The kernels use no shared and no local memory, no barrier.
 *
 * Control words are careful, not fast: each instruction waits for both barriers in use, loads, S2R
 * and stores set one, predicates get 13 cycles and all else 6. gpu-model/tests/test_sm_kernels.c
 * holds encodings, text and control words against each other.
 */
#ifndef NV_KERNELS_H
#define NV_KERNELS_H

#include <stdint.h>

#define NV_KERNEL_REGISTERS 16
#define NV_KERNEL_NTID	    0x8 /* where c[0x0] has what */
#define NV_KERNEL_NCTAID    0x14
#define NV_KERNEL_PARAMS    0x140

struct nv_kernel_params {
	uint64_t array;
	uint32_t count; /* threads from this on do nothing; for the loops: of elements */
	uint32_t shift;
	uint64_t out; /* a word for each thread */
	uint32_t value;
};

/* array[i] = value + i */
#define NV_KERNEL_STORE(C, I)                                                   \
	C(0x007fd803e2401f12)                                                   \
	I(0xf0c8000002570000, "S2R R0, SR_CTAID.X")                             \
	I(0xf0c8000002170001, "S2R R1, SR_TID.X")                               \
	I(0x4e00008000270002, "XMAD R2, R0, c[0x0][0x8], R1")                   \
	C(0x007fb403fec01ff6)                                                   \
	I(0x4f107f8000270003, "XMAD.MRG R3, R0, c[0x0][0x8].H1, RZ")            \
	I(0x5b30011800370000, "XMAD.PSL.CBCC R0, R0.H1, R3.H1, R2")             \
	I(0x4b6c038005270007, "ISETP.GE.U32.AND P0, PT, R0, c[0x0][0x148], PT") \
	C(0x007fd803fec01fff)                                                   \
	I(0xe30000000000000f, "@P0 EXIT")                                       \
	I(0x4c98078005370004, "MOV R4, c[0x0][0x14c]")                          \
	I(0x5c48000000470002, "SHL R2, R0, R4")                                 \
	C(0x007fd803fec01ff6)                                                   \
	I(0x5bf87fc000470003, "SHF.L.U64 R3, R0, R4, RZ")                       \
	I(0x4c10800005070202, "IADD R2.CC, R2, c[0x0][0x140]")                  \
	I(0x4c10080005170303, "IADD.X R3, R3, c[0x0][0x144]")                   \
	C(0x007ffc033e401ff6)                                                   \
	I(0x4c10000005670005, "IADD R5, R0, c[0x0][0x158]")                     \
	I(0xeedc200000070205, "STG.E [R2], R5")                                 \
	I(0xe30000000007000f, "EXIT")                                           \
	C(0x001f8000fc001fff)                                                   \
	I(0xe2400fffff87000f, "BRA 0xa8")                                       \
	I(0x50b0000000070f00, "NOP")                                            \
	I(0x50b0000000070f00, "NOP")

/* out[i] = array[i] */
#define NV_KERNEL_LOAD(C, I)                                                    \
	C(0x007fd803e2401f12)                                                   \
	I(0xf0c8000002570000, "S2R R0, SR_CTAID.X")                             \
	I(0xf0c8000002170001, "S2R R1, SR_TID.X")                               \
	I(0x4e00008000270002, "XMAD R2, R0, c[0x0][0x8], R1")                   \
	C(0x007fb403fec01ff6)                                                   \
	I(0x4f107f8000270003, "XMAD.MRG R3, R0, c[0x0][0x8].H1, RZ")            \
	I(0x5b30011800370000, "XMAD.PSL.CBCC R0, R0.H1, R3.H1, R2")             \
	I(0x4b6c038005270007, "ISETP.GE.U32.AND P0, PT, R0, c[0x0][0x148], PT") \
	C(0x007fd803fec01fff)                                                   \
	I(0xe30000000000000f, "@P0 EXIT")                                       \
	I(0x4c98078005370004, "MOV R4, c[0x0][0x14c]")                          \
	I(0x5c48000000470002, "SHL R2, R0, R4")                                 \
	C(0x007fd803fec01ff6)                                                   \
	I(0x5bf87fc000470003, "SHF.L.U64 R3, R0, R4, RZ")                       \
	I(0x4c10800005070202, "IADD R2.CC, R2, c[0x0][0x140]")                  \
	I(0x4c10080005170303, "IADD.X R3, R3, c[0x0][0x144]")                   \
	C(0x007fd803fec01912)                                                   \
	I(0xeed4200000070205, "LDG.E R5, [R2]")                                 \
	I(0x3848000000270006, "SHL R6, R0, 0x2")                                \
	I(0x3828000001e70007, "SHR.U32 R7, R0, 0x1e")                           \
	C(0x0067c803fec01ff6)                                                   \
	I(0x4c10800005470606, "IADD R6.CC, R6, c[0x0][0x150]")                  \
	I(0x4c10080005570707, "IADD.X R7, R7, c[0x0][0x154]")                   \
	I(0xeedc200000070605, "STG.E [R6], R5")                                 \
	C(0x001f8003ffe01fff)                                                   \
	I(0xe30000000007000f, "EXIT")                                           \
	I(0xe2400fffff87000f, "BRA 0xd0")                                       \
	I(0x50b0000000070f00, "NOP")

/* array[i] += value, as a load and a store */
#define NV_KERNEL_ADD(C, I)                                                     \
	C(0x007fd803e2401f12)                                                   \
	I(0xf0c8000002570000, "S2R R0, SR_CTAID.X")                             \
	I(0xf0c8000002170001, "S2R R1, SR_TID.X")                               \
	I(0x4e00008000270002, "XMAD R2, R0, c[0x0][0x8], R1")                   \
	C(0x007fb403fec01ff6)                                                   \
	I(0x4f107f8000270003, "XMAD.MRG R3, R0, c[0x0][0x8].H1, RZ")            \
	I(0x5b30011800370000, "XMAD.PSL.CBCC R0, R0.H1, R3.H1, R2")             \
	I(0x4b6c038005270007, "ISETP.GE.U32.AND P0, PT, R0, c[0x0][0x148], PT") \
	C(0x007fd803fec01fff)                                                   \
	I(0xe30000000000000f, "@P0 EXIT")                                       \
	I(0x4c98078005370004, "MOV R4, c[0x0][0x14c]")                          \
	I(0x5c48000000470002, "SHL R2, R0, R4")                                 \
	C(0x007fd803fec01ff6)                                                   \
	I(0x5bf87fc000470003, "SHF.L.U64 R3, R0, R4, RZ")                       \
	I(0x4c10800005070202, "IADD R2.CC, R2, c[0x0][0x140]")                  \
	I(0x4c10080005170303, "IADD.X R3, R3, c[0x0][0x144]")                   \
	C(0x0067c803fec01912)                                                   \
	I(0xeed4200000070205, "LDG.E R5, [R2]")                                 \
	I(0x4c10000005670505, "IADD R5, R5, c[0x0][0x158]")                     \
	I(0xeedc200000070205, "STG.E [R2], R5")                                 \
	C(0x001f8003ffe01fff)                                                   \
	I(0xe30000000007000f, "EXIT")                                           \
	I(0xe2400fffff87000f, "BRA 0xb0")                                       \
	I(0x50b0000000070f00, "NOP")

/* array[i] += value, as a reduction */
#define NV_KERNEL_REDUCE(C, I)                                                  \
	C(0x007fd803e2401f12)                                                   \
	I(0xf0c8000002570000, "S2R R0, SR_CTAID.X")                             \
	I(0xf0c8000002170001, "S2R R1, SR_TID.X")                               \
	I(0x4e00008000270002, "XMAD R2, R0, c[0x0][0x8], R1")                   \
	C(0x007fb403fec01ff6)                                                   \
	I(0x4f107f8000270003, "XMAD.MRG R3, R0, c[0x0][0x8].H1, RZ")            \
	I(0x5b30011800370000, "XMAD.PSL.CBCC R0, R0.H1, R3.H1, R2")             \
	I(0x4b6c038005270007, "ISETP.GE.U32.AND P0, PT, R0, c[0x0][0x148], PT") \
	C(0x007fd803fec01fff)                                                   \
	I(0xe30000000000000f, "@P0 EXIT")                                       \
	I(0x4c98078005370004, "MOV R4, c[0x0][0x14c]")                          \
	I(0x5c48000000470002, "SHL R2, R0, R4")                                 \
	C(0x007fd803fec01ff6)                                                   \
	I(0x5bf87fc000470003, "SHF.L.U64 R3, R0, R4, RZ")                       \
	I(0x4c10800005070202, "IADD R2.CC, R2, c[0x0][0x140]")                  \
	I(0x4c10080005170303, "IADD.X R3, R3, c[0x0][0x144]")                   \
	C(0x007ffc033e401ff6)                                                   \
	I(0x4c98078005670005, "MOV R5, c[0x0][0x158]")                          \
	I(0xebf9000000070205, "RED.E.ADD [R2], R5")                             \
	I(0xe30000000007000f, "EXIT")                                           \
	C(0x001f8000fc001fff)                                                   \
	I(0xe2400fffff87000f, "BRA 0xa8")                                       \
	I(0x50b0000000070f00, "NOP")                                            \
	I(0x50b0000000070f00, "NOP")

/* out[i] = array[0]; array[0] += value, at once and by all */
#define NV_KERNEL_ATOMIC_ADD(C, I)                                              \
	C(0x007fd803e2401f12)                                                   \
	I(0xf0c8000002570000, "S2R R0, SR_CTAID.X")                             \
	I(0xf0c8000002170001, "S2R R1, SR_TID.X")                               \
	I(0x4e00008000270002, "XMAD R2, R0, c[0x0][0x8], R1")                   \
	C(0x007fb403fec01ff6)                                                   \
	I(0x4f107f8000270003, "XMAD.MRG R3, R0, c[0x0][0x8].H1, RZ")            \
	I(0x5b30011800370000, "XMAD.PSL.CBCC R0, R0.H1, R3.H1, R2")             \
	I(0x4b6c038005270007, "ISETP.GE.U32.AND P0, PT, R0, c[0x0][0x148], PT") \
	C(0x007fd803fec01fff)                                                   \
	I(0xe30000000000000f, "@P0 EXIT")                                       \
	I(0x4c98078005070002, "MOV R2, c[0x0][0x140]")                          \
	I(0x4c98078005170003, "MOV R3, c[0x0][0x144]")                          \
	C(0x007fd80322401ff6)                                                   \
	I(0x4c98078005670005, "MOV R5, c[0x0][0x158]")                          \
	I(0xed01000000570205, "ATOM.E.ADD R5, [R2], R5")                        \
	I(0x3848000000270006, "SHL R6, R0, 0x2")                                \
	C(0x007fd803fec01ff6)                                                   \
	I(0x3828000001e70007, "SHR.U32 R7, R0, 0x1e")                           \
	I(0x4c10800005470606, "IADD R6.CC, R6, c[0x0][0x150]")                  \
	I(0x4c10080005570707, "IADD.X R7, R7, c[0x0][0x154]")                   \
	C(0x007ffc03ffe019f2)                                                   \
	I(0xeedc200000070605, "STG.E [R6], R5")                                 \
	I(0xe30000000007000f, "EXIT")                                           \
	I(0xe2400fffff87000f, "BRA 0xb8")

/* array[j] = value + j, for j = i, i + threads, i + 2 threads ... */
#define NV_KERNEL_FILL(C, I)                                                    \
	C(0x007fd803e2401f12)                                                   \
	I(0xf0c8000002570000, "S2R R0, SR_CTAID.X")                             \
	I(0xf0c8000002170001, "S2R R1, SR_TID.X")                               \
	I(0x4e00008000270002, "XMAD R2, R0, c[0x0][0x8], R1")                   \
	C(0x007fd803fec01ff6)                                                   \
	I(0x4f107f8000270003, "XMAD.MRG R3, R0, c[0x0][0x8].H1, RZ")            \
	I(0x5b30011800370000, "XMAD.PSL.CBCC R0, R0.H1, R3.H1, R2")             \
	I(0x4c98078000570008, "MOV R8, c[0x0][0x14]")                           \
	C(0x007fd803fec01ff6)                                                   \
	I(0x4e007f8000270802, "XMAD R2, R8, c[0x0][0x8], RZ")                   \
	I(0x4f107f8000270803, "XMAD.MRG R3, R8, c[0x0][0x8].H1, RZ")            \
	I(0x5b30011800370808, "XMAD.PSL.CBCC R8, R8.H1, R3.H1, R2")             \
	C(0x007fb403ffe01ff6)                                                   \
	I(0x5c98078000070009, "MOV R9, R0")                                     \
	I(0xe290000007800000, "SSY 0xf0")                                       \
	I(0x4b6c038005270907, "ISETP.GE.U32.AND P0, PT, R9, c[0x0][0x148], PT") \
	C(0x007fd803fec01fff)                                                   \
	I(0xf0f800000000000f, "@P0 SYNC")                                       \
	I(0x4c98078005370004, "MOV R4, c[0x0][0x14c]")                          \
	I(0x5c48000000470902, "SHL R2, R9, R4")                                 \
	C(0x007fd803fec01ff6)                                                   \
	I(0x5bf87fc000470903, "SHF.L.U64 R3, R9, R4, RZ")                       \
	I(0x4c10800005070202, "IADD R2.CC, R2, c[0x0][0x140]")                  \
	I(0x4c10080005170303, "IADD.X R3, R3, c[0x0][0x144]")                   \
	C(0x007fd8033e401ff6)                                                   \
	I(0x4c10000005670905, "IADD R5, R9, c[0x0][0x158]")                     \
	I(0xeedc200000070205, "STG.E [R2], R5")                                 \
	I(0x5c10000000870909, "IADD R9, R9, R8")                                \
	C(0x007ffc03ffe01fff)                                                   \
	I(0xe2400ffff887000f, "BRA 0x78")                                       \
	I(0xe30000000007000f, "EXIT")                                           \
	I(0xe2400fffff87000f, "BRA 0xf8")

/* out[i] = sum of array[j], for j = i, i + threads, i + 2 threads ... */
#define NV_KERNEL_SUM(C, I)                                                     \
	C(0x007fd803e2401f12)                                                   \
	I(0xf0c8000002570000, "S2R R0, SR_CTAID.X")                             \
	I(0xf0c8000002170001, "S2R R1, SR_TID.X")                               \
	I(0x4e00008000270002, "XMAD R2, R0, c[0x0][0x8], R1")                   \
	C(0x007fd803fec01ff6)                                                   \
	I(0x4f107f8000270003, "XMAD.MRG R3, R0, c[0x0][0x8].H1, RZ")            \
	I(0x5b30011800370000, "XMAD.PSL.CBCC R0, R0.H1, R3.H1, R2")             \
	I(0x4c98078000570008, "MOV R8, c[0x0][0x14]")                           \
	C(0x007fd803fec01ff6)                                                   \
	I(0x4e007f8000270802, "XMAD R2, R8, c[0x0][0x8], RZ")                   \
	I(0x4f107f8000270803, "XMAD.MRG R3, R8, c[0x0][0x8].H1, RZ")            \
	I(0x5b30011800370808, "XMAD.PSL.CBCC R8, R8.H1, R3.H1, R2")             \
	C(0x007ffc03fec01ff6)                                                   \
	I(0x5c98078000070009, "MOV R9, R0")                                     \
	I(0x5c9807800ff70005, "MOV R5, RZ")                                     \
	I(0xe290000007800000, "SSY 0xf8")                                       \
	C(0x007fd803ffe01fed)                                                   \
	I(0x4b6c038005270907, "ISETP.GE.U32.AND P0, PT, R9, c[0x0][0x148], PT") \
	I(0xf0f800000000000f, "@P0 SYNC")                                       \
	I(0x4c98078005370004, "MOV R4, c[0x0][0x14c]")                          \
	C(0x007fd803fec01ff6)                                                   \
	I(0x5c48000000470902, "SHL R2, R9, R4")                                 \
	I(0x5bf87fc000470903, "SHF.L.U64 R3, R9, R4, RZ")                       \
	I(0x4c10800005070202, "IADD R2.CC, R2, c[0x0][0x140]")                  \
	C(0x007fd80322401ff6)                                                   \
	I(0x4c10080005170303, "IADD.X R3, R3, c[0x0][0x144]")                   \
	I(0xeed420000007020a, "LDG.E R10, [R2]")                                \
	I(0x5c10000000a70505, "IADD R5, R5, R10")                               \
	C(0x007fd803ffe01ff6)                                                   \
	I(0x5c10000000870909, "IADD R9, R9, R8")                                \
	I(0xe2400ffff907000f, "BRA 0x88")                                       \
	I(0x3848000000270006, "SHL R6, R0, 0x2")                                \
	C(0x007fd803fec01ff6)                                                   \
	I(0x3828000001e70007, "SHR.U32 R7, R0, 0x1e")                           \
	I(0x4c10800005470606, "IADD R6.CC, R6, c[0x0][0x150]")                  \
	I(0x4c10080005570707, "IADD.X R7, R7, c[0x0][0x154]")                   \
	C(0x007ffc03ffe019f2)                                                   \
	I(0xeedc200000070605, "STG.E [R6], R5")                                 \
	I(0xe30000000007000f, "EXIT")                                           \
	I(0xe2400fffff87000f, "BRA 0x138")

/* *array = 0, whoever and however many: for pointers to nowhere */
#define NV_KERNEL_WILD(C, I)                           \
	C(0x0067c803fec01ff6)                          \
	I(0x4c98078005070002, "MOV R2, c[0x0][0x140]") \
	I(0x4c98078005170003, "MOV R3, c[0x0][0x144]") \
	I(0xeedc2000000702ff, "STG.E [R2], RZ")        \
	C(0x001f8003ffe01fff)                          \
	I(0xe30000000007000f, "EXIT")                  \
	I(0xe2400fffff87000f, "BRA 0x30")              \
	I(0x50b0000000070f00, "NOP")

#define NV_KERNEL_WORD(encoding, ...) UINT64_C(encoding),

static const uint64_t nv_kernel_store[]
	__attribute__((unused)) = { NV_KERNEL_STORE(NV_KERNEL_WORD, NV_KERNEL_WORD) };
static const uint64_t nv_kernel_load[]
	__attribute__((unused)) = { NV_KERNEL_LOAD(NV_KERNEL_WORD, NV_KERNEL_WORD) };
static const uint64_t nv_kernel_add[]
	__attribute__((unused)) = { NV_KERNEL_ADD(NV_KERNEL_WORD, NV_KERNEL_WORD) };
static const uint64_t nv_kernel_reduce[]
	__attribute__((unused)) = { NV_KERNEL_REDUCE(NV_KERNEL_WORD, NV_KERNEL_WORD) };
static const uint64_t nv_kernel_atomic_add[]
	__attribute__((unused)) = { NV_KERNEL_ATOMIC_ADD(NV_KERNEL_WORD, NV_KERNEL_WORD) };
static const uint64_t nv_kernel_fill[]
	__attribute__((unused)) = { NV_KERNEL_FILL(NV_KERNEL_WORD, NV_KERNEL_WORD) };
static const uint64_t nv_kernel_sum[]
	__attribute__((unused)) = { NV_KERNEL_SUM(NV_KERNEL_WORD, NV_KERNEL_WORD) };
static const uint64_t nv_kernel_wild[]
	__attribute__((unused)) = { NV_KERNEL_WILD(NV_KERNEL_WORD, NV_KERNEL_WORD) };

#endif
