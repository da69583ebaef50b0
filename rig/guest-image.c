/* SPDX-License-Identifier: MIT */
/*
 * The guest's initramfs: guest-init, its console and its job, as a cpio
 * archive in the "newc" format (Documentation/driver-api/early-userspace/
 * buffer-format.rst of Linux).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest-image.h"
#include "job.h"
#include "say.h"

static void pad(FILE *archive)
{
	while (ftell(archive) % 4)
		fputc(0, archive);
}

/* A character device when `device` says so: (5, 1) is the console. */
static void entry(FILE *archive, const char *name, unsigned int mode, const char *data, size_t size)
{
	static unsigned int inode;
	bool device = S_ISCHR(mode);

	fprintf(archive, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", ++inode,
		mode, 0, 0, 1, 0, (unsigned int)size, 0, 0, device ? 5 : 0, device ? 1 : 0,
		(unsigned int)strlen(name) + 1, 0);
	fwrite(name, strlen(name) + 1, 1, archive);
	pad(archive);
	fwrite(data, 1, size, archive);
	pad(archive);
}

static void field(FILE *job, const char *name, const char *value)
{
	fprintf(job, "%s=%s", name, value);
	fputc(0, job);
}

/* Modules are looked for as `make modules_install` leaves them. */
static void field_modules(FILE *job, const char *top, const char *kernel)
{
	char *path;

	if (asprintf(&path, "%s/build/kernel/%s/root/lib/modules", top, kernel) < 0)
		die("out of memory");
	if (access(path, F_OK) == 0)
		field(job, JOB_MODULES, path);
	free(path);
}

static void field_cwd(FILE *job, const char *top)
{
	char *cwd = getcwd(NULL, 0);
	size_t length = strlen(top);

	/* The guest sees no more of this machine than the repository. */
	if (cwd && !strncmp(cwd, top, length) && (cwd[length] == '/' || !cwd[length]))
		field(job, JOB_CWD, cwd);
	else
		field(job, JOB_CWD, top);
	free(cwd);
}

static void field_tty(FILE *job)
{
	struct winsize size = {};
	const char *term = getenv("TERM");
	char value[128];

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	snprintf(value, sizeof(value), "%d %d %.64s", size.ws_row, size.ws_col,
		 term && *term ? term : "dumb");
	field(job, JOB_TTY, value);
}

/* When both go to the same place, their order matters. */
static bool output_is_one_stream(void)
{
	struct stat out, err;

	return !fstat(STDOUT_FILENO, &out) && !fstat(STDERR_FILENO, &err) &&
	       out.st_dev == err.st_dev && out.st_ino == err.st_ino;
}

static void describe_job(FILE *job, const char *top, const struct options *options)
{
	char *const shell[] = { options->arm64 ? "/bin/sh" : "/bin/bash", "-l", NULL };

	field(job, JOB_TOP, top);
	field(job, JOB_ROOT, options->arm64 ? "/arm64" : "");
	field_cwd(job, top);
	field_modules(job, top, options->kernel);
	if (options->share)
		field(job, JOB_SHARE, "");
	if (options->gpus && options->nouveau)
		field(job, JOB_NOUVEAU, "");
	if (output_is_one_stream())
		field(job, JOB_MERGE, "");
	if (!options->command)
		field_tty(job);
	fputc(0, job);
	for (char *const *arg = options->command ?: shell; *arg; arg++)
		fwrite(*arg, strlen(*arg) + 1, 1, job);
}

static char *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "re");
	struct stat stat;
	char *data;

	if (!file || fstat(fileno(file), &stat))
		die("cannot read %s: %s", path, strerror(errno));
	*size = stat.st_size;
	data = malloc(*size);
	if (!data || fread(data, 1, *size, file) != *size)
		die("cannot read %s", path);
	fclose(file);
	return data;
}

int guest_image(const char *top, const struct options *options)
{
	int fd = memfd_create("initramfs", MFD_CLOEXEC);
	FILE *archive = fd < 0 ? NULL : fdopen(dup(fd), "w");
	char *path, *init, *job_data;
	size_t init_size, job_size;
	FILE *job = open_memstream(&job_data, &job_size);

	if (!archive || !job ||
	    asprintf(&path, "%s/build/%s/rig/guest-init", top, options->host) < 0)
		die("cannot make the initramfs: %s", strerror(errno));
	init = read_file(path, &init_size);
	describe_job(job, top, options);
	if (fclose(job))
		die("out of memory");

	entry(archive, "dev", S_IFDIR | 0755, "", 0);
	entry(archive, "dev/console", S_IFCHR | 0600, "", 0);
	entry(archive, "init", S_IFREG | 0755, init, init_size);
	entry(archive, JOB_FILE + 1, S_IFREG | 0600, job_data, job_size);
	entry(archive, "TRAILER!!!", 0, "", 0);
	if (fclose(archive))
		die("cannot make the initramfs: %s", strerror(errno));
	free(path);
	free(init);
	free(job_data);
	return fd;
}
