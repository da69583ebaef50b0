/* SPDX-License-Identifier: MIT */
/*
 * Writes the 15 files that a driver wants before it uses a GP100's graphics engine. They are
 * placeholders: right headers around zeros, no NVIDIA content, useless on a real board. The
 * model never executes them. Layouts: published nvfw headers (bin, hs, ls, flcn, acr).
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef uint8_t u8;
typedef uint32_t u32;

#define packed	       __attribute__((packed))
#define BIN_MAGIC      0x10de
#define HS_IMAGE_BYTES 0x1000
#define HS_DATA_BYTES  0x800
#define SIG_BYTES      16

struct bin_header {
	u32 magic, version, size;
	u32 header_offset, data_offset, data_size;
} packed;

/* Boot loader: loaded into IMEM at start_tag << 8. */
struct bl_file {
	struct bin_header bin;
	struct {
		u32 start_tag, dmem_load_offset;
		u32 code_offset, code_size, data_offset, data_size;
	} packed desc;
	u8 pad[0x100 - 24 - 24];
	u8 data[0x200];
} packed;

/* High-security image: signatures beside it, one of which is patched into it before boot. */
struct hs_file {
	struct bin_header bin;
	struct {
		u32 sig_debug_offset, sig_debug_size;
		u32 sig_prod_offset, sig_prod_size;
		u32 patch_location, patch_signature; /* file offsets of the values */
		u32 load_header_offset, load_header_size;
	} packed hs;
	u32 patch_location, patch_signature;
	struct {
		u32 code_offset, code_size;
		u32 data_dma_base, data_size; /* data begins with the ACR descriptor */
		u32 app_count;
		u32 app_offset[1], app_size[1];
	} packed load;
	u8 sig_debug[SIG_BYTES], sig_prod[SIG_BYTES];
	u8 pad[0x200 - 24 - 32 - 8 - 28 - 2 * SIG_BYTES];
	u8 image[HS_IMAGE_BYTES];
} packed;

struct ls_signature {
	u8 prod_keys[2][16], debug_keys[2][16];
	u32 prod_present, debug_present, falcon_id;
} packed;

_Static_assert(sizeof(struct bl_file) == 0x300, "code starts at 0x100");
_Static_assert(sizeof(struct hs_file) == 0x200 + HS_IMAGE_BYTES, "image starts at 0x200");
_Static_assert(sizeof(struct ls_signature) == 76, "drivers want exactly this size");

static struct bl_file boot_loader(u32 start_tag)
{
	return (struct bl_file){
		.bin = { BIN_MAGIC, 1, sizeof(struct bl_file), offsetof(struct bl_file, desc),
			 offsetof(struct bl_file, data), sizeof(((struct bl_file *)0)->data) },
		/* 0x100 bytes of code, no data; whole 256-byte blocks are copied */
		.desc = { start_tag, 0, 0, 0x100, 0x100, 0 },
	};
}

static struct hs_file hs_image(void)
{
	return (struct hs_file){
		.bin = { BIN_MAGIC, 1, sizeof(struct hs_file), offsetof(struct hs_file, hs),
			 offsetof(struct hs_file, image), HS_IMAGE_BYTES },
		.hs = { offsetof(struct hs_file, sig_debug), SIG_BYTES,
			offsetof(struct hs_file, sig_prod), SIG_BYTES,
			offsetof(struct hs_file, patch_location),
			offsetof(struct hs_file, patch_signature), offsetof(struct hs_file, load),
			sizeof(((struct hs_file *)0)->load) },
		.patch_location = 0x100, /* in the image */
		.patch_signature = 0,	 /* the first */
		.load = { 0, 0x100, 0x400, HS_DATA_BYTES, 1, { 0x100 }, { 0x300 } },
	};
}

static void make_dir(const char *path)
{
	if (mkdir(path, 0777) < 0 && errno != EEXIST) {
		fprintf(stderr, "gp100-firmware: cannot make directory %s: %s\n", path,
			strerror(errno));
		exit(1);
	}
}

static const char *out_dir;

static void write_file(const char *name, const void *data, size_t len)
{
	char path[4096];
	FILE *file;

	if (snprintf(path, sizeof(path), "%s/nvidia/gp100/%s", out_dir, name) >=
	    (int)sizeof(path)) {
		fprintf(stderr, "gp100-firmware: the path of %s is too long\n", name);
		exit(1);
	}
	file = fopen(path, "wb");
	if (!file || fwrite(data, 1, len, file) != len || fclose(file)) {
		fprintf(stderr, "gp100-firmware: cannot write %s: %s\n", path, strerror(errno));
		exit(1);
	}
}

static void make_dirs(void)
{
	static const char *const dirs[] = { "", "/nvidia", "/nvidia/gp100", "/nvidia/gp100/acr",
					    "/nvidia/gp100/gr" };
	char path[4096];

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		if (snprintf(path, sizeof(path), "%s%s", out_dir, dirs[i]) >= (int)sizeof(path)) {
			fprintf(stderr, "gp100-firmware: the path of OUTDIR is too long\n");
			exit(1);
		}
		make_dir(path);
	}
}

int main(int argc, char **argv)
{
	const struct bl_file acr_bl = boot_loader(0xfd), gr_bl = boot_loader(0);
	const struct hs_file hs = hs_image();
	const struct ls_signature sig = { .falcon_id = 0 };
	const u8 code[0x100] = { 0 };
	/* One harmless entry a list, in the GR registers and methods it names. */
	const u32 nonctx[] = { 0x404004, 0 };		       /* register, value */
	const u32 ctx[] = { 0x404004, 0, 0 };		       /* register, index, value */
	const u32 bundle[] = { 0, 0 };			       /* internal command, value */
	const u32 method[] = { 0x100 >> 2 << 16 | 0xc0c0, 0 }; /* NO_OPERATION of C0C0 */

	if (argc != 2) {
		fprintf(stderr, "usage: gp100-firmware OUTDIR\n"
				"writes OUTDIR/nvidia/gp100/{acr,gr}/*.bin\n");
		return 2;
	}
	out_dir = argv[1];
	make_dirs();
	write_file("acr/bl.bin", &acr_bl, sizeof(acr_bl));
	write_file("acr/ucode_load.bin", &hs, sizeof(hs));
	write_file("acr/ucode_unload.bin", &hs, sizeof(hs));
	write_file("gr/fecs_bl.bin", &gr_bl, sizeof(gr_bl));
	write_file("gr/fecs_inst.bin", code, sizeof(code));
	write_file("gr/fecs_data.bin", code, sizeof(code));
	write_file("gr/fecs_sig.bin", &sig, sizeof(sig));
	write_file("gr/gpccs_bl.bin", &gr_bl, sizeof(gr_bl));
	write_file("gr/gpccs_inst.bin", code, sizeof(code));
	write_file("gr/gpccs_data.bin", code, sizeof(code));
	write_file("gr/gpccs_sig.bin", &sig, sizeof(sig));
	write_file("gr/sw_nonctx.bin", nonctx, sizeof(nonctx));
	write_file("gr/sw_ctx.bin", ctx, sizeof(ctx));
	write_file("gr/sw_bundle_init.bin", bundle, sizeof(bundle));
	write_file("gr/sw_method_init.bin", method, sizeof(method));
	return 0;
}
