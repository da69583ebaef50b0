/* SPDX-License-Identifier: MIT */
/*
 * Two processes that share pages by fork(): the victim, which has a GPU at work on them and is
 * killed in the middle of it, and its child, the survivor, which then looks at them.
 */
#ifndef NV_SURVIVOR_H
#define NV_SURVIVOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "igt.h"

struct nv_survivor {
	struct igt_helper_process victim;
	int alive[2];  /* a pipe that the victim alone keeps open */
	int report[2]; /* another one, to the test */
};

void nv_survivor_init(struct nv_survivor *s);
bool nv_survivor_fork(struct nv_survivor *s);
void nv_survivor_look(struct nv_survivor *s, void *ptr, size_t len, uint32_t seed)
	__attribute__((noreturn));
void nv_survivor_used(struct nv_survivor *s);
void nv_survivor_wait(struct nv_survivor *s);
void nv_survivor_kill(struct nv_survivor *s);
void nv_survivor_assert(struct nv_survivor *s, size_t len);

#endif
