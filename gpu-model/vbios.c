/* SPDX-License-Identifier: MIT */
/*
 * A minimal VBIOS: PCI expansion-ROM headers and the tables that every board of this kind
 * has. No init scripts: the board presents itself as POSTed. No outputs, no GPIOs, no I2C.
 * Source: open-gpu-doc BIOS-Information-Table, DCB 4.x specification; PCI firmware
 * specification 3.0. Memory information table: published by name only, laid out as open
 * drivers read it.
 */
#include <string.h>

#include "vbios.h"

/* Where things are in our image. */
enum {
	AT_PCIR = 0x040,
	AT_BIT = 0x100,
	AT_BIOSDATA = 0x200,
	AT_NVINIT = 0x240,
	AT_PMU_PTR = 0x280,
	AT_PERF_PTRS = 0x290,
	AT_PMU_TABLE = 0x300,
	AT_PMU_UCODE = 0x340,
	AT_RAMMAP = 0x400,
	AT_MEMORY_PTRS = 0x420,
	AT_MEMORY_INFO = 0x430,
	AT_DCB = 0x440,
};

enum {
	BIT_HEADER_BYTES = 12,
	BIT_TOKEN_BYTES = 6,
	PMU_UCODE_DEVINIT = 0x04,
	MEMORY_INFO_BY_STRAP = 0,
	MEMORY_HBM2 = 6,
	DCB_HEADER_BYTES = 27,
	DCB_ENTRY_BYTES = 8,
};
#define DCB_SIGNATURE 0x4edcbdcb

static const struct bit_token {
	char id;
	u8 version;
	u16 length, offset;
} tokens[] = {
	{ 'i', 2, 0x20, AT_BIOSDATA },	  { 'I', 1, 0x1c, AT_NVINIT },
	{ 'p', 2, 0x04, AT_PMU_PTR },	  { 'P', 2, 0x08, AT_PERF_PTRS },
	{ 'M', 2, 0x05, AT_MEMORY_PTRS },
};

static void put16(u8 *p, u16 v)
{
	p[0] = v & 0xff;
	p[1] = v >> 8;
}

static void put32(u8 *p, u32 v)
{
	put16(p, v & 0xffff);
	put16(p + 2, v >> 16);
}

/* The byte that makes "len" bytes before it sum to zero with it. */
static u8 checksum(const u8 *p, size_t len)
{
	u8 sum = 0;

	while (len--)
		sum += *p++;
	return -sum;
}

static void build_pcir(const struct chip *chip, u8 *image)
{
	u8 *pcir = image + AT_PCIR;

	put16(image, 0xaa55);
	image[2] = VBIOS_BYTES / 512;
	put16(image + 0x18, AT_PCIR);

	memcpy(pcir, "PCIR", 4);
	put16(pcir + 0x04, chip->vendor);
	put16(pcir + 0x06, chip->device);
	put16(pcir + 0x0a, 0x18); /* length of this structure */
	pcir[0x0c] = 3;
	pcir[0x0d] = 0x00; /* class 03.02.00: 3D controller */
	pcir[0x0e] = 0x02;
	pcir[0x0f] = 0x03;
	put16(pcir + 0x10, VBIOS_BYTES / 512);
	pcir[0x14] = 0;	   /* x86 code */
	pcir[0x15] = 0x80; /* last image */
}

static void build_bit(u8 *image)
{
	u8 *bit = image + AT_BIT;

	put16(bit, 0xb8ff);
	memcpy(bit + 2, "BIT", 4);
	put16(bit + 6, 0x0100);
	bit[8] = BIT_HEADER_BYTES;
	bit[9] = BIT_TOKEN_BYTES;
	bit[10] = ARRAY_SIZE(tokens);
	bit[11] = checksum(bit, 11);
	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
		u8 *t = bit + BIT_HEADER_BYTES + i * BIT_TOKEN_BYTES;

		t[0] = tokens[i].id;
		t[1] = tokens[i].version;
		put16(t + 2, tokens[i].length);
		put16(t + 4, tokens[i].offset);
	}
}

static void build_tables(const struct chip *chip, u8 *image)
{
	const u8 *version = chip->vbios_version;
	u8 *p = image + AT_BIOSDATA;

	p[0] = version[3]; /* micro */
	p[1] = version[2]; /* minor */
	p[2] = version[1]; /* chip */
	p[3] = version[0]; /* major */
	p[4] = version[4]; /* patch */

	/* PMU table: version, header bytes, entry bytes, entries; one entry, the devinit code. */
	put32(image + AT_PMU_PTR, AT_PMU_TABLE);
	p = image + AT_PMU_TABLE;
	p[0] = 1;
	p[1] = 4;
	p[2] = 6;
	p[3] = 1;
	p[4] = PMU_UCODE_DEVINIT;
	put32(p + 6, AT_PMU_UCODE);

	/* Memory clock ranges: version, header, entry and sub-entry bytes; no entries, no scripts. */
	put32(image + AT_PERF_PTRS + 4, AT_RAMMAP);
	p = image + AT_RAMMAP;
	p[0] = 0x11;
	p[1] = 0x15;
	p[2] = 4;
	p[3] = 4;

	/* Memory information: version, header and entry bytes, entries, key; strap 0 is HBM2. */
	put16(image + AT_MEMORY_PTRS + 3, AT_MEMORY_INFO);
	p = image + AT_MEMORY_INFO;
	p[0] = 0x10;
	p[1] = 7;
	p[2] = 2;
	p[3] = 1;
	p[4] = MEMORY_INFO_BY_STRAP;
	p[7] = MEMORY_HBM2;
}

/* Device control block: what is connected to the display engine. Nothing is. */
static void build_dcb(u8 *image)
{
	u8 *dcb = image + AT_DCB;

	put16(image + 0x36, AT_DCB);
	dcb[0] = 0x41; /* version, header bytes, entries, entry bytes */
	dcb[1] = DCB_HEADER_BYTES;
	dcb[2] = 0;
	dcb[3] = DCB_ENTRY_BYTES;
	put32(dcb + 6, DCB_SIGNATURE);
}

void vbios_build(const struct chip *chip, u8 image[VBIOS_BYTES])
{
	memset(image, 0, VBIOS_BYTES);
	build_pcir(chip, image);
	build_bit(image);
	build_tables(chip, image);
	build_dcb(image);
	image[VBIOS_BYTES - 1] = checksum(image, VBIOS_BYTES - 1);
}
