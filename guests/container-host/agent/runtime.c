#include "runtime.h"

#include "template.h"

#define AF_UNIX_ 1
#define SOCK_SEQPACKET_CLOEXEC (5 | O_CLOEXEC)
#define LIBRARY "/usr/lib/hypertab/template.so"
/** Above all that is to be put in their places. */
#define SPARE_DESCRIPTOR 10
/** A template that ends again and again is given up: crun is executed then. */
#define STARTS_MAX 8

/**
 * The program, sealed: so it need not make a copy of itself and start that, as it does lest a container get at the file
 * that it is. That is half of its 10 million instructions before it does anything.
 */
static long program = -1;
static long template_socket = -1;
static u32 starts;

static _Noreturn void become_template(long socket) {
  static const char *const environment[] = {"LD_PRELOAD=" LIBRARY, "LD_BIND_NOW=1", NULL};
  const char *arguments[TEMPLATE_ARGUMENTS + 1];
  u64 none = 0;
  sys(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &none, NULL, sizeof none);
  write_text("/proc/self/oom_score_adj", "0");
  long null = sys(__NR_fcntl, open_file("/dev/null", O_RDWR, 0), F_DUPFD, SPARE_DESCRIPTOR);
  long channel = sys(__NR_fcntl, socket, F_DUPFD, SPARE_DESCRIPTOR);
  for (int i = 0; i < 3; i++) sys(__NR_dup3, null, i, 0);
  sys(__NR_dup3, channel, TEMPLATE_SOCKET, 0);
  close_file(null);
  close_file(channel);
  for (u32 i = 0; i < TEMPLATE_ARGUMENTS; i++) arguments[i] = "crun";
  arguments[TEMPLATE_ARGUMENTS] = NULL;
  sys(__NR_execveat, program, "", arguments, environment, AT_EMPTY_PATH);
  exit_process(126);
}

static void start_template(void) {
  int ends[2];
  if (starts++ >= STARTS_MAX || sys(__NR_socketpair, AF_UNIX_, SOCK_SEQPACKET_CLOEXEC, 0, ends) < 0) return;
  long process = fork_process();
  if (process == 0) become_template(ends[1]);
  close_file(ends[1]);
  if (process < 0) close_file(ends[0]);
  else template_socket = ends[0];
}

long prepare_runtime(void) {
  program = seal_program(RUNTIME);
  if (program < 0) return program;
  sys(__NR_unlinkat, AT_FDCWD, RUNTIME, 0);
  start_template();
  return 0;
}

long runtime_program(void) {
  return program;
}

long copy_runtime(const char *const *arguments, const int *standard) {
  static char text[TEMPLATE_TEXT];
  u64 length = 0;
  u32 count = 0;
  if (template_socket < 0) return -ENOTCONN;
  for (; arguments[count] != NULL; count++) {
    u64 bytes = strlen(arguments[count]) + 1;
    if (count >= TEMPLATE_ARGUMENTS - 2 || length + bytes >= sizeof text) return -E2BIG;
    memcpy(text + length, arguments[count], bytes);
    length += bytes;
  }
  struct fd_message control = {FD_MESSAGE_BYTES, SOL_SOCKET_, SCM_RIGHTS_, {standard[0], standard[1], standard[2]}};
  struct io_vector vector = {text, length};
  struct socket_message message = {NULL, 0, &vector, 1, &control, sizeof control, 0};
  long result = sys(__NR_sendmsg, template_socket, &message, MSG_NOSIGNAL_);
  int process = 0;
  if (result >= 0) result = sys(__NR_recvfrom, template_socket, &process, sizeof process, 0, 0, 0);
  if (result == sizeof process) return process;
  // It has ended: killed for its memory, perhaps.
  close_file(template_socket);
  template_socket = -1;
  start_template();
  return -EPIPE;
}
