#include "system.h"

#include <linux/memfd.h>
#include <linux/reboot.h>
#include <linux/sched.h>

long call6(long number, long a, long b, long c, long d, long e, long f) {
  register long a7 __asm__("a7") = number;
  register long a0 __asm__("a0") = a;
  register long a1 __asm__("a1") = b;
  register long a2 __asm__("a2") = c;
  register long a3 __asm__("a3") = d;
  register long a4 __asm__("a4") = e;
  register long a5 __asm__("a5") = f;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a7) : "memory");
  return a0;
}

// The compiler calls these by itself; -fno-tree-loop-distribute-patterns keeps them from calling themselves.
void *memcpy(void *to, const void *from, unsigned long count) {
  u8 *out = to;
  const u8 *in = from;
  if ((((unsigned long)out | (unsigned long)in) & 7) == 0) {
    for (; count >= 8; count -= 8, out += 8, in += 8) *(u64 *)out = *(const u64 *)in;
  }
  while (count-- > 0) *out++ = *in++;
  return to;
}

void *memmove(void *to, const void *from, unsigned long count) {
  u8 *out = to;
  const u8 *in = from;
  if (out <= in) return memcpy(to, from, count);
  while (count-- > 0) out[count] = in[count];
  return to;
}

void *memset(void *to, int value, unsigned long count) {
  u8 *out = to;
  while (count-- > 0) *out++ = (u8)value;
  return to;
}

unsigned long strlen(const char *text) {
  unsigned long length = 0;
  while (text[length] != 0) length++;
  return length;
}

int streq(const char *a, const char *b) {
  while (*a != 0 && *a == *b) a++, b++;
  return *a == *b;
}

void append(char *to, unsigned long room, const char *more) {
  unsigned long at = strlen(to);
  while (*more != 0 && at + 1 < room) to[at++] = *more++;
  to[at] = 0;
}

void append_number(char *to, unsigned long room, u64 number) {
  char digits[24];
  unsigned long at = sizeof digits;
  digits[--at] = 0;
  do digits[--at] = (char)('0' + number % 10);
  while ((number /= 10) > 0);
  append(to, room, digits + at);
}

long open_file(const char *path, int flags, int mode) {
  return sys(__NR_openat, AT_FDCWD, path, flags | O_CLOEXEC, mode);
}

void close_file(long fd) {
  if (fd >= 0) sys(__NR_close, fd);
}

long read_text(const char *path, char *text, unsigned long room) {
  long fd = open_file(path, O_RDONLY, 0);
  if (fd < 0) return fd;
  long length = sys(__NR_read, fd, text, room - 1);
  close_file(fd);
  if (length < 0) return length;
  if (length > 0 && text[length - 1] == '\n') length--;
  text[length] = 0;
  return length;
}

long write_text(const char *path, const char *text) {
  long fd = open_file(path, O_WRONLY, 0);
  if (fd < 0) return fd;
  long written = sys(__NR_write, fd, text, strlen(text));
  close_file(fd);
  return written;
}

long seal_program(const char *path) {
  static u8 piece[32 * 1024];
  long from = open_file(path, O_RDONLY, 0);
  if (from < 0) return from;
  long to = sys(__NR_memfd_create, "program", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  long count = to;
  while (to >= 0 && (count = sys(__NR_read, from, piece, sizeof piece)) > 0) {
    if (sys(__NR_write, to, piece, count) != count) count = -EIO;
    if (count < 0) break;
  }
  close_file(from);
  if (count >= 0) count = sys(__NR_fcntl, to, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
  if (count >= 0) return to;
  close_file(to);
  return count;
}

long fork_process(void) {
  // SIGCHLD (17) is told when it ends.
  return sys(__NR_clone, 17, 0, 0, 0, 0);
}

_Noreturn void exit_process(int status) {
  for (;;) sys(__NR_exit_group, status);
}

_Noreturn void give_up(const char *why) {
  char line[256] = "container-host: ";
  append(line, sizeof line, why);
  append(line, sizeof line, "\n");
  sys(__NR_write, 2, line, strlen(line));
  sys(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF, 0);
  exit_process(1);
}
