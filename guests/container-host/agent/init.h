// The first process of a container with --init: it passes signals on to the one that it starts, and takes in those
// that lost their parents.
#ifndef INIT_H
#define INIT_H

/** Where containers find it; the agent's own program is what is there. */
#define INIT_PATH "/sbin/docker-init"

_Noreturn void container_init(char **arguments, char **environment);

#endif
