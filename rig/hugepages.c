// SPDX-License-Identifier: MIT
/*
 * Preloaded into compilers: asks for huge pages where GCC's pool of memory grows.
 *
 * cc1 touches some 80 MiB anew for each file of a kernel. Where this machine is
 * itself a guest, without hardware's help, a page fault costs 11 us and a miss of the
 * TLB much as well: init/main.c took 1.03 s there, with huge pages 0.70 s.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* By which it grows. */
#define POOL (2UL << 20)

void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	void *p = (void *)syscall(SYS_mmap, addr, len, prot, flags, fd, offset);
	int err = errno;

	/* Advice: a kernel without huge pages refuses it, and nothing is lost. */
	if (p != MAP_FAILED && flags & MAP_ANONYMOUS && len >= POOL)
		madvise(p, len, MADV_HUGEPAGE);
	errno = err;
	return p;
}
