/* SPDX-License-Identifier: MIT */
/*
 * What gp100-firmware writes, taken apart and started as a driver does it: both forms of an image
 * of high security, and the ACR stand-in with each. The program's path is the first argument.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench.h"

#define PMU	   0x10a000
#define IMAGE_VA   UINT64_C(0x340000000)
#define IMAGE_ROOM 0x10000u
#define WPR	   0x1000000u
#define WPR_END	   0x1040000u

/* Words of the headers, counted from where each begins. */
enum {
	BIN_MAGIC,
	BIN_HEADER_OFFSET = 3,
	BIN_DATA_OFFSET,
	BIN_DATA_SIZE,
	HS_PROD_OFFSET = 2,
	HS_PROD_SIZE,
	HS_PATCH_LOCATION,
	HS_PATCH_SIGNATURE,
	HS_LOAD_OFFSET,
	LOAD_DATA = 2,
	LOAD_DATA_SIZE,
};

struct file {
	u8 data[0x10000];
	size_t size;
};

struct image {
	const u8 *bytes;
	u32 size, magic;
	u32 data, data_size;		   /* in the image */
	u32 signature_to, signature_bytes; /* in the image */
};

static const char *writer;
static char directory[] = "/tmp/gp100-firmware.XXXXXX";

static void run(const char *const argv[])
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int write_all(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(directory));
	run((const char *[]){ writer, directory, NULL });
	return 0;
}

static int remove_all(void **state)
{
	(void)state;
	run((const char *[]){ "rm", "-r", directory, NULL });
	return 0;
}

static void read_file(const char *name, struct file *file)
{
	char path[256];
	FILE *in;

	snprintf(path, sizeof(path), "%s/nvidia/gp100/%s", directory, name);
	in = fopen(path, "rb");
	assert_non_null(in);
	file->size = fread(file->data, 1, sizeof(file->data), in);
	assert_in_range(file->size, 1, sizeof(file->data) - 1);
	fclose(in);
}

static u32 word(const struct file *file, u32 offset, unsigned int index)
{
	u32 val;

	offset += 4 * index;
	assert_true(offset + 4 <= file->size);
	memcpy(&val, file->data + offset, sizeof(val));
	return val;
}

/* In one form the header has the values to patch with, in the other where in the file they are. */
static struct image image_of(const struct file *file)
{
	u32 hs = word(file, 0, BIN_HEADER_OFFSET), load = word(file, hs, HS_LOAD_OFFSET);
	struct image image = {
		.bytes = file->data + word(file, 0, BIN_DATA_OFFSET),
		.size = word(file, 0, BIN_DATA_SIZE),
		.magic = word(file, 0, BIN_MAGIC),
		.data = word(file, load, LOAD_DATA),
		.data_size = word(file, load, LOAD_DATA_SIZE),
		.signature_to = word(file, hs, HS_PATCH_LOCATION),
		.signature_bytes = word(file, hs, HS_PROD_SIZE),
	};
	u32 signature = word(file, hs, HS_PATCH_SIGNATURE);

	if (image.magic == 0x10de) {
		image.signature_to = word(file, image.signature_to, 0);
		signature = word(file, signature, 0);
	} else {
		assert_int_equal(image.magic, 0x3b1d14f0);
	}
	signature += word(file, hs, HS_PROD_OFFSET);
	assert_true(signature + image.signature_bytes <= file->size);
	assert_true(word(file, 0, BIN_DATA_OFFSET) + image.size <= file->size);
	return image;
}

/* Start it with a region of the driver's where "load" looks for one; for "unload" that is behind it. */
static void start(struct bench *bench, const struct image *image, u64 va)
{
	u64 vram = bench_map_new(bench, va, IMAGE_ROOM), data = vram + image->data;
	u64 inst = bench_alloc(bench, 0x1000, 0x1000);
	u8 *memory = bench->gpu->fb.vram;

	memcpy(memory + vram, image->bytes, image->size);
	memset(memory + vram + image->signature_to, 0xff, image->signature_bytes);
	bench_set_vram32(bench, data + 0x200, 1);
	bench_set_vram32(bench, data + 0x210, WPR >> 8);
	bench_set_vram32(bench, data + 0x214, WPR_END >> 8);
	bench_set_vram32(bench, inst + 0x200, (u32)bench->pdb | BIT(10) | BIT(11));
	bench_set_vram32(bench, inst + 0x208, 0xfffff000);
	bench_set_vram32(bench, inst + 0x20c, 0x1ffff);
	bench_set_reg(bench, PMU + 0x480, BIT(30) | (u32)(inst >> 12));
	bench_set_reg(bench, PMU + 0x058, BIT(1));
	bench_set_reg(bench, PMU + 0x1c0, 64 | BIT(24));
	bench_set_reg(bench, PMU + 0x1c4, (u32)(va + image->data));
	bench_set_reg(bench, PMU + 0x1c4, (u32)((va + image->data) >> 32));
	bench_set_reg(bench, PMU + 0x1c4, image->data_size);
	bench_set_reg(bench, PMU + 0x040, 0xcafebeef);
	bench_set_reg(bench, PMU + 0x100, BIT(1));
	assert_int_equal(bench_reg(bench, PMU + 0x040), 0);
}

static u64 wpr_start(struct bench *bench)
{
	bench_set_reg(bench, 0x100cd4, 2);
	return (u64)(bench_reg(bench, 0x100cd4) & 0xffffff00) << 8;
}

static void load_and_unload(void **state)
{
	struct bench *bench = bench_new();
	struct file file;
	struct image load, unload;

	(void)state;
	read_file("acr/ucode_load.bin", &file);
	load = image_of(&file);
	start(bench, &load, IMAGE_VA);
	assert_int_equal(wpr_start(bench), WPR);
	assert_true(bench->gpu->falcons.acr_loaded);

	read_file("acr/ucode_unload.bin", &file);
	unload = image_of(&file);
	assert_int_not_equal(unload.magic, load.magic);
	assert_true(unload.size <= unload.data + 0x200);
	start(bench, &unload, IMAGE_VA + IMAGE_ROOM);
	assert_int_equal(wpr_start(bench), 0);
	assert_false(bench->gpu->falcons.acr_loaded);
	bench_delete(bench);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(load_and_unload) };

	if (argc != 2) {
		fprintf(stderr, "usage: test_firmware GP100-FIRMWARE\n");
		return 2;
	}
	writer = argv[1];
	return cmocka_run_group_tests_name("firmware", tests, write_all, remove_all);
}
