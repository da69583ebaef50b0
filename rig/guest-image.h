/* SPDX-License-Identifier: MIT */
/* What the guest boots into: guest-init, and the job it is to do. */
#ifndef RIG_GUEST_IMAGE_H
#define RIG_GUEST_IMAGE_H

#include "options.h"

/* Returns an initramfs in a memory file. */
int guest_image(const char *top, const struct options *options);

#endif
