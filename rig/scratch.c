/* SPDX-License-Identifier: MIT */
/*
 * The private directory of one run. Its owner holds a lock on it, so that the
 * directory of a killed run is known by its lock being free.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "say.h"
#include "scratch.h"

static int remove_entry(const char *path, const struct stat *, int, struct FTW *)
{
	return remove(path);
}

void scratch_remove(const char *directory)
{
	if (nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS) && errno != ENOENT)
		say("cannot remove %s: %s", directory, strerror(errno));
}

static void sweep(const char *parent)
{
	DIR *dir = opendir(parent);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *path;
		int fd;

		if (strncmp(entry->d_name, "vm.", 3))
			continue;
		if (asprintf(&path, "%s/%s", parent, entry->d_name) < 0)
			break;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			scratch_remove(path);
		if (fd >= 0)
			close(fd);
		free(path);
	}
	if (dir)
		closedir(dir);
}

char *scratch_make(const char *parent)
{
	int all, own;
	char *path;

	if (mkdir(parent, 0777) && errno != EEXIST)
		die("cannot create %s: %s", parent, strerror(errno));
	all = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (all < 0 || flock(all, LOCK_EX))
		die("cannot lock %s: %s", parent, strerror(errno));
	sweep(parent);
	if (asprintf(&path, "%s/vm.XXXXXX", parent) < 0 || !mkdtemp(path))
		die("cannot create a directory in %s: %s", parent, strerror(errno));
	own = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (own < 0 || flock(own, LOCK_EX))
		die("cannot lock %s: %s", path, strerror(errno));
	close(all);
	return path;
}
