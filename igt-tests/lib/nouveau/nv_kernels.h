/* SPDX-License-Identifier: MIT */
/*
 * Compute kernels for Pascal (SM60, SM61), ours: each instruction's encoding beside its text, and
 * control words. i is the number of a thread in a grid of one dimension; dst[i] is the word at
 * dst + (i << dst_shift), src[i] likewise, where what is shifted has 32 bits. No kernel uses
 * shared memory, local memory or barriers. test_sm_kernels.c of the modelled GPU holds encodings,
 * text and control words against each other, and shows that each kernel does what its comment says.
 */
#ifndef NV_KERNELS_H
#define NV_KERNELS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct nv_kernel {
	const uint64_t *code;
	size_t size;
	unsigned int registers;
};

struct nv_kernel_args {
	uint64_t dst, src;
	uint32_t dst_shift, src_shift;
	uint32_t value;
	uint32_t count;
};

/* Bank 0 of constants, laid out as CUDA does it for sm_60. */
#define NV_KERNEL_NTID	    0x8	 /* threads of a block; y and z follow */
#define NV_KERNEL_NCTAID    0x14 /* blocks of the grid */
#define NV_KERNEL_ARGS	    0x140
#define NV_KERNEL_CONSTANTS 0x200

static inline void nv_kernel_constants(void *bank, uint32_t blocks, uint32_t threads_per_block,
				       const struct nv_kernel_args *args)
{
	const uint32_t block[] = { threads_per_block, 1, 1 }, grid[] = { blocks, 1, 1 };

	memset(bank, 0, NV_KERNEL_CONSTANTS);
	memcpy((char *)bank + NV_KERNEL_NTID, block, sizeof(block));
	memcpy((char *)bank + NV_KERNEL_NCTAID, grid, sizeof(grid));
	memcpy((char *)bank + NV_KERNEL_ARGS, args, sizeof(*args));
}

/* dst[i] = src[i] */
#define NV_KERNEL_COPY(C, I)                                         \
	C(0x007fb403e1a01f0d)                                        \
	I(0xf0c8000002570000, "S2R R0, SR_CTAID.X")                  \
	I(0xf0c8000002170001, "S2R R1, SR_TID.X")                    \
	I(0x4e00008000270002, "XMAD R2, R0, c[0x0][0x8], R1")        \
	C(0x007fb403fda01fed)                                        \
	I(0x4f107f8000270003, "XMAD.MRG R3, R0, c[0x0][0x8].H1, RZ") \
	I(0x5b30011800370000, "XMAD.PSL.CBCC R0, R0.H1, R3.H1, R2")  \
	I(0x4c48000005470002, "SHL R2, R0, c[0x0][0x150]")           \
	C(0x007fb403fda01fed)                                        \
	I(0x4c10800005070202, "IADD R2.CC, R2, c[0x0][0x140]")       \
	I(0x4c1008000517ff03, "IADD.X R3, RZ, c[0x0][0x144]")        \
	I(0x4c48000005570004, "SHL R4, R0, c[0x0][0x154]")           \
	C(0x00643403fda01fed)                                        \
	I(0x4c10800005270404, "IADD R4.CC, R4, c[0x0][0x148]")       \
	I(0x4c1008000537ff05, "IADD.X R5, RZ, c[0x0][0x14c]")        \
	I(0xeed4200000070406, "LDG.E R6, [R4]")                      \
	C(0x007fb403fda019ed)                                        \
	I(0xeedc200000070206, "STG.E [R2], R6")                      \
	I(0xe30000000007000f, "EXIT")                                \
	I(0xe2400fffff87000f, "BRA 0x98")

/* dst[i] = src[i] of other widths: the load, its text, the store, its text */
#define NV_KERNEL_COPY_WIDTH(C, I, load, load_text, store, store_text) \
	C(0x007fb403e1a01f0d)                                          \
	I(0xf0c8000002570000, "S2R R0, SR_CTAID.X")                    \
	I(0xf0c8000002170001, "S2R R1, SR_TID.X")                      \
	I(0x4e00008000270002, "XMAD R2, R0, c[0x0][0x8], R1")          \
	C(0x007fb403fda01fed)                                          \
	I(0x4f107f8000270003, "XMAD.MRG R3, R0, c[0x0][0x8].H1, RZ")   \
	I(0x5b30011800370000, "XMAD.PSL.CBCC R0, R0.H1, R3.H1, R2")    \
	I(0x4c48000005470002, "SHL R2, R0, c[0x0][0x150]")             \
	C(0x007fb403fda01fed)                                          \
	I(0x4c10800005070202, "IADD R2.CC, R2, c[0x0][0x140]")         \
	I(0x4c1008000517ff03, "IADD.X R3, RZ, c[0x0][0x144]")          \
	I(0x4c48000005570004, "SHL R4, R0, c[0x0][0x154]")             \
	C(0x00643403fda01fed)                                          \
	I(0x4c10800005270404, "IADD R4.CC, R4, c[0x0][0x148]")         \
	I(0x4c1008000537ff05, "IADD.X R5, RZ, c[0x0][0x14c]")          \
	I(load, load_text)                                             \
	C(0x007fb403fda019ed)                                          \
	I(store, store_text)                                           \
	I(0xe30000000007000f, "EXIT")                                  \
	I(0xe2400fffff87000f, "BRA 0x98")

#define NV_KERNEL_COPY_U8(C, I)                                                                 \
	NV_KERNEL_COPY_WIDTH(C, I, 0xeed0200000070408, "LDG.E.U8 R8, [R4]", 0xeed8200000070208, \
			     "STG.E.U8 [R2], R8")
#define NV_KERNEL_COPY_U16(C, I)                                                                 \
	NV_KERNEL_COPY_WIDTH(C, I, 0xeed2200000070408, "LDG.E.U16 R8, [R4]", 0xeeda200000070208, \
			     "STG.E.U16 [R2], R8")
#define NV_KERNEL_COPY_64(C, I)                                                                 \
	NV_KERNEL_COPY_WIDTH(C, I, 0xeed5200000070408, "LDG.E.64 R8, [R4]", 0xeedd200000070208, \
			     "STG.E.64 [R2], R8")
#define NV_KERNEL_COPY_128(C, I)                                                                 \
	NV_KERNEL_COPY_WIDTH(C, I, 0xeed6200000070408, "LDG.E.128 R8, [R4]", 0xeede200000070208, \
			     "STG.E.128 [R2], R8")

/* dst[i] = i + value */
#define NV_KERNEL_FILL(C, I)                                         \
	C(0x007fb403e1a01f0d)                                        \
	I(0xf0c8000002570000, "S2R R0, SR_CTAID.X")                  \
	I(0xf0c8000002170001, "S2R R1, SR_TID.X")                    \
	I(0x4e00008000270002, "XMAD R2, R0, c[0x0][0x8], R1")        \
	C(0x007fb403fda01fed)                                        \
	I(0x4f107f8000270003, "XMAD.MRG R3, R0, c[0x0][0x8].H1, RZ") \
	I(0x5b30011800370000, "XMAD.PSL.CBCC R0, R0.H1, R3.H1, R2")  \
	I(0x4c48000005470002, "SHL R2, R0, c[0x0][0x150]")           \
	C(0x007fb403fda01fed)                                        \
	I(0x4c10800005070202, "IADD R2.CC, R2, c[0x0][0x140]")       \
	I(0x4c1008000517ff03, "IADD.X R3, RZ, c[0x0][0x144]")        \
	I(0x4c10000005670006, "IADD R6, R0, c[0x0][0x158]")          \
	C(0x007fb403fda019ed)                                        \
	I(0xeedc200000070206, "STG.E [R2], R6")                      \
	I(0xe30000000007000f, "EXIT")                                \
	I(0xe2400fffff87000f, "BRA 0x78")

/* dst[i] += i + value, atomically */
#define NV_KERNEL_ADD(C, I)                                          \
	C(0x007fb403e1a01f0d)                                        \
	I(0xf0c8000002570000, "S2R R0, SR_CTAID.X")                  \
	I(0xf0c8000002170001, "S2R R1, SR_TID.X")                    \
	I(0x4e00008000270002, "XMAD R2, R0, c[0x0][0x8], R1")        \
	C(0x007fb403fda01fed)                                        \
	I(0x4f107f8000270003, "XMAD.MRG R3, R0, c[0x0][0x8].H1, RZ") \
	I(0x5b30011800370000, "XMAD.PSL.CBCC R0, R0.H1, R3.H1, R2")  \
	I(0x4c48000005470002, "SHL R2, R0, c[0x0][0x150]")           \
	C(0x007fb403fda01fed)                                        \
	I(0x4c10800005070202, "IADD R2.CC, R2, c[0x0][0x140]")       \
	I(0x4c1008000517ff03, "IADD.X R3, RZ, c[0x0][0x144]")        \
	I(0x4c10000005670006, "IADD R6, R0, c[0x0][0x158]")          \
	C(0x007fb403fda019ed)                                        \
	I(0xebf9000000070206, "RED.E.ADD [R2], R6")                  \
	I(0xe30000000007000f, "EXIT")                                \
	I(0xe2400fffff87000f, "BRA 0x78")

/* dst[i] = src[i], src[i] = i + value, atomically */
#define NV_KERNEL_EXCHANGE(C, I)                                     \
	C(0x007fb403e1a01f0d)                                        \
	I(0xf0c8000002570000, "S2R R0, SR_CTAID.X")                  \
	I(0xf0c8000002170001, "S2R R1, SR_TID.X")                    \
	I(0x4e00008000270002, "XMAD R2, R0, c[0x0][0x8], R1")        \
	C(0x007fb403fda01fed)                                        \
	I(0x4f107f8000270003, "XMAD.MRG R3, R0, c[0x0][0x8].H1, RZ") \
	I(0x5b30011800370000, "XMAD.PSL.CBCC R0, R0.H1, R3.H1, R2")  \
	I(0x4c48000005470002, "SHL R2, R0, c[0x0][0x150]")           \
	C(0x007fb403fda01fed)                                        \
	I(0x4c10800005070202, "IADD R2.CC, R2, c[0x0][0x140]")       \
	I(0x4c1008000517ff03, "IADD.X R3, RZ, c[0x0][0x144]")        \
	I(0x4c48000005570004, "SHL R4, R0, c[0x0][0x154]")           \
	C(0x007fb403fda01fed)                                        \
	I(0x4c10800005270404, "IADD R4.CC, R4, c[0x0][0x148]")       \
	I(0x4c1008000537ff05, "IADD.X R5, RZ, c[0x0][0x14c]")        \
	I(0x4c10000005670006, "IADD R6, R0, c[0x0][0x158]")          \
	C(0x007fb4033da0190d)                                        \
	I(0xed81000000670406, "ATOM.E.EXCH R6, [R4], R6")            \
	I(0xeedc200000070206, "STG.E [R2], R6")                      \
	I(0xe30000000007000f, "EXIT")                                \
	C(0x007fb403fda01fed)                                        \
	I(0xe2400fffff87000f, "BRA 0xa8")                            \
	I(0x50b0000000070f00, "NOP")                                 \
	I(0x50b0000000070f00, "NOP")

/* dst[i] = dst[i] + value, not atomically */
#define NV_KERNEL_INCREMENT(C, I)                                    \
	C(0x007fb403e1a01f0d)                                        \
	I(0xf0c8000002570000, "S2R R0, SR_CTAID.X")                  \
	I(0xf0c8000002170001, "S2R R1, SR_TID.X")                    \
	I(0x4e00008000270002, "XMAD R2, R0, c[0x0][0x8], R1")        \
	C(0x007fb403fda01fed)                                        \
	I(0x4f107f8000270003, "XMAD.MRG R3, R0, c[0x0][0x8].H1, RZ") \
	I(0x5b30011800370000, "XMAD.PSL.CBCC R0, R0.H1, R3.H1, R2")  \
	I(0x4c48000005470002, "SHL R2, R0, c[0x0][0x150]")           \
	C(0x00643403fda01fed)                                        \
	I(0x4c10800005070202, "IADD R2.CC, R2, c[0x0][0x140]")       \
	I(0x4c1008000517ff03, "IADD.X R3, RZ, c[0x0][0x144]")        \
	I(0xeed4200000070206, "LDG.E R6, [R2]")                      \
	C(0x007fb4033da01fed)                                        \
	I(0x4c10000005670606, "IADD R6, R6, c[0x0][0x158]")          \
	I(0xeedc200000070206, "STG.E [R2], R6")                      \
	I(0xe30000000007000f, "EXIT")                                \
	C(0x007fb403fda01fed)                                        \
	I(0xe2400fffff87000f, "BRA 0x88")                            \
	I(0x50b0000000070f00, "NOP")                                 \
	I(0x50b0000000070f00, "NOP")

/* dst[j] = j + value for j = i, i + threads, i + 2 threads ... below count */
#define NV_KERNEL_FILL_ALL(C, I)                                                \
	C(0x007fb403e1a01f0d)                                                   \
	I(0xf0c8000002570000, "S2R R0, SR_CTAID.X")                             \
	I(0xf0c8000002170001, "S2R R1, SR_TID.X")                               \
	I(0x4e00008000270002, "XMAD R2, R0, c[0x0][0x8], R1")                   \
	C(0x007fb403fda01fed)                                                   \
	I(0x4f107f8000270003, "XMAD.MRG R3, R0, c[0x0][0x8].H1, RZ")            \
	I(0x5b30011800370000, "XMAD.PSL.CBCC R0, R0.H1, R3.H1, R2")             \
	I(0x4c98078000570008, "MOV R8, c[0x0][0x14]")                           \
	C(0x007fb403fda01fed)                                                   \
	I(0x4e007f8000270809, "XMAD R9, R8, c[0x0][0x8], RZ")                   \
	I(0x4f107f800027080a, "XMAD.MRG R10, R8, c[0x0][0x8].H1, RZ")           \
	I(0x5b30049800a70808, "XMAD.PSL.CBCC R8, R8.H1, R10.H1, R9")            \
	C(0x007fb403fda01fed)                                                   \
	I(0x5c98078000070007, "MOV R7, R0")                                     \
	I(0xe290000006000000, "SSY 0xd8")                                       \
	I(0x4b6c038005770707, "ISETP.GE.U32.AND P0, PT, R7, c[0x0][0x15c], PT") \
	C(0x007fb403fda01fed)                                                   \
	I(0xf0f800000000000f, "@P0 SYNC")                                       \
	I(0x4c48000005470702, "SHL R2, R7, c[0x0][0x150]")                      \
	I(0x4c10800005070202, "IADD R2.CC, R2, c[0x0][0x140]")                  \
	C(0x0067b403fda01fed)                                                   \
	I(0x4c1008000517ff03, "IADD.X R3, RZ, c[0x0][0x144]")                   \
	I(0x4c10000005670706, "IADD R6, R7, c[0x0][0x158]")                     \
	I(0xeedc200000070206, "STG.E [R2], R6")                                 \
	C(0x007fb403fda01fed)                                                   \
	I(0x5c10000000870707, "IADD R7, R7, R8")                                \
	I(0xe2400ffffa07000f, "BRA 0x78")                                       \
	I(0xe30000000007000f, "EXIT")                                           \
	C(0x007fb403fda01fed)                                                   \
	I(0xe2400fffff87000f, "BRA 0xe8")                                       \
	I(0x50b0000000070f00, "NOP")                                            \
	I(0x50b0000000070f00, "NOP")

/* dst[i] = sum of src[j] for j = i, i + threads, i + 2 threads ... below count */
#define NV_KERNEL_SUM_ALL(C, I)                                                 \
	C(0x007fb403e1a01f0d)                                                   \
	I(0xf0c8000002570000, "S2R R0, SR_CTAID.X")                             \
	I(0xf0c8000002170001, "S2R R1, SR_TID.X")                               \
	I(0x4e00008000270002, "XMAD R2, R0, c[0x0][0x8], R1")                   \
	C(0x007fb403fda01fed)                                                   \
	I(0x4f107f8000270003, "XMAD.MRG R3, R0, c[0x0][0x8].H1, RZ")            \
	I(0x5b30011800370000, "XMAD.PSL.CBCC R0, R0.H1, R3.H1, R2")             \
	I(0x4c98078000570008, "MOV R8, c[0x0][0x14]")                           \
	C(0x007fb403fda01fed)                                                   \
	I(0x4e007f8000270809, "XMAD R9, R8, c[0x0][0x8], RZ")                   \
	I(0x4f107f800027080a, "XMAD.MRG R10, R8, c[0x0][0x8].H1, RZ")           \
	I(0x5b30049800a70808, "XMAD.PSL.CBCC R8, R8.H1, R10.H1, R9")            \
	C(0x007fb403fda01fed)                                                   \
	I(0x5c98078000070007, "MOV R7, R0")                                     \
	I(0x5c9807800ff70006, "MOV R6, RZ")                                     \
	I(0xe290000006800000, "SSY 0xe8")                                       \
	C(0x007fb403fda01fed)                                                   \
	I(0x4b6c038005770707, "ISETP.GE.U32.AND P0, PT, R7, c[0x0][0x15c], PT") \
	I(0xf0f800000000000f, "@P0 SYNC")                                       \
	I(0x4c48000005570704, "SHL R4, R7, c[0x0][0x154]")                      \
	C(0x00643403fda01fed)                                                   \
	I(0x4c10800005270404, "IADD R4.CC, R4, c[0x0][0x148]")                  \
	I(0x4c1008000537ff05, "IADD.X R5, RZ, c[0x0][0x14c]")                   \
	I(0xeed4200000070409, "LDG.E R9, [R4]")                                 \
	C(0x007fb403fda01fed)                                                   \
	I(0x5c10000000970606, "IADD R6, R6, R9")                                \
	I(0x5c10000000870707, "IADD R7, R7, R8")                                \
	I(0xe2400ffffa87000f, "BRA 0x88")                                       \
	C(0x007fb403fda01fed)                                                   \
	I(0x4c48000005470002, "SHL R2, R0, c[0x0][0x150]")                      \
	I(0x4c10800005070202, "IADD R2.CC, R2, c[0x0][0x140]")                  \
	I(0x4c1008000517ff03, "IADD.X R3, RZ, c[0x0][0x144]")                   \
	C(0x007fb403fda019ed)                                                   \
	I(0xeedc200000070206, "STG.E [R2], R6")                                 \
	I(0xe30000000007000f, "EXIT")                                           \
	I(0xe2400fffff87000f, "BRA 0x118")

/* dst[i] = i + value, behind a hint that src[i] will be read */
#define NV_KERNEL_HINTED_FILL(C, I)                                  \
	C(0x007fb403e1a01f0d)                                        \
	I(0xf0c8000002570000, "S2R R0, SR_CTAID.X")                  \
	I(0xf0c8000002170001, "S2R R1, SR_TID.X")                    \
	I(0x4e00008000270002, "XMAD R2, R0, c[0x0][0x8], R1")        \
	C(0x007fb403fda01fed)                                        \
	I(0x4f107f8000270003, "XMAD.MRG R3, R0, c[0x0][0x8].H1, RZ") \
	I(0x5b30011800370000, "XMAD.PSL.CBCC R0, R0.H1, R3.H1, R2")  \
	I(0x4c48000005470002, "SHL R2, R0, c[0x0][0x150]")           \
	C(0x007fb403fda01fed)                                        \
	I(0x4c10800005070202, "IADD R2.CC, R2, c[0x0][0x140]")       \
	I(0x4c1008000517ff03, "IADD.X R3, RZ, c[0x0][0x144]")        \
	I(0x4c48000005570004, "SHL R4, R0, c[0x0][0x154]")           \
	C(0x007fb403fda01fed)                                        \
	I(0x4c10800005270404, "IADD R4.CC, R4, c[0x0][0x148]")       \
	I(0x4c1008000537ff05, "IADD.X R5, RZ, c[0x0][0x14c]")        \
	I(0x4c10000005670006, "IADD R6, R0, c[0x0][0x158]")          \
	C(0x007fb4033da019ed)                                        \
	I(0xef70000000070403, "CCTL.E.PF2 [R4]")                     \
	I(0xeedc200000070206, "STG.E [R2], R6")                      \
	I(0xe30000000007000f, "EXIT")                                \
	C(0x007fb403fda01fed)                                        \
	I(0xe2400fffff87000f, "BRA 0xa8")                            \
	I(0x50b0000000070f00, "NOP")                                 \
	I(0x50b0000000070f00, "NOP")

/* dst[0] = 0, by all threads: for a pointer to nowhere */
#define NV_KERNEL_WILD(C, I)                           \
	C(0x0067b403fda01fed)                          \
	I(0x4c98078005070002, "MOV R2, c[0x0][0x140]") \
	I(0x4c98078005170003, "MOV R3, c[0x0][0x144]") \
	I(0xeedc2000000702ff, "STG.E [R2], RZ")        \
	C(0x007fb403fda01fed)                          \
	I(0xe30000000007000f, "EXIT")                  \
	I(0xe2400fffff87000f, "BRA 0x30")              \
	I(0x50b0000000070f00, "NOP")

#define NV_KERNEL_WORD(encoding, ...) UINT64_C(encoding),
#define NV_KERNEL(name, listing)                                                           \
	static const uint64_t name##_code[] = { listing(NV_KERNEL_WORD, NV_KERNEL_WORD) }; \
	static const struct nv_kernel name                                                 \
		__attribute__((unused)) = { name##_code, sizeof(name##_code), 16 }

NV_KERNEL(nv_kernel_copy, NV_KERNEL_COPY);
NV_KERNEL(nv_kernel_copy_u8, NV_KERNEL_COPY_U8);
NV_KERNEL(nv_kernel_copy_u16, NV_KERNEL_COPY_U16);
NV_KERNEL(nv_kernel_copy_64, NV_KERNEL_COPY_64);
NV_KERNEL(nv_kernel_copy_128, NV_KERNEL_COPY_128);
NV_KERNEL(nv_kernel_fill, NV_KERNEL_FILL);
NV_KERNEL(nv_kernel_add, NV_KERNEL_ADD);
NV_KERNEL(nv_kernel_exchange, NV_KERNEL_EXCHANGE);
NV_KERNEL(nv_kernel_increment, NV_KERNEL_INCREMENT);
NV_KERNEL(nv_kernel_fill_all, NV_KERNEL_FILL_ALL);
NV_KERNEL(nv_kernel_sum_all, NV_KERNEL_SUM_ALL);
NV_KERNEL(nv_kernel_hinted_fill, NV_KERNEL_HINTED_FILL);
NV_KERNEL(nv_kernel_wild, NV_KERNEL_WILD);

#endif
