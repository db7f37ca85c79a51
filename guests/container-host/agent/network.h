// Bridges and network namespaces by rtnetlink. Addresses are in network order.
#ifndef NETWORK_H
#define NETWORK_H

#include "system.h"

/** Makes a bridge with an address, up; one of that name that is there is fine. 0 or -errno. */
long make_bridge(const char *name, u32 address, u32 prefix);

/**
 * Moves the caller into a new network namespace and binds that to `path`: for a process of its own. It has lo, and
 * with a bridge eth0 with an address and a gateway; `interface` is the bridge's end of its cable. 0 or -errno.
 */
long make_network(const char *path, const char *bridge, const char *interface, u32 address, u32 prefix, u32 gateway);

/** Sets lo up in the namespace that the caller is in. */
long loopback_up(void);

#endif
