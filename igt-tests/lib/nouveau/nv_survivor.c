// SPDX-License-Identifier: MIT
/*
 * Victim and survivor. The test calls nv_survivor_init(), starts the victim with igt_fork_helper(),
 * and calls _wait(), _kill() and _assert() in this order. The victim puts pages where it wants
 * them, calls _fork(), uses the pages, and calls _used() once it did. Where _fork() returns true,
 * that is the survivor, which ends in _look().
 */
#include "nouveau/nv_svm.h"
#include "nouveau/nv_survivor.h"

struct report {
	size_t in_vram; /* pages, when nobody else had them any more */
	size_t bad;	/* words */
};

/* Before the victim is forked. */
void nv_survivor_init(struct nv_survivor *s)
{
	*s = (struct nv_survivor){ .victim = { .use_SIGKILL = true } };
	igt_assert_eq(pipe(s->alive), 0);
	igt_assert_eq(pipe(s->report), 0);
}

/* Called by the victim. Returns: whether this is the survivor. */
bool nv_survivor_fork(struct nv_survivor *s)
{
	pid_t child = fork();

	igt_assert(child >= 0);
	close(child ? s->alive[0] : s->alive[1]);

	return !child;
}

/*
 * Waits for the end of the victim, looks for the pattern of @seed, and writes another one. Nobody
 * waits for this process, so it reports what an assertion would tell.
 */
void nv_survivor_look(struct nv_survivor *s, void *ptr, size_t len, uint32_t seed)
{
	struct report report;
	char byte;

	while (read(s->alive[0], &byte, 1) > 0)
		;
	report.in_vram = nv_private_pages(ptr, len);
	report.bad = __nv_check(ptr, len, seed);
	if (mprotect(ptr, len, PROT_READ | PROT_WRITE)) /* the victim may have had less */
		_exit(1);
	nv_fill(ptr, len, ~seed);
	report.bad += __nv_check(ptr, len, ~seed);
	_exit(write(s->report[1], &report, sizeof(report)) != sizeof(report));
}

/* Called by the victim: from here on it may be killed. */
void nv_survivor_used(struct nv_survivor *s)
{
	igt_assert_eq(write(s->report[1], "", 1), 1);
}

/* Until the victim has used the pages. */
void nv_survivor_wait(struct nv_survivor *s)
{
	char byte;

	close(s->alive[0]);
	close(s->alive[1]);
	close(s->report[1]);
	igt_assert_f(read(s->report[0], &byte, 1) == 1, "the victim did not come to be killed\n");
}

/* Aborts when the victim ended before. */
void nv_survivor_kill(struct nv_survivor *s)
{
	igt_stop_helper(&s->victim);
}

/* The pages stayed in VRAM for the survivor alone, and were what they had been. */
void nv_survivor_assert(struct nv_survivor *s, size_t len)
{
	struct report report;

	igt_assert_f(read(s->report[0], &report, sizeof(report)) == sizeof(report),
		     "the survivor met its end, too\n");
	close(s->report[0]);
	igt_assert_eq_u64(report.in_vram, len / NV_PAGE_SIZE);
	igt_assert_eq_u64(report.bad, 0);
}
