/* SPDX-License-Identifier: MIT */
/* A program in the toolbox that dies with the runner. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "say.h"

void argv_add(struct argv *argv, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		die("out of memory");
	va_end(args);
	argv->list = realloc(argv->list, (argv->count + 2) * sizeof(*argv->list));
	if (!argv->list)
		die("out of memory");
	argv->list[argv->count++] = text;
	argv->list[argv->count] = NULL;
}

int child_gives(struct child *child, int fd)
{
	if (child->fd_count == CHILD_FDS)
		die("too many descriptors for %s", child->name);
	return child->fds[child->fd_count++] = fd;
}

static void __attribute__((noreturn)) become(const struct child *child, const char *top,
					     const char *directory, int output, pid_t runner)
{
	struct argv enter = {};
	sigset_t none;
	int null;

	/* The pipe to the runner may be gone: the group's leader must still die. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != runner)
		_exit(STATUS_NO_RUN);
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);

	null = open("/dev/null", O_RDONLY);
	dup2(null, 0);
	dup2(output, 1);
	dup2(output, 2);
	for (int i = 0; i < child->fd_count; i++)
		fcntl(child->fds[i], F_SETFD, 0);

	if (child->toolbox)
		setenv("RIG_TOOLBOX", child->toolbox, 1);
	argv_add(&enter, "%s/rig/enter", top);
	for (int i = 0; i < child->argv.count; i++)
		argv_add(&enter, "%s", child->argv.list[i]);
	if (chdir(directory) == 0)
		execv(enter.list[0], enter.list);
	fprintf(stderr, "%s: %s\n", enter.list[0], strerror(errno));
	_exit(STATUS_NO_RUN);
}

bool child_start(struct child *child, const char *top, const char *directory)
{
	pid_t runner = getpid();
	int output[2];

	if (pipe2(output, O_CLOEXEC))
		return false;
	child->pid = fork();
	if (child->pid == 0)
		become(child, top, directory, output[1], runner);
	close(output[1]);
	for (int i = 0; i < child->fd_count; i++)
		close(child->fds[i]);
	if (child->pid < 0) {
		child->pid = 0;
		close(output[0]);
		return false;
	}
	setpgid(child->pid, child->pid);
	child->output = output[0];
	return true;
}

bool child_reap(struct child *child)
{
	if (!child->pid || waitpid(child->pid, &child->status, WNOHANG) != child->pid)
		return false;
	child->pid = 0;
	return true;
}

void child_kill(struct child *child)
{
	if (!child->pid)
		return;
	kill(-child->pid, SIGKILL);
	while (waitpid(child->pid, &child->status, 0) < 0 && errno == EINTR)
		;
	child->pid = 0;
}

bool child_failed(const struct child *child)
{
	return child->status != 0;
}

const char *child_fate(const struct child *child)
{
	static char text[64];

	/* The shells in between tell of a signal by adding 128. */
	int status = WIFSIGNALED(child->status) ? 128 + WTERMSIG(child->status)
						: WEXITSTATUS(child->status);

	if (status > 128)
		snprintf(text, sizeof(text), "was killed by signal %d", status - 128);
	else
		snprintf(text, sizeof(text), "ended with status %d", status);
	return text;
}
