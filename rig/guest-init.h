/* SPDX-License-Identifier: MIT */
/* What the parts of guest-init share. */
#ifndef RIG_GUEST_INIT_H
#define RIG_GUEST_INIT_H

/* Value of a field of the job, or NULL. */
const char *job_get(const char *name);
/* The command: ends with NULL. */
char **job_command(void);

/* To the runner. */
void report(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Says why in the kernel log and ends the machine. */
void __attribute__((noreturn, format(printf, 1, 2))) give_up(const char *format, ...);

/* guest-root.c: from the initramfs into the toolbox. */
void enter_root(void);
/* Everything that was written to the share is there. */
void leave_root(void);

/* guest-session.c: waits for a port of this name, opens it. */
int port_open(const char *name);
/* Links in /dev/virtio-ports, as udev makes them. */
void port_links(void);
/* Runs a program to its end without input; returns its exit status. */
int run_tool(char *const argv[]);
/* Runs the command, moves its input and output; returns its exit status. */
int run_command(void);

#endif
