/* SPDX-License-Identifier: MIT */
/*
 * The job: how the runner tells guest-init what to do. A file in the initramfs,
 * NAME=VALUE strings, an empty string, then the command's arguments; each ends
 * with a NUL, so that any argument survives.
 */
#ifndef RIG_JOB_H
#define RIG_JOB_H

#define JOB_FILE "/job"

/* Names. A value is always a text; flags are there or not. */
#define JOB_TOP	    "top"  /* the repository: same path inside as outside */
#define JOB_ROOT    "root" /* what becomes the root, from that of the toolbox: "" is all */
#define JOB_CWD	    "cwd"
#define JOB_MODULES "modules" /* to be seen at /lib/modules */
#define JOB_SHARE   "share"   /* flag: there is a share */
#define JOB_NOUVEAU "nouveau" /* flag: load it */
#define JOB_MERGE   "merge"   /* flag: stdout and stderr are one stream */
#define JOB_TTY	    "tty"     /* "ROWS COLUMNS TERM": on a terminal */

/* Mount tags of the 9p shares. */
#define TAG_ROOT  "rig.root"
#define TAG_SHARE "rig.share"

/* Virtio-serial ports. */
#define PORT_STATUS "rig.status"
#define PORT_IN	    "rig.in"
#define PORT_OUT    "rig.out"
#define PORT_ERR    "rig.err"

/*
 * Reports, a line each: "stage WORD" (for --verbose), "ready" right before the
 * command starts, "over" when it ended and the search for leaks begins, "status N"
 * when all its output is out.
 */
#define REPORT_STAGE  "stage "
#define REPORT_READY  "ready"
#define REPORT_OVER   "over"
#define REPORT_STATUS "status "

#endif
