// Loaded into crun by the dynamic linker (LD_PRELOAD), as a library without libraries: keeps it from main, and lets
// copies go there. See template.h.
#include "template.h"

#include <linux/prctl.h>
#include <linux/sched.h>

#define SIGCHLD_ 17

static char text[TEMPLATE_TEXT];

/** A copy whose parent is ours. `thread` is where the C library keeps the number of this thread: its fork sets it, too. */
static long copy_process(u64 thread) {
  return sys(__NR_clone, CLONE_PARENT | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD_, 0, 0, 0, thread);
}

/** In the copy: standard streams, and the arguments for main, where Linux puts them when it starts a program. */
static void become(const int *descriptors, long length, char **arguments) {
  sys(__NR_setsid, 0);
  close_file(TEMPLATE_SOCKET);
  for (int i = 0; i < 3; i++) sys(__NR_dup3, descriptors[i], i, 0);
  for (int i = 0; i < 3; i++) {
    if (descriptors[i] > 2) close_file(descriptors[i]);
  }
  long count = 0;
  for (long at = 0; at < length && count < TEMPLATE_ARGUMENTS - 1; at += (long)strlen(text + at) + 1) {
    arguments[count++] = text + at;
  }
  // Behind them is the environment: none.
  arguments[count] = arguments[count + 1] = NULL;
  ((long *)arguments)[-1] = count;
}

__attribute__((constructor)) static void wait_for_requests(int count, char **arguments) {
  u64 thread = 0;
  if (count != TEMPLATE_ARGUMENTS || sys(__NR_prctl, PR_GET_TID_ADDRESS, &thread) < 0) exit_process(1);
  for (;;) {
    struct fd_message control __attribute__((aligned(8)));
    struct io_vector vector = {text, sizeof text - 1};
    struct socket_message message = {NULL, 0, &vector, 1, &control, sizeof control, 0};
    long length = sys(__NR_recvmsg, TEMPLATE_SOCKET, &message, MSG_CMSG_CLOEXEC_);
    if (length == -EINTR) continue;
    if (length <= 0 || message.control_bytes < FD_MESSAGE_BYTES || control.type != SCM_RIGHTS_) exit_process(0);
    text[length] = 0;
    int process = (int)copy_process(thread);
    if (process == 0) {
      become(control.descriptors, length, arguments);
      return;
    }
    for (int i = 0; i < 3; i++) close_file(control.descriptors[i]);
    sys(__NR_sendto, TEMPLATE_SOCKET, &process, sizeof process, MSG_NOSIGNAL_, 0, 0);
  }
}
