/* SPDX-License-Identifier: MIT */
/*
 * Process 1 of the guest: does one job for rig/vm, reports its status through
 * a virtio-serial port, and ends the machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest-init.h"
#include "job.h"

static char *job;
static char *job_end;
static int status_port = -1;

static void mount_early(const char *type, const char *path)
{
	mkdir(path, 0755);
	if (mount(type, path, type, 0, NULL))
		give_up("mount %s: %s", path, strerror(errno));
}

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

/*
 * A thread of the kernel's writes to the console, and a reset cuts it off in the
 * middle. The kernel takes a console away only when all has been written.
 */
static void finish_log(void)
{
	int fd = open("/sys/class/tty/console/active", O_RDONLY | O_CLOEXEC);
	char name[32] = "", path[64];

	if (fd < 0 || read(fd, name, sizeof(name) - 1) <= 0)
		return;
	close(fd);
	name[strcspn(name, " \n")] = '\0';
	snprintf(path, sizeof(path), "/sys/class/tty/%s/console", name);
	put(path, "N");
}

/* Not reboot(): that asks nouveau to power off, which takes half a minute. */
static void __attribute__((noreturn)) end_machine(void)
{
	finish_log();
	if (put("/proc/sysrq-trigger", "b"))
		for (;;)
			pause();
	_exit(1); /* the kernel panics, and the machine ends as well */
}

void give_up(const char *format, ...)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	char why[512];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	/* One write is one line of the log. */
	dprintf(fd >= 0 ? fd : 2, "guest-init: %s\n", why);
	end_machine();
}

void report(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (vdprintf(status_port, format, args) < 0 || write(status_port, "\n", 1) != 1)
		give_up("no way to report to the runner: %s", strerror(errno));
	va_end(args);
}

static void job_read(void)
{
	int fd = open(JOB_FILE, O_RDONLY | O_CLOEXEC);
	struct stat stat;

	if (fd < 0 || fstat(fd, &stat))
		give_up("%s: %s", JOB_FILE, strerror(errno));
	job = malloc(stat.st_size + 1);
	if (!job || read(fd, job, stat.st_size) != stat.st_size)
		give_up("%s: cannot read", JOB_FILE);
	close(fd);
	job_end = job + stat.st_size;
	*job_end = '\0';
}

const char *job_get(const char *name)
{
	size_t length = strlen(name);

	for (char *field = job; *field; field += strlen(field) + 1)
		if (!strncmp(field, name, length) && field[length] == '=')
			return field + length + 1;
	return NULL;
}

char **job_command(void)
{
	char *arg = job, **argv = NULL;
	int count = 0;

	while (*arg)
		arg += strlen(arg) + 1;
	for (arg++;; arg += strlen(arg) + 1) {
		argv = realloc(argv, (count + 1) * sizeof(*argv));
		if (!argv)
			give_up("out of memory");
		argv[count++] = arg < job_end ? arg : NULL;
		if (arg >= job_end)
			return argv;
	}
}

static void load_nouveau(void)
{
	static char *const modprobe[] = { "/sbin/modprobe", "nouveau", NULL };
	int status = run_tool(modprobe);

	if (status)
		give_up("modprobe nouveau ended with status %d", status);
	report(REPORT_STAGE "nouveau is loaded");
}

/* What a driver still points to is no leak until the driver is gone. */
static void unload_modules(int log)
{
	static char *const modprobe[] = { "/sbin/modprobe", "-r", "nouveau", "test_hmm", NULL };
	int status;

	report(REPORT_STAGE "unload modules");
	status = run_tool(modprobe);
	if (status)
		dprintf(log, "WARNING: modules do not unload: status %d\n", status);
}

/* A leak counts from the age of five seconds on, when two searches saw it. */
static void find_leaks(void)
{
	static const char path[] = "/sys/kernel/debug/kmemleak";
	int scan = open(path, O_WRONLY | O_CLOEXEC);
	int log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	char line[512];
	FILE *leaks;

	if (scan < 0)
		return;
	unload_modules(log);
	report(REPORT_STAGE "search for leaks");
	sleep(5);
	for (int i = 0; i < 2; i++)
		if (write(scan, "scan", 4) != 4)
			give_up("kmemleak does not scan: %s", strerror(errno));
	/* The kernel itself logs only how many there are. */
	leaks = fopen(path, "re");
	while (leaks && fgets(line, sizeof(line), leaks))
		dprintf(log, "%s", line);
	if (leaks)
		fclose(leaks);
	close(scan);
	close(log);
}

int main(void)
{
	int status;

	mount_early("devtmpfs", "/dev");
	mount_early("proc", "/proc");
	mount_early("sysfs", "/sys");
	job_read();
	status_port = port_open(PORT_STATUS);
	report(REPORT_STAGE "the guest's first process runs");
	enter_root();
	port_links();
	report(REPORT_STAGE "the root is mounted");
	if (job_get(JOB_NOUVEAU))
		load_nouveau();
	report(REPORT_READY);
	status = run_command();
	report(REPORT_OVER);
	find_leaks();
	leave_root();
	report(REPORT_STATUS "%d", status);
	end_machine();
}
