// What the agent and the template of crun's say to each other. The template is a crun that Linux has loaded and the
// dynamic linker has linked, and that stands before main: its copies go on there, each with arguments of its own.
// Loading and linking crun takes 3 of 20 million instructions of a container's start.
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include "system.h"

/** The template's end of the socket. */
#define TEMPLATE_SOCKET 3
/** Room for arguments in the template's stack: as many as it is started with. */
#define TEMPLATE_ARGUMENTS 32
#define TEMPLATE_TEXT 4096

/**
 * Request: arguments one after the other, each with its 0, and the three standard streams as descriptors. Answer: the
 * copy's process number (s32), or -errno.
 */
struct fd_message {
  u64 length;
  int level, type;
  int descriptors[3];
};

/** struct msghdr and struct iovec of Linux (asm-generic, 64 bits). */
struct io_vector {
  void *base;
  u64 length;
};
struct socket_message {
  void *name;
  u64 name_bytes;
  struct io_vector *vectors;
  u64 count;
  void *control;
  u64 control_bytes;
  u64 flags;
};
#define FD_MESSAGE_BYTES 28
#define SOL_SOCKET_ 1
#define SCM_RIGHTS_ 1
#define MSG_NOSIGNAL_ 0x4000
#define MSG_CMSG_CLOEXEC_ 0x40000000

#endif
