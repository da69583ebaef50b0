/* SPDX-License-Identifier: MIT */
/* The command's life in the guest: its input and output, its end. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest-init.h"
#include "job.h"
#include "relay.h"

#define PORTS	    "/sys/class/virtio-ports"
#define PORT_WAIT_S 20
#define NOT_FOUND   127

static char *environment[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"HOME=/root",
	"USER=root",
	"SHELL=/bin/bash",
	"LANG=C.UTF-8",
	"TERM=dumb",
	NULL,
};

typedef bool port_fn(const char *device, const char *name, const char *wanted);

/* Calls `fn` for each port until it returns true. */
static bool each_port(port_fn *fn, const char *wanted)
{
	DIR *dir = opendir(PORTS);
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		char path[sizeof(PORTS) + 300], name[128];
		FILE *file;

		snprintf(path, sizeof(path), PORTS "/%s/name", entry->d_name);
		file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
		if (!file)
			continue;
		if (fgets(name, sizeof(name), file)) {
			name[strcspn(name, "\n")] = '\0';
			found = fn(entry->d_name, name, wanted);
		}
		fclose(file);
	}
	if (dir)
		closedir(dir);
	return found;
}

static int opened_port;

static bool open_this(const char *device, const char *name, const char *wanted)
{
	char path[300];

	if (strcmp(name, wanted))
		return false;
	snprintf(path, sizeof(path), "/dev/%s", device);
	opened_port = open(path, O_RDWR | O_CLOEXEC);
	return opened_port >= 0;
}

/* Ports are made by a worker of the kernel's: they may come after us. */
int port_open(const char *name)
{
	for (int i = 0; i < PORT_WAIT_S * 1000; i++) {
		if (each_port(open_this, name))
			return opened_port;
		usleep(1000);
	}
	give_up("no virtio-serial port %s", name);
}

static bool link_this(const char *device, const char *name, const char *)
{
	char from[300], to[300];

	snprintf(from, sizeof(from), "/dev/virtio-ports/%s", name);
	snprintf(to, sizeof(to), "../%s", device);
	symlink(to, from);
	return false;
}

void port_links(void)
{
	mkdir("/dev/virtio-ports", 0755);
	each_port(link_this, NULL);
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int run_tool(char *const argv[])
{
	pid_t pid = fork(), done;
	int status;

	if (pid < 0)
		give_up("fork: %s", strerror(errno));
	if (pid == 0) {
		execve(argv[0], argv, environment);
		dprintf(2, "guest-init: %s: %s\n", argv[0], strerror(errno));
		_exit(NOT_FOUND);
	}
	do
		done = wait(&status);
	while (done != pid);
	return exit_status(status);
}

/* Our ends of the command's input and output; the tty is both. */
struct session {
	int theirs[3];
	struct relay in, out, err;
	pid_t pid;
	bool exited;
	int status;
};

static void make_pipe(int *ours, int *theirs, bool we_write)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		give_up("pipe: %s", strerror(errno));
	*ours = ends[we_write];
	*theirs = ends[!we_write];
}

static void make_tty(struct session *session, const char *tty)
{
	struct winsize size = {};
	int ours, theirs;

	sscanf(tty, "%hu %hu", &size.ws_row, &size.ws_col);
	if (openpty(&ours, &theirs, NULL, NULL, &size))
		give_up("no terminal: %s", strerror(errno));
	fcntl(ours, F_SETFD, FD_CLOEXEC);
	fcntl(theirs, F_SETFD, FD_CLOEXEC);
	session->in.to = session->out.from = ours;
	session->err.eof = true;
	for (int i = 0; i < 3; i++)
		session->theirs[i] = theirs;
}

static void make_pipes(struct session *session)
{
	make_pipe(&session->in.to, &session->theirs[0], true);
	make_pipe(&session->out.from, &session->theirs[1], false);
	if (job_get(JOB_MERGE)) {
		session->theirs[2] = session->theirs[1];
		session->err.eof = true;
	} else {
		make_pipe(&session->err.from, &session->theirs[2], false);
	}
}

static int open_nonblocking(const char *name)
{
	int fd = port_open(name);

	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void __attribute__((noreturn)) become_command(const struct session *session, const char *tty)
{
	char **argv = job_command();
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setsid();
	for (int i = 0; i < 3; i++)
		dup2(session->theirs[i], i);
	environ = environment;
	if (tty) {
		int at = 0;

		ioctl(0, TIOCSCTTY, 0);
		sscanf(tty, "%*d %*d %n", &at);
		setenv("TERM", tty + at, 1);
	}
	if (chdir(job_get(JOB_CWD)))
		dprintf(2, "guest-init: %s: %s\n", job_get(JOB_CWD), strerror(errno));
	else
		execvp(argv[0], argv);
	dprintf(2, "rig/vm: %s: %s\n", argv[0], strerror(errno));
	_exit(NOT_FOUND);
}

static void wake_up(int)
{
}

static void reap(struct session *session)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != session->pid)
			continue;
		session->exited = true;
		session->status = exit_status(status);
		/* Whoever stays behind must not keep the output open. */
		kill(-1, SIGKILL);
	}
}

int run_command(void)
{
	static struct session session;
	const char *tty = job_get(JOB_TTY);
	struct timespec tick = { .tv_nsec = 100000000 };
	sigset_t child, all_but_child;

	session.in.from = open_nonblocking(PORT_IN);
	session.out.to = open_nonblocking(PORT_OUT);
	session.err.to = open_nonblocking(PORT_ERR);
	if (tty)
		make_tty(&session, tty);
	else
		make_pipes(&session);

	/* SIGCHLD comes only while we wait in ppoll(). */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &all_but_child);
	signal(SIGCHLD, wake_up);
	signal(SIGPIPE, SIG_IGN);
	session.pid = fork();
	if (session.pid < 0)
		give_up("fork: %s", strerror(errno));
	if (session.pid == 0)
		become_command(&session, tty);
	for (int i = 0; i < 3; i++)
		close(session.theirs[i]);

	while (!session.exited || !relay_done(&session.out) || !relay_done(&session.err)) {
		struct pollfd polls[6];

		relay_prepare(&session.in, polls);
		relay_prepare(&session.out, polls + 2);
		relay_prepare(&session.err, polls + 4);
		if (ppoll(polls, 6, &tick, &all_but_child) > 0) {
			relay_turn(&session.in, polls);
			relay_turn(&session.out, polls + 2);
			relay_turn(&session.err, polls + 4);
		}
		if (session.in.to >= 0 && (relay_done(&session.in) || session.in.error)) {
			if (!tty)
				close(session.in.to);
			session.in.to = -1;
		}
		reap(&session);
	}
	while (wait(NULL) > 0 || errno == EINTR)
		;
	return session.status;
}
