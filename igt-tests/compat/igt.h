/* SPDX-License-Identifier: MIT */
/*
 * The part of libigt.so.0 (IGT 2.3 and later) that our tests call, declared here because Debian
 * ships the library without headers. Only this tree includes it: in an IGT tree the same #include
 * finds IGT's own igt.h, and the .c files stay as they are.
 */
#ifndef COMPAT_IGT_H
#define COMPAT_IGT_H

#include <errno.h>
#include <getopt.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <drm.h>
#include <xf86drm.h>

/* Program and subtests */
extern jmp_buf igt_subtest_jmpbuf, igt_dynamic_jmpbuf;

int igt_subtest_init_parse_opts(int *argc, char **argv, const char *short_opts,
				const struct option *long_opts, const char *help,
				int (*handler)(int opt, int index, void *data), void *data);
bool __igt_fixture(void);
void __igt_fixture_complete(void);
bool __igt_run_subtest(const char *name, const char *file, const int line);
bool __igt_enter_dynamic_container(void);
bool __igt_run_dynamic_subtest(const char *name);
void igt_success(void);
void igt_exit(void) __attribute__((noreturn));
void igt_describe_f(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define IGT_TEST_DESCRIPTION(text) const char *__igt_test_description = text
#define igt_describe(text)	   igt_describe_f("%s", text)

#define __igt_paste2(a, b) a##b
#define __igt_paste(a, b)  __igt_paste2(a, b)
#define __igt_local(name)  __igt_paste(name, __LINE__)

#define igt_main()                                                                      \
	main(int argc, char **argv);                                                    \
	static void __igt_local(igt_body_)(void);                                       \
	int main(int argc, char **argv)                                                 \
	{                                                                               \
		igt_subtest_init_parse_opts(&argc, argv, NULL, NULL, NULL, NULL, NULL); \
		__igt_local(igt_body_)();                                               \
		igt_exit();                                                             \
	}                                                                               \
	static void __igt_local(igt_body_)(void)

#define igt_fixture()                                                                     \
	for (volatile int __igt_local(once_) = 0;                                         \
	     !__igt_local(once_) && __igt_fixture() && !sigsetjmp(igt_subtest_jmpbuf, 1); \
	     __igt_local(once_)++, __igt_fixture_complete())

#define igt_subtest(name)                                                                        \
	for (; __igt_run_subtest(name, __FILE__, __LINE__) && !sigsetjmp(igt_subtest_jmpbuf, 1); \
	     igt_success())

#define igt_subtest_f(fmt...)                                               \
	for (char __igt_local(name_)[256];                                  \
	     snprintf(__igt_local(name_), sizeof(__igt_local(name_)), fmt), \
	     __igt_run_subtest(__igt_local(name_), __FILE__, __LINE__) &&   \
		     !sigsetjmp(igt_subtest_jmpbuf, 1);                     \
	     igt_success())

#define igt_subtest_with_dynamic(name)                                                           \
	for (; __igt_run_subtest(name, __FILE__, __LINE__) && __igt_enter_dynamic_container() && \
	       !sigsetjmp(igt_subtest_jmpbuf, 1);                                                \
	     igt_success())

#define igt_dynamic_f(fmt...)                                                                    \
	for (char __igt_local(name_)[256];                                                       \
	     snprintf(__igt_local(name_), sizeof(__igt_local(name_)), fmt),                      \
	     __igt_run_dynamic_subtest(__igt_local(name_)) && !sigsetjmp(igt_dynamic_jmpbuf, 1); \
	     igt_success())

/* Log and verdict */
enum igt_log_level {
	IGT_LOG_DEBUG,
	IGT_LOG_INFO,
	IGT_LOG_WARN,
	IGT_LOG_CRITICAL,
	IGT_LOG_NONE
};
extern enum igt_log_level igt_log_level;

void igt_log(const char *domain, enum igt_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void __igt_skip_check(const char *file, const int line, const char *func, const char *check,
		      const char *fmt, ...) __attribute__((noreturn, format(printf, 5, 6)));
void __igt_fail_assert(const char *domain, const char *file, const int line, const char *func,
		       const char *check, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 6, 7)));

#define igt_debug(fmt...) igt_log(NULL, IGT_LOG_DEBUG, fmt)
#define igt_info(fmt...)  igt_log(NULL, IGT_LOG_INFO, fmt)

#define igt_assert_f(expr, fmt...)                                                         \
	do {                                                                               \
		if (!(expr))                                                               \
			__igt_fail_assert(NULL, __FILE__, __LINE__, __func__, #expr, fmt); \
	} while (0)
#define igt_assert(expr) igt_assert_f(expr, NULL)

#define __igt_assert_cmp(type, fmt, a, op, b)                                                    \
	do {                                                                                     \
		type __a = (a), __b = (b);                                                       \
		if (!(__a op __b))                                                               \
			__igt_fail_assert(NULL, __FILE__, __LINE__, __func__, #a " " #op " " #b, \
					  "error: !(" fmt " " #op " " fmt ")\n", __a, __b);      \
	} while (0)
#define igt_assert_eq(a, b)	__igt_assert_cmp(int, "%d", a, ==, b)
#define igt_assert_eq_u32(a, b) __igt_assert_cmp(uint32_t, "%#x", a, ==, b)
#define igt_assert_eq_u64(a, b) __igt_assert_cmp(unsigned long long, "%#llx", a, ==, b)

#define igt_require_f(expr, fmt...)                                                 \
	do {                                                                        \
		if (!(expr))                                                        \
			__igt_skip_check(__FILE__, __LINE__, __func__, #expr, fmt); \
	} while (0)
#define igt_require(expr)	    igt_require_f(expr, NULL)
#define igt_skip_on_f(expr, fmt...) igt_require_f(!(expr), fmt)

void igt_emit_ignore_dmesg_regex(const char *regex);
void igt_set_timeout(unsigned int seconds, const char *op);
void igt_reset_timeout(void);
uint64_t igt_nsec_elapsed(struct timespec *start);
bool igt_run_in_simulation(void);
#define SLOW_QUICK(hw, sim) (igt_run_in_simulation() ? (sim) : (hw))

/* Processes and threads */
typedef void (*igt_exit_handler_t)(int sig);

bool __igt_fork(void);
void igt_waitchildren(void);

struct igt_helper_process {
	bool running;
	bool use_SIGKILL;
	pid_t pid;
	int id;
};
bool __igt_fork_helper(struct igt_helper_process *proc);
void igt_stop_helper(struct igt_helper_process *proc);

#define igt_fork_helper(proc) for (; __igt_fork_helper(proc); exit(0))

void igt_install_exit_handler(igt_exit_handler_t fn);

#define igt_fork(child, count)                        \
	for (int child = 0; child < (count); child++) \
		for (; __igt_fork(); exit(0))

/* Power */
enum igt_suspend_state {
	SUSPEND_STATE_FREEZE
};
enum igt_suspend_test {
	SUSPEND_TEST_NONE,
	SUSPEND_TEST_FREEZER,
	SUSPEND_TEST_DEVICES,
	SUSPEND_TEST_PLATFORM
};
void igt_system_suspend_autoresume(enum igt_suspend_state state, enum igt_suspend_test test);

/* DRM devices */
#define DRIVER_VGEM   (1 << 2)
#define DRIVER_VKMS   (1 << 9)
#define DRIVER_VIRTIO (1 << 10)
#define DRIVER_ANY    (~(DRIVER_VGEM | DRIVER_VKMS | DRIVER_VIRTIO))

/* The library knows no bit for it yet. */
#define DRIVER_NOUVEAU DRIVER_ANY

extern __thread int (*igt_ioctl)(int fd, unsigned long request, void *arg);

int __drm_open_driver_another(int idx, int chipset);
int drm_open_driver_another(int idx, int chipset);
int drm_reopen_driver(int fd);
int drm_close_driver(int fd);
bool is_nouveau_device(int fd);
void __igt_debugfs_read(int fd, const char *filename, char *buf, int size);
bool igt_debugfs_exists(int fd, const char *filename, int mode);

#define igt_debugfs_read(fd, filename, buf) __igt_debugfs_read(fd, filename, buf, sizeof(buf))

#define do_ioctl(fd, request, arg)                             \
	do {                                                   \
		igt_assert_eq(igt_ioctl(fd, request, arg), 0); \
		errno = 0;                                     \
	} while (0)

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define ALIGN(value, to)  (((value) + (typeof(value))(to) - 1) & ~((typeof(value))(to) - 1))

#endif
