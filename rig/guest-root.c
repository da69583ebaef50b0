/* SPDX-License-Identifier: MIT */
/*
 * The guest's file systems: the toolbox as root, read-only under a tmpfs that
 * takes what is written; the repository and the kernel's modules read-only;
 * the share.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest-init.h"
#include "job.h"

#define P9 "trans=virtio,version=9p2000.L,msize=262144"

struct mount {
	const char *source, *target, *type;
	unsigned long flags;
	const char *data;
};

/* In order. */
static const struct mount mounts[] = {
	{ "/dev", "/root/dev", NULL, MS_MOVE, NULL },
	{ "/proc", "/root/proc", NULL, MS_MOVE, NULL },
	{ "/sys", "/root/sys", NULL, MS_MOVE, NULL },
	{ "devpts", "/root/dev/pts", "devpts", 0, "ptmxmode=0666" },
	{ "tmpfs", "/root/dev/shm", "tmpfs", 0, NULL },
	{ "tmpfs", "/root/tmp", "tmpfs", 0, NULL },
	{ "tmpfs", "/root/run", "tmpfs", 0, NULL },
	{ "debugfs", "/root/sys/kernel/debug", "debugfs", 0, NULL },
};

static void make_directories(const char *path)
{
	char *copy = strdup(path);

	for (char *slash = copy; (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		mkdir(copy, 0755);
		*slash = '/';
	}
	mkdir(copy, 0755);
	free(copy);
}

static void attach(const struct mount *mount_)
{
	make_directories(mount_->target);
	if (mount(mount_->source, mount_->target, mount_->type, mount_->flags, mount_->data))
		give_up("mount %s on %s: %s", mount_->source, mount_->target, strerror(errno));
}

/* `path` of the read-only share, as it is, to be seen at `target` of the new root. */
static void show(const char *path, const char *target)
{
	char *source, *full;

	if (asprintf(&source, "/lower%s", path) < 0 || asprintf(&full, "/root%s", target) < 0)
		give_up("out of memory");
	attach(&(struct mount){ source, full, NULL, MS_BIND, NULL });
	free(source);
	free(full);
}

/* /root: what the toolbox has, and over it what is written. */
static void attach_root(void)
{
	char *layers;

	attach(&(struct mount){ TAG_ROOT, "/lower", "9p", MS_RDONLY, P9 ",cache=loose" });
	attach(&(struct mount){ "tmpfs", "/upper", "tmpfs", 0, NULL });
	if (mkdir("/upper/files", 0755) || mkdir("/upper/work", 0755))
		give_up("mkdir in /upper: %s", strerror(errno));
	if (asprintf(&layers, "lowerdir=/lower%s,upperdir=/upper/files,workdir=/upper/work",
		     job_get(JOB_ROOT)) < 0)
		give_up("out of memory");
	attach(&(struct mount){ "overlay", "/root", "overlay", 0, layers });
	free(layers);
}

void enter_root(void)
{
	static const char *const links[][2] = {
		{ "/proc/self/fd", "/dev/fd" },
		{ "/proc/self/fd/0", "/dev/stdin" },
		{ "/proc/self/fd/1", "/dev/stdout" },
		{ "/proc/self/fd/2", "/dev/stderr" },
	};

	attach_root();
	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++)
		attach(mounts + i);
	show(job_get(JOB_TOP), job_get(JOB_TOP));
	if (job_get(JOB_MODULES))
		show(job_get(JOB_MODULES), "/lib/modules");
	if (job_get(JOB_SHARE))
		/* Not cached: others look at it while the guest writes. */
		attach(&(struct mount){ TAG_SHARE, "/root/mnt/share", "9p", 0, P9 ",cache=mmap" });

	if (chdir("/root") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		give_up("the new root: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		symlink(links[i][0], links[i][1]);
	sethostname("guest", strlen("guest"));
}

void leave_root(void)
{
	sync();
	if (job_get(JOB_SHARE) && umount2("/mnt/share", 0))
		give_up("umount /mnt/share: %s", strerror(errno));
}
