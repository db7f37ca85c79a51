#include "streams.h"

#include <asm/ioctls.h>
#include <asm/termios.h>
#include <linux/mman.h>
#include <linux/socket.h>
#include <linux/un.h>

#include "runtime.h"

#define AF_UNIX_ 1
#define SOCK_STREAM_CLOEXEC (1 | O_CLOEXEC)
#define SOL_SOCKET_ 1
#define SCM_RIGHTS_ 1
#define ARGUMENTS_MAX 1024
#define CHUNK (32 * 1024)
#define S_PIPE 0010000
#define NAME_BYTES 32
#define ORPHANS 256

struct stream {
  u32 call; // 0: the slot is free
  u32 flags;
  /** The program, then the process that it named. */
  long child, followed;
  u32 status;
  u8 is_job, started, ended, input_ended;
  /** Ends of pipes and the terminal, -1 where there is none. */
  int input, output[2], listener, terminal;
  /** Where a program that stays says which process it has started. */
  int naming;
  u32 columns, rows;
  /** Output that may still be sent. */
  u32 credit;
  /** Input that has not been written. */
  u8 *waiting;
  u32 waiting_bytes;
  const char *socket;
  char paths[2 * 256];
};

static struct stream streams[STREAMS_MAX];
/** Processes that ended before we knew that they were somebody's. */
static struct {
  long process;
  u32 status;
} orphans[ORPHANS];
static u32 next_orphan;
static u8 chunk[CHUNK];
static u16 poll_owners[STREAM_POLLS];

static struct stream *find(u32 call) {
  for (u32 i = 0; i < STREAMS_MAX; i++) {
    if (streams[i].call == call && call != 0) return &streams[i];
  }
  return NULL;
}

static struct stream *take_slot(u32 call) {
  for (u32 i = 0; i < STREAMS_MAX; i++) {
    struct stream *s = &streams[i];
    if (s->call != 0) continue;
    u8 *waiting = s->waiting;
    memset(s, 0, sizeof *s);
    s->waiting = waiting;
    s->call = call;
    s->child = s->followed = s->input = s->output[0] = s->output[1] = s->listener = s->terminal = s->naming = -1;
    s->credit = WINDOW;
    return s;
  }
  return NULL;
}

static void close_end(int *fd) {
  close_file(*fd);
  *fd = -1;
}

static void release(struct stream *s) {
  close_end(&s->input);
  close_end(&s->output[0]);
  close_end(&s->output[1]);
  close_end(&s->listener);
  close_end(&s->terminal);
  close_end(&s->naming);
  if (s->socket != NULL) sys(__NR_unlinkat, AT_FDCWD, s->socket, 0);
  s->call = 0;
}

/** Where a program's standard streams are to be, and what it is to run. */
struct plan {
  const char *root, *directory, *program;
  const char *arguments[ARGUMENTS_MAX + 1], *environment[ARGUMENTS_MAX + 1];
  int standard[3];
};

static void take_list(struct reader *in, const char **list) {
  u32 count = take_u32(in);
  if (count > ARGUMENTS_MAX) in->bad = 1;
  for (u32 i = 0; i < count && !in->bad; i++) list[i] = take_string(in);
  list[in->bad ? 0 : count] = NULL;
}

static _Noreturn void become(const struct plan *plan) {
  u64 none = 0;
  sys(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &none, NULL, sizeof none);
  sys(__NR_setsid, 0);
  write_text("/proc/self/oom_score_adj", "0");
  // Copies above those that are to be replaced, in whatever order they come.
  int copies[3];
  for (int i = 0; i < 3; i++) copies[i] = (int)sys(__NR_fcntl, plan->standard[i], F_DUPFD, 10);
  for (int i = 0; i < 3; i++) {
    sys(__NR_dup3, copies[i], i, 0);
    close_file(copies[i]);
  }
  long program = streq(plan->program, RUNTIME) ? runtime_program() : open_file(plan->program, O_PATH, 0);
  if (program < 0) exit_process(127);
  if (*plan->root != 0 && sys(__NR_chroot, plan->root) < 0) exit_process(125);
  if (sys(__NR_chdir, *plan->directory == 0 ? "/" : plan->directory) < 0) exit_process(125);
  sys(__NR_execveat, program, "", plan->arguments, plan->environment, AT_EMPTY_PATH);
  exit_process(126);
}

static long listen_at(const char *path) {
  struct sockaddr_un address;
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX_;
  if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
  memcpy(address.sun_path, path, strlen(path));
  long fd = sys(__NR_socket, AF_UNIX_, SOCK_STREAM_CLOEXEC | O_NONBLOCK, 0);
  if (fd < 0) return fd;
  sys(__NR_unlinkat, AT_FDCWD, path, 0);
  long result = sys(__NR_bind, fd, &address, sizeof address);
  if (result == 0) result = sys(__NR_listen, fd, 4);
  if (result == 0) return fd;
  close_file(fd);
  return result;
}

static const char *keep(struct stream *s, unsigned long at, const char *text) {
  s->paths[at] = 0;
  append(s->paths + at, 256, text);
  return s->paths + at;
}

/** Makes the pipes of a program: plan->standard has its ends, the stream ours. */
static long open_ends(struct stream *s, struct plan *plan) {
  int pipe[2];
  if (s->flags & SPAWN_INPUT && !(s->flags & SPAWN_TERMINAL)) {
    long result = sys(__NR_pipe2, pipe, O_CLOEXEC);
    if (result < 0) return result;
    plan->standard[0] = pipe[0];
    s->input = pipe[1];
    sys(__NR_fcntl, pipe[1], F_SETFL, O_NONBLOCK);
  } else {
    long null = open_file("/dev/null", O_RDONLY, 0);
    if (null < 0) return null;
    plan->standard[0] = (int)null;
  }
  for (int i = 0; i < 2; i++) {
    long result = sys(__NR_pipe2, pipe, O_CLOEXEC);
    if (result < 0) return result;
    plan->standard[1 + i] = pipe[1];
    s->output[i] = pipe[0];
    sys(__NR_fcntl, pipe[0], F_SETFL, O_NONBLOCK);
  }
  if (s->flags & SPAWN_TERMINAL) {
    long listener = listen_at(s->socket);
    if (listener < 0) return listener;
    s->listener = (int)listener;
  }
  return 0;
}

/** A pipe by the name of the pid file: we see at once when something is written to it. */
static long open_naming(struct stream *s) {
  sys(__NR_unlinkat, AT_FDCWD, s->paths, 0);
  long result = sys(__NR_mknodat, AT_FDCWD, s->paths, S_PIPE | 0600, 0);
  if (result < 0) return result;
  // With an end of our own to write to, so that it does not end when the program's has been closed.
  result = open_file(s->paths, O_RDWR | O_NONBLOCK, 0);
  if (result >= 0) s->naming = (int)result;
  return result < 0 ? result : 0;
}

/** True while a program, other than `own`, runs that will name a process. */
static int awaits_process(const struct stream *own) {
  for (u32 i = 0; i < STREAMS_MAX; i++) {
    const struct stream *s = &streams[i];
    if (s != own && s->call != 0 && s->flags & SPAWN_FOLLOW && !s->started && !s->ended) return 1;
  }
  return 0;
}

long spawn(u32 call, struct reader *in) {
  static struct plan plan;
  if (call == 0 || find(call) != NULL) return -EEXIST;
  struct stream *s = take_slot(call);
  if (s == NULL) return -EAGAIN;
  for (int i = 0; i < 3; i++) plan.standard[i] = -1;
  s->flags = take_u32(in);
  s->columns = take_u32(in);
  s->rows = take_u32(in);
  keep(s, 0, take_string(in));
  s->socket = keep(s, 256, take_string(in));
  plan.root = take_string(in);
  plan.directory = take_string(in);
  plan.program = take_string(in);
  take_list(in, plan.arguments);
  take_list(in, plan.environment);
  long result = in->bad ? -EINVAL : open_ends(s, &plan);
  if (result == 0) {
    if (s->flags & SPAWN_STAYS) result = open_naming(s);
    if (s->flags & SPAWN_FOLLOW) {
      sys(__NR_unlinkat, AT_FDCWD, s->paths, 0);
      if (!awaits_process(s)) memset(orphans, 0, sizeof orphans);
    }
    int is_plain = plan.root[0] == 0 && streq(plan.directory, "/") && plan.environment[0] == NULL;
    long copy = result == 0 && is_plain && streq(plan.program, RUNTIME) ? copy_runtime(plan.arguments, plan.standard) : 0;
    if (result == 0) {
      result = copy > 0 ? copy : fork_process();
      if (result == 0) become(&plan);
    }
    s->child = result;
  }
  for (int i = 0; i < 3; i++) close_file(plan.standard[i]);
  if (result < 0) release(s);
  return result < 0 ? result : 0;
}

long spawn_job(u32 call, long (*job)(struct reader *in), struct reader *in) {
  struct stream *s = take_slot(call);
  if (s == NULL) return -EAGAIN;
  s->is_job = 1;
  s->child = fork_process();
  if (s->child == 0) exit_process((int)-job(in));
  long result = s->child;
  if (result < 0) release(s);
  return result < 0 ? result : 0;
}

void give_input(u32 call, struct reader *in) {
  struct stream *s = find(call);
  u32 count = (u32)(in->end - in->at);
  if (s == NULL || s->input_ended) return;
  if (count > INPUT_WINDOW - s->waiting_bytes) give_up("the host sent more input than it may");
  if (s->waiting == NULL) {
    long memory = sys(__NR_mmap, 0, INPUT_WINDOW, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory < 0 && memory > -4096) return;
    s->waiting = (u8 *)memory;
  }
  memcpy(s->waiting + s->waiting_bytes, in->at, count);
  s->waiting_bytes += count;
}

void end_input(u32 call) {
  struct stream *s = find(call);
  if (s == NULL) return;
  s->input_ended = 1;
  if (s->waiting_bytes == 0) close_end(&s->input);
}

static void set_size(struct stream *s) {
  struct winsize size = {(u16)s->rows, (u16)s->columns, 0, 0};
  if (s->terminal >= 0 && s->columns > 0) sys(__NR_ioctl, s->terminal, TIOCSWINSZ, &size);
}

void resize_terminal(u32 call, u32 columns, u32 rows) {
  struct stream *s = find(call);
  if (s == NULL) return;
  s->columns = columns;
  s->rows = rows;
  set_size(s);
}

/** Takes the terminal that a program sent to its console socket. */
static void accept_terminal(struct stream *s) {
  long connection = sys(__NR_accept4, s->listener, NULL, NULL, O_CLOEXEC);
  if (connection < 0) return;
  u8 bytes[256];
  u64 control[16];
  struct {
    void *base;
    u64 length;
  } vector = {bytes, sizeof bytes};
  struct {
    void *name;
    u64 name_bytes;
    void *vectors;
    u64 count;
    void *control;
    u64 control_bytes;
    u64 flags;
  } message = {NULL, 0, &vector, 1, control, sizeof control, 0};
  struct {
    u64 length;
    int level, type;
    int descriptor;
  } *header = (void *)control;
  long count = sys(__NR_recvmsg, connection, &message, 0x40000000 /* MSG_CMSG_CLOEXEC */);
  if (count > 0 && message.control_bytes >= 20 && header->level == SOL_SOCKET_ && header->type == SCM_RIGHTS_) {
    s->terminal = header->descriptor;
    sys(__NR_fcntl, s->terminal, F_SETFL, O_NONBLOCK | O_RDWR);
    set_size(s);
    close_end(&s->listener);
    sys(__NR_unlinkat, AT_FDCWD, s->socket, 0);
  }
  close_file(connection);
}

/** Passes on what is there. `fd` is closed at its end. Returns 1 when there may be more. */
static int pass_output(struct stream *s, int *fd, u8 number) {
  while (*fd >= 0) {
    if (s->credit == 0) return 1;
    long count = sys(__NR_read, *fd, chunk, s->credit < CHUNK ? s->credit : CHUNK);
    if (count == -EINTR) continue;
    if (count == -EAGAIN) return 1;
    if (count <= 0) {
      close_end(fd);
      return 0;
    }
    s->credit -= (u32)count;
    send_frame(s->call, OUTPUT, &number, 1, chunk, (u32)count);
    if (count < CHUNK) return 1;
  }
  return 0;
}

static void pass_input(struct stream *s) {
  int *fd = s->flags & SPAWN_TERMINAL ? &s->terminal : &s->input;
  u32 count = s->waiting_bytes;
  if (count == 0) return;
  long written = *fd < 0 ? (long)count : sys(__NR_write, *fd, s->waiting, count);
  if (written == -EAGAIN || written == -EINTR) return;
  // Nobody reads it any more.
  if (written < 0) written = (long)count;
  s->waiting_bytes -= (u32)written;
  memmove(s->waiting, s->waiting + written, s->waiting_bytes);
  send_u32(s->call, ACCEPTED, (u32)written);
  if (s->input_ended && s->waiting_bytes == 0) close_end(&s->input);
}

/** Ends a stream whose process has ended, once all that it wrote has been sent. */
static void try_to_end(struct stream *s) {
  if (!s->ended) return;
  if (s->is_job) {
    send_result(s->call, -(long)((s->status >> 8 & 0xff) != 0 || s->status == 0 ? s->status >> 8 & 0xff : EINTR));
    release(s);
    return;
  }
  if (s->listener >= 0) accept_terminal(s);
  // What a process wrote before it ended is in the pipe; the end of a terminal comes when all of it has been read.
  for (u8 i = 0; i < 2; i++) pass_output(s, &s->output[i], i + 1);
  pass_output(s, &s->terminal, 1);
  if (s->credit == 0 || s->terminal >= 0) return;
  u8 payload[5] = {s->started};
  memcpy(payload + 1, &s->status, 4);
  send_frame(s->call, EXITED, payload, sizeof payload, NULL, 0);
  release(s);
}

void give_credit(u32 call, u32 bytes) {
  struct stream *s = find(call);
  if (s == NULL || bytes > WINDOW - s->credit) return;
  s->credit += bytes;
  try_to_end(s);
}

static void end_stream(struct stream *s, u32 status) {
  s->ended = 1;
  s->status = status;
  try_to_end(s);
}

/** The program has named what it started. */
static void start_following(struct stream *s, const char *text) {
  long process = 0;
  for (const char *at = text; *at >= '0' && *at <= '9' && process < 1 << 30; at++) process = process * 10 + *at - '0';
  s->started = 1;
  s->followed = process;
  if (s->listener >= 0) accept_terminal(s);
  send_u32(s->call, STARTED, (u32)process);
}

/** The program has done its part: what it started is now what the stream is about. */
static void follow(struct stream *s) {
  char text[NAME_BYTES];
  if (read_text(s->paths, text, sizeof text) <= 0) {
    end_stream(s, 255 << 8);
    return;
  }
  start_following(s, text);
  for (u32 i = 0; i < ORPHANS; i++) {
    if (orphans[i].process != s->followed) continue;
    orphans[i].process = 0;
    end_stream(s, orphans[i].status);
    return;
  }
}

/** Reads what a program that stays has named, when it has. */
static void read_name(struct stream *s) {
  char text[NAME_BYTES];
  long length = sys(__NR_read, s->naming, text, sizeof text - 1);
  if (length <= 0) return;
  text[length] = 0;
  close_end(&s->naming);
  start_following(s, text);
}

void note_end(long process, u32 status) {
  for (u32 i = 0; i < STREAMS_MAX; i++) {
    struct stream *s = &streams[i];
    if (s->call == 0 || s->ended) continue;
    if (s->child == process && s->flags & SPAWN_STAYS) {
      if (!s->started) read_name(s);
      end_stream(s, status);
      return;
    }
    if (s->child == process && !s->started) {
      if (s->flags & SPAWN_FOLLOW && status == 0) follow(s);
      else end_stream(s, status);
      return;
    }
    if (s->started && s->followed == process && !(s->flags & SPAWN_STAYS)) {
      end_stream(s, status);
      return;
    }
  }
  // Only one that a program under way may still name is worth keeping: process numbers come again.
  if (!awaits_process(NULL)) return;
  orphans[next_orphan].process = process;
  orphans[next_orphan].status = status;
  next_orphan = (next_orphan + 1) % ORPHANS;
}

static void want(struct pollfd *polls, u32 *count, u32 owner, int fd, short events) {
  if (fd < 0 || events == 0) return;
  poll_owners[*count] = (u16)owner;
  polls[(*count)++] = (struct pollfd){fd, events, 0};
}

u32 list_polls(struct pollfd *polls) {
  u32 count = 0;
  for (u32 i = 0; i < STREAMS_MAX; i++) {
    const struct stream *s = &streams[i];
    if (s->call == 0 || s->is_job) continue;
    short in = s->credit > 0 ? POLLIN : 0;
    short out = s->waiting_bytes > 0 ? POLLOUT : 0;
    want(polls, &count, i, s->output[0], in);
    want(polls, &count, i, s->output[1], in);
    want(polls, &count, i, s->flags & SPAWN_TERMINAL ? s->listener : s->input, s->listener >= 0 ? POLLIN : out);
    want(polls, &count, i, s->terminal, (short)(in | out));
    want(polls, &count, i, s->naming, POLLIN);
  }
  return count;
}

void serve_polls(const struct pollfd *polls, u32 count) {
  for (u32 i = 0; i < count; i++) {
    struct stream *s = &streams[poll_owners[i]];
    if (polls[i].revents == 0 || s->call == 0) continue;
    int fd = polls[i].fd;
    if (fd == s->listener) accept_terminal(s);
    if (fd == s->naming) read_name(s);
    for (u8 n = 0; n < 2; n++) {
      if (fd == s->output[n]) pass_output(s, &s->output[n], n + 1);
    }
    if (fd == s->input || (fd == s->terminal && s->waiting_bytes > 0)) pass_input(s);
    if (fd == s->terminal) pass_output(s, &s->terminal, 1);
    try_to_end(s);
  }
  // Input of programs that have nowhere to read it.
  for (u32 i = 0; i < STREAMS_MAX; i++) {
    struct stream *s = &streams[i];
    if (s->call == 0 || s->waiting_bytes == 0) continue;
    int waits = s->flags & SPAWN_TERMINAL ? s->terminal >= 0 || !s->ended : s->input >= 0;
    if (!waits) pass_input(s);
  }
}
