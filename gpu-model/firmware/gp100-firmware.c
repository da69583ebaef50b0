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
#define HS_CODE_BYTES  0x400
#define HS_IMAGE_BYTES 0x1000 /* at most */
#define SIG_BYTES      16

/* Published files have one or the other form. Those for the GP100 have the second. */
enum {
	BIN_MAGIC = 0x10de,
	BIN_MAGIC_OLD = 0x3b1d14f0,
};

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
		u32 patch_location, patch_signature; /* old: these, else where they are */
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

static size_t hs_size(u32 data_bytes)
{
	return offsetof(struct hs_file, image) + HS_CODE_BYTES + data_bytes;
}

static struct hs_file hs_image(u32 magic, u32 data_bytes)
{
	struct hs_file file = {
		.bin = { magic, 1, hs_size(data_bytes), offsetof(struct hs_file, hs),
			 offsetof(struct hs_file, image), HS_CODE_BYTES + data_bytes },
		.hs = { offsetof(struct hs_file, sig_debug), SIG_BYTES,
			offsetof(struct hs_file, sig_prod), SIG_BYTES,
			offsetof(struct hs_file, patch_location),
			offsetof(struct hs_file, patch_signature), offsetof(struct hs_file, load),
			sizeof(((struct hs_file *)0)->load) },
		.patch_location = HS_CODE_BYTES, /* in the image */
		.patch_signature = 0,		 /* the first */
		.load = { 0, 0x100, HS_CODE_BYTES, data_bytes, 1, { 0x100 }, { 0x300 } },
	};

	if (magic == BIN_MAGIC_OLD) {
		file.hs.patch_location = file.patch_location;
		file.hs.patch_signature = file.patch_signature;
	}
	return file;
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
	/* "load" has room for a driver's descriptor, "unload" is as short as the published one. */
	const u32 load_bytes = HS_IMAGE_BYTES - HS_CODE_BYTES, unload_bytes = 0x100;
	const struct hs_file load = hs_image(BIN_MAGIC, load_bytes);
	const struct hs_file unload = hs_image(BIN_MAGIC_OLD, unload_bytes);
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
	write_file("acr/ucode_load.bin", &load, hs_size(load_bytes));
	write_file("acr/ucode_unload.bin", &unload, hs_size(unload_bytes));
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
