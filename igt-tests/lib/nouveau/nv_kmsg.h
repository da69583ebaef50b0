/* SPDX-License-Identifier: MIT */
/*
 * What nouveau tells the kernel's log of a channel that it kills.
 */
#ifndef NV_KMSG_H
#define NV_KMSG_H

#include <stdint.h>

#include "nouveau/nv_chan.h"

/* Who faulted: clients of the MMU by Pascal's numbers, of GPCs and of the hub. */
#define NV_CLIENT_GPC  "[GPC"		/* any of a GPC's, as loads and stores of shaders are */
#define NV_CLIENT_GCC  "client 0d [GPC" /* instructions and constants */
#define NV_CLIENT_HOST "client 06 [HUB"
#define NV_CLIENT_SKED "client 1d [HUB"

int nv_kmsg_open(void);
void nv_kmsg_assert_killed(int kmsg, const struct nv_chan *chan, uint64_t addr, const char *client);

#endif
