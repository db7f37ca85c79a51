// The first process of the container host: sets the machine up, and then does what the host asks for over a channel.
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/reboot.h>
#include <linux/resource.h>
#include <linux/signalfd.h>

#include "devices.h"
#include "files.h"
#include "init.h"
#include "network.h"
#include "runtime.h"
#include "streams.h"

#define CHANNEL "hypertab.channel0"
/** Files that are removed without a process of its own, which costs 400,000 instructions. */
#define REMOVED_AT_ONCE 64
#define PROMPT "container-host # "
#define SIGNALS_OF_CHILDREN (1ul << (17 - 1))

/** Directories that are there from the beginning are made with the initramfs. */
static const struct {
  const char *source, *target, *type;
  u64 flags;
  const char *data;
} mounts[] = {
  {"proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
  {"sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
  {"devtmpfs", "/dev", "devtmpfs", MS_NOSUID, NULL},
  {"cgroup2", "/sys/fs/cgroup", "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, "nsdelegate"},
  {"tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755"},
};

static void mount_all(void) {
  // Containers get a root of their own by pivot_root, which the first root of all does not allow: another one is put
  // over it, with the same files.
  sys(__NR_mount, "/", "/root", NULL, MS_BIND, NULL);
  sys(__NR_chdir, "/root");
  if (sys(__NR_mount, ".", "/", NULL, MS_MOVE, NULL) < 0) give_up("the root cannot be moved");
  sys(__NR_chroot, ".");
  sys(__NR_chdir, "/");
  for (u32 i = 0; i < NELEM(mounts); i++) {
    if (sys(__NR_mount, mounts[i].source, mounts[i].target, mounts[i].type, mounts[i].flags, mounts[i].data) < 0) {
      give_up(mounts[i].target);
    }
  }
  sys(__NR_mkdirat, AT_FDCWD, "/dev/pts", 0755);
  sys(__NR_mkdirat, AT_FDCWD, "/dev/shm", 01777);
  sys(__NR_mount, "devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620");
}

/** Loads the modules that /lib/hypertab/modules lists, a path a line. */
static void load_modules(void) {
  char list[4096];
  if (read_text("/lib/hypertab/modules", list, sizeof list) < 0) return;
  for (char *line = list; *line != 0;) {
    char *end = line;
    while (*end != 0 && *end != '\n') end++;
    char last = *end;
    *end = 0;
    long fd = open_file(line, O_RDONLY, 0);
    long result = fd < 0 ? fd : sys(__NR_finit_module, fd, "", 0);
    close_file(fd);
    if (result < 0) give_up(line);
    line = last == 0 ? end : end + 1;
  }
}

static void set_up(void) {
  struct rlimit many = {1 << 16, 1 << 16};
  mount_all();
  load_modules();
  write_text("/sys/fs/cgroup/cgroup.subtree_control", "+cpuset +cpu +io +memory +pids");
  sys(__NR_mkdirat, AT_FDCWD, "/sys/fs/cgroup/docker", 0755);
  write_text("/sys/fs/cgroup/docker/cgroup.subtree_control", "+cpuset +cpu +io +memory +pids");
  if (restrict_devices("/sys/fs/cgroup/docker") < 0) give_up("the devices of containers cannot be restricted");
  // Whoever waits for a grace period is kept for milliseconds otherwise, of which nothing else makes use here.
  write_text("/sys/kernel/rcu_expedited", "1");
  write_text("/proc/sys/net/ipv4/ip_forward", "1");
  write_text("/proc/self/oom_score_adj", "-1000");
  sys(__NR_prlimit64, 0, RLIMIT_NOFILE, &many, NULL);
  sys(__NR_sethostname, "container-host", 14);
  sys(__NR_umask, 022);
  loopback_up();
  if (prepare_runtime() < 0) give_up(RUNTIME);
}

/** Finds the channel's device among the ports that the kernel knows. */
static long open_channel(void) {
  static u8 entries[4096] __attribute__((aligned(8)));
  for (u32 attempt = 0; attempt < 1000; attempt++) {
    long directory = open_file("/sys/class/virtio-ports", O_RDONLY | O_DIRECTORY, 0);
    long count = directory < 0 ? 0 : sys(__NR_getdents64, directory, entries, sizeof entries);
    close_file(directory);
    for (long at = 0; at < count; at += *(u16 *)(entries + at + 16)) {
      char name[64], path[128] = "/sys/class/virtio-ports/";
      const char *port_name = (const char *)entries + at + 19;
      if (*port_name == '.') continue;
      append(path, sizeof path, port_name);
      append(path, sizeof path, "/name");
      if (read_text(path, name, sizeof name) <= 0 || !streq(name, CHANNEL)) continue;
      char device[128] = "/dev/";
      append(device, sizeof device, port_name);
      long fd = open_file(device, O_RDWR, 0);
      if (fd >= 0) return fd;
    }
    // Ports come one by one, after their device.
    struct {
      s64 seconds, nanoseconds;
    } pause = {0, 5000000};
    sys(__NR_nanosleep, &pause, NULL);
  }
  give_up("there is no channel to the host: it needs VmOptions.channels");
}

static long job_remove(struct reader *in) {
  const char *path = take_string(in);
  return in->bad ? -EINVAL : remove_tree(path, ~0u);
}

static long job_network(struct reader *in) {
  const char *path = take_string(in), *bridge = take_string(in), *interface = take_string(in);
  u32 address = take_u32(in), prefix = take_u32(in), gateway = take_u32(in);
  return in->bad ? -EINVAL : make_network(path, bridge, interface, address, prefix, gateway);
}

static long do_mount(struct reader *in) {
  const char *source = take_string(in), *target = take_string(in), *type = take_string(in);
  u64 flags = take_u64(in);
  const char *data = take_string(in);
  return in->bad ? -EINVAL : sys(__NR_mount, source, target, type, flags, data);
}

/** The host's time: this machine may go on from where it was saved long ago. */
static void set_clock(u64 nanoseconds) {
  struct {
    s64 seconds, nanoseconds;
  } now = {(s64)(nanoseconds / 1000000000), (s64)(nanoseconds % 1000000000)};
  sys(__NR_clock_settime, 0 /* CLOCK_REALTIME */, &now);
}

/** Does a request. 1: it has been answered, or will be. */
static long perform(u32 call, u8 kind, struct reader *in) {
  const char *first, *second;
  struct reader rest;
  u32 number, other;
  u64 offset;
  switch (kind) {
  case MAKE_DIRECTORY:
    first = take_string(in), number = take_u32(in);
    return in->bad ? -EINVAL : make_directory(first, number);
  case WRITE_FILE:
    first = take_string(in), number = take_u32(in), other = take_u32(in);
    return in->bad ? -EINVAL : write_file(first, number, other, in->at, (u64)(in->end - in->at));
  case READ_FILE:
    first = take_string(in), second = take_string(in), offset = take_u64(in), number = take_u32(in);
    if (in->bad) return -EINVAL;
    offset = (u64)read_file(call, first, second, offset, number);
    return offset == 0 ? 1 : (long)offset;
  case MOUNT:
    return do_mount(in);
  case UNMOUNT:
    first = take_string(in), number = take_u32(in);
    return in->bad ? -EINVAL : sys(__NR_umount2, first, number);
  case LIST:
    first = take_string(in);
    number = in->bad;
    offset = number ? (u64)-EINVAL : (u64)list_directory(call, first);
    return offset == 0 ? 1 : (long)offset;
  case SIGNAL:
    number = take_u32(in), other = take_u32(in);
    return in->bad || number < 2 ? -EINVAL : sys(__NR_kill, number, other);
  case BRIDGE:
    first = take_string(in), number = take_u32(in), other = take_u32(in);
    return in->bad ? -EINVAL : make_bridge(first, number, other);
  case LINK:
    first = take_string(in), second = take_string(in);
    return in->bad ? -EINVAL : sys(__NR_symlinkat, first, AT_FDCWD, second);
  case REMOVE_DIRECTORY:
    first = take_string(in);
    return in->bad ? -EINVAL : sys(__NR_unlinkat, AT_FDCWD, first, AT_REMOVEDIR);
  case SPAWN:
    number = (u32)spawn(call, in);
    return number == 0 ? 1 : (int)number;
  case REMOVE:
    rest = *in;
    first = take_string(&rest);
    offset = rest.bad ? (u64)-EINVAL : (u64)remove_tree(first, REMOVED_AT_ONCE);
    if ((long)offset != -EAGAIN) return (long)offset;
    number = (u32)spawn_job(call, job_remove, in);
    return number == 0 ? 1 : (int)number;
  case NETWORK:
    number = (u32)spawn_job(call, job_network, in);
    return number == 0 ? 1 : (int)number;
  default:
    return -ENOSYS;
  }
}

/** The last batch of which something failed. */
static u32 failed_batch;

static void handle(u32 call, u32 batch, u8 kind, struct reader *in) {
  u32 of, first, second;
  switch (kind) {
  case INPUT:
    give_input(take_u32(in), in);
    return;
  case END_INPUT:
    end_input(take_u32(in));
    return;
  case RESIZE:
    of = take_u32(in), first = take_u32(in), second = take_u32(in);
    resize_terminal(of, first, second);
    return;
  case CREDIT:
    of = take_u32(in), first = take_u32(in);
    give_credit(of, first);
    return;
  case GREET:
    set_clock(take_u64(in));
    send_u32(call, HELLO, PROTOCOL_VERSION);
    return;
  case POWER_OFF:
    sys(__NR_sync, 0);
    sys(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF, 0);
    return;
  }
  long result = batch != 0 && batch == failed_batch ? -ECANCELED : perform(call, kind, in);
  if (result < 0 && batch != 0) failed_batch = batch;
  if (result != 1) send_result(call, result);
}

static void reap(void) {
  for (;;) {
    int status;
    long process = sys(__NR_wait4, -1, &status, 1 /* WNOHANG */, NULL);
    if (process <= 0) return;
    note_end(process, (u32)status);
  }
}

/** @param stack the number of arguments, the arguments, 0, the environment, 0: as Linux starts a program */
__attribute__((used)) _Noreturn void agent(char **stack) {
  static struct pollfd polls[STREAM_POLLS + 2];
  long count_of_arguments = (long)stack[0];
  if (count_of_arguments > 0 && streq(stack[1], INIT_PATH)) {
    container_init(stack + 2, stack + count_of_arguments + 2);
  }
  set_up();
  u64 children = SIGNALS_OF_CHILDREN;
  u64 all = ~0ul;
  sys(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &all, NULL, sizeof all);
  long signals = sys(__NR_signalfd4, -1, &children, sizeof children, SFD_CLOEXEC | SFD_NONBLOCK);
  port = open_channel();
  sys(__NR_fcntl, port, F_SETFL, O_RDWR);
  // What machines are known by that stand where they can be saved.
  sys(__NR_write, 2, PROMPT, sizeof PROMPT - 1);
  for (;;) {
    flush_frames();
    polls[0] = (struct pollfd){(int)port, POLLIN, 0};
    polls[1] = (struct pollfd){(int)signals, POLLIN, 0};
    u32 count = list_polls(polls + 2);
    if (sys(__NR_ppoll, polls, count + 2, NULL, NULL, 8) < 0) continue;
    serve_polls(polls + 2, count);
    if (polls[1].revents != 0) {
      struct signalfd_siginfo news[8];
      sys(__NR_read, signals, news, sizeof news);
      reap();
    }
    if (polls[0].revents != 0) receive_frames(handle);
  }
}

__asm__(".global _start\n_start:\n  .option push\n  .option norelax\n  lla gp, __global_pointer$\n  .option pop\n  mv a0, sp\n  call agent\n");
