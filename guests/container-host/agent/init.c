#include "init.h"

#include "system.h"

#define PATH_BYTES 4096
#define SIGNAL_BYTES 8

/** Signals that are a process's own doing are not to be passed on (SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS). */
static const u8 own_faults[] = {4, 5, 6, 7, 8, 11, 31};
#define SIGCHLD_ 17
#define SIGTTIN_ 21
#define SIGTTOU_ 22

static const char *variable(char **environment, const char *name) {
  unsigned long length = strlen(name);
  for (; *environment != NULL; environment++) {
    unsigned long at = 0;
    while (at < length && (*environment)[at] == name[at]) at++;
    if (at == length && (*environment)[at] == '=') return *environment + length + 1;
  }
  return "";
}

/** Becomes a program, looked for where PATH says. Returns only with -errno. */
static long become_program(char **arguments, char **environment) {
  const char *name = arguments[0];
  for (const char *at = name; *at != 0; at++) {
    if (*at == '/') return sys(__NR_execve, name, arguments, environment);
  }
  long result = -ENOENT;
  for (const char *at = variable(environment, "PATH"); *at != 0;) {
    char path[PATH_BYTES];
    unsigned long length = 0;
    while (at[length] != 0 && at[length] != ':' && length < sizeof path - 1) path[length] = at[length], length++;
    path[length] = 0;
    append(path, sizeof path, "/");
    append(path, sizeof path, name);
    long found = sys(__NR_execve, path, arguments, environment);
    if (found != -ENOENT) result = found;
    at += length;
    if (*at == ':') at++;
  }
  return result;
}

_Noreturn void container_init(char **arguments, char **environment) {
  u64 passed = ~0ul, none = 0;
  for (u32 i = 0; i < sizeof own_faults; i++) passed &= ~(1ul << (own_faults[i] - 1));
  if (*arguments != NULL && streq(*arguments, "--")) arguments++;
  if (*arguments == NULL) exit_process(127);
  sys(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &passed, NULL, SIGNAL_BYTES);
  long child = fork_process();
  if (child < 0) exit_process(125);
  if (child == 0) {
    // A session's terminal goes to the program, not to us.
    u32 self = (u32)sys(__NR_getpid, 0);
    sys(__NR_setpgid, 0, 0);
    sys(__NR_ioctl, 0, 0x5410 /* TIOCSPGRP */, &self);
    sys(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &none, NULL, SIGNAL_BYTES);
    exit_process(become_program(arguments, environment) == -ENOENT ? 127 : 126);
  }
  for (;;) {
    u8 details[128];
    long signal = sys(__NR_rt_sigtimedwait, &passed, details, NULL, SIGNAL_BYTES);
    if (signal > 0 && signal != SIGCHLD_ && signal != SIGTTIN_ && signal != SIGTTOU_) sys(__NR_kill, child, signal);
    if (signal != SIGCHLD_) continue;
    for (;;) {
      int status;
      long process = sys(__NR_wait4, -1, &status, 1 /* WNOHANG */, NULL);
      if (process <= 0) break;
      if (process != child) continue;
      exit_process((status & 0x7f) == 0 ? status >> 8 & 0xff : 128 + (status & 0x7f));
    }
  }
}
