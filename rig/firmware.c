/* SPDX-License-Identifier: MIT */
/*
 * The firmware files of --firmware. They are copied to where the guest sees them, which is little:
 * of this machine it knows the toolbox and the repository.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware.h"
#include "say.h"

static const char *const directories[] = {
	"", "nvidia", "nvidia/gp100", "nvidia/gp100/acr", "nvidia/gp100/gr",
};

static const char *const files[] = {
	"nvidia/gp100/acr/bl.bin",	     "nvidia/gp100/acr/ucode_load.bin",
	"nvidia/gp100/acr/ucode_unload.bin", "nvidia/gp100/gr/fecs_bl.bin",
	"nvidia/gp100/gr/fecs_data.bin",     "nvidia/gp100/gr/fecs_inst.bin",
	"nvidia/gp100/gr/fecs_sig.bin",	     "nvidia/gp100/gr/gpccs_bl.bin",
	"nvidia/gp100/gr/gpccs_data.bin",    "nvidia/gp100/gr/gpccs_inst.bin",
	"nvidia/gp100/gr/gpccs_sig.bin",     "nvidia/gp100/gr/sw_bundle_init.bin",
	"nvidia/gp100/gr/sw_ctx.bin",	     "nvidia/gp100/gr/sw_method_init.bin",
	"nvidia/gp100/gr/sw_nonctx.bin",
};

static char *path_of(const char *directory, const char *name, const char *suffix)
{
	char *path;

	if (asprintf(&path, "%s/%s%s", directory, name, suffix) < 0)
		die("out of memory");
	return path;
}

static bool readable(const char *directory, const char *name, const char *suffix)
{
	char *path = path_of(directory, name, suffix);
	bool good = access(path, R_OK) == 0;
	int error = errno;

	free(path);
	errno = error;
	return good;
}

void firmware_check(const char *directory)
{
	bool good = true;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		if (readable(directory, files[i], ""))
			continue;
		good = false;
		say("%s/%s: %s", directory, files[i], strerror(errno));
		if (readable(directory, files[i], ".xz") || readable(directory, files[i], ".zst"))
			say("... but compressed it is there: the guest wants it unpacked");
	}
	if (!good)
		die("--firmware %s: files are missing, which Debian has in firmware-nvidia-graphics",
		    directory);
}

static bool copy(const char *source, const char *target)
{
	FILE *in = fopen(source, "re"), *out = in ? fopen(target, "we") : NULL;
	bool good = out;
	char data[4096];
	size_t n;

	while (good && (n = fread(data, 1, sizeof(data), in)))
		good = fwrite(data, 1, n, out) == n;
	if (in && ferror(in))
		good = false;
	if (out && fclose(out))
		good = false;
	if (!good)
		say("cannot copy %s to %s: %s", source, target, strerror(errno));
	if (in)
		fclose(in);
	return good;
}

bool firmware_copy(const char *from, const char *to)
{
	bool good = true;

	for (size_t i = 0; good && i < sizeof(directories) / sizeof(*directories); i++) {
		char *path = path_of(to, directories[i], "");

		good = mkdir(path, 0777) == 0;
		if (!good)
			say("cannot create %s: %s", path, strerror(errno));
		free(path);
	}
	for (size_t i = 0; good && i < sizeof(files) / sizeof(*files); i++) {
		char *source = path_of(from, files[i], ""), *target = path_of(to, files[i], "");

		good = copy(source, target);
		free(source);
		free(target);
	}
	return good;
}
