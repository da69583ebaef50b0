/* SPDX-License-Identifier: MIT */
/* The virtual machine, as a command line for QEMU. */
#ifndef RIG_MACHINE_H
#define RIG_MACHINE_H

#include "child.h"
#include "options.h"

/* Character channels: sockets, for the log a pipe, whose other ends the runner holds. */
enum channel {
	CHANNEL_LOG,	/* serial console: the kernel log */
	CHANNEL_STATUS, /* guest-init's reports */
	CHANNEL_IN,
	CHANNEL_OUT,
	CHANNEL_ERR,
	CHANNELS,
};

/* Names of the virtio-serial ports that guest-init opens. */
extern const char *const channel_names[CHANNELS];

/*
 * `channels` and the files of `kernel` are given to QEMU, as are image (the
 * initramfs) and share (-1: none). firmware is where the kernel looks for it
 * (NULL: nowhere), seen by the guest. Sockets of the model are named relative
 * to the directory QEMU runs in, as socket addresses are short.
 */
struct machine {
	const char *top;
	const struct options *options;
	const char *firmware;
	int channels[CHANNELS];
	int image;
	int share;
};

/* Dies when there is no such machine. */
void machine_check(const struct options *options);
/*
 * The switch, from 1 on, that carries requests of this GPU to others below it
 * across, so that they never come to the IOMMU; 0: there is none.
 */
int machine_switch(const struct options *options, int gpu);
void machine_describe(const struct machine *machine, struct child *qemu);

#endif
