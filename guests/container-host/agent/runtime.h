// crun, and how it is started.
#ifndef RUNTIME_H
#define RUNTIME_H

#include "system.h"

/** Its path, by which the host asks for it. */
#define RUNTIME "/usr/bin/crun"

/** Takes the program into memory, where nobody can change it, and starts its template. 0 or -errno. */
long prepare_runtime(void);
/** The program, to be executed. */
long runtime_program(void);
/**
 * A process of crun's without an environment, in "/" and in a session of its own. Its number; -errno when it has to be
 * started by executing the program.
 */
long copy_runtime(const char *const *arguments, const int *standard);

#endif
