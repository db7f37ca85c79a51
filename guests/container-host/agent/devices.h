// Which devices containers may use.
#ifndef DEVICES_H
#define DEVICES_H

/**
 * Puts docker's rules for devices on a cgroup, and so on all below it: null, zero, full, random and urandom, tty,
 * console, ptmx and terminals; any node may be made. 0 or -errno.
 *
 * crun would load a program of its own into each container's cgroup, and Linux check it anew each time: 3 of 26 million
 * instructions of a start.
 */
long restrict_devices(const char *cgroup);

#endif
