#include "files.h"

#include <linux/openat2.h>

#define PATH_BYTES 4096
#define REPLY_MAX (64 * 1024)
#define S_TYPE 0170000
#define S_FILE 0100000
#define S_FOLDER 0040000

/** What getdents64 gives (linux_dirent64). */
struct entry {
  u64 number, offset;
  u16 length;
  u8 type;
  char name[];
};

static u8 reply[REPLY_MAX];

long make_directory(const char *path, u32 mode) {
  char part[PATH_BYTES];
  unsigned long length = strlen(path);
  if (length >= sizeof part) return -ENAMETOOLONG;
  for (unsigned long at = 1; at < length; at++) {
    if (path[at] != '/') continue;
    memcpy(part, path, at);
    part[at] = 0;
    long made = sys(__NR_mkdirat, AT_FDCWD, part, 0755);
    if (made < 0 && made != -EEXIST) return made;
  }
  long made = sys(__NR_mkdirat, AT_FDCWD, path, mode);
  if (made == -EEXIST) return 0;
  // The umask has no say in it.
  return made < 0 ? made : sys(__NR_fchmodat, AT_FDCWD, path, mode);
}

long write_file(const char *path, u32 mode, u32 appending, const u8 *bytes, u64 count) {
  int flags = O_WRONLY | O_NONBLOCK | (mode != 0 ? O_CREAT : 0) | (appending ? O_APPEND : mode != 0 ? O_TRUNC : 0);
  long fd = open_file(path, flags, (int)mode);
  if (fd < 0) return fd;
  long result = 0;
  do {
    long written = sys(__NR_write, fd, bytes, count);
    if (written < 0) result = written;
    else if (written == 0 && count > 0) result = -EIO;
    else bytes += written, count -= (u64)written;
  } while (result == 0 && count > 0);
  close_file(fd);
  return result;
}

/** Opens a path of ours, or one below a root that it cannot leave, whatever links there are. */
static long open_below(const char *root, const char *path, int flags) {
  if (*root == 0) return open_file(path, flags, 0);
  long base = open_file(root, O_PATH | O_DIRECTORY, 0);
  if (base < 0) return base;
  struct open_how how = {.flags = (u64)(flags | O_CLOEXEC), .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
  long fd = sys(__NR_openat2, base, path, &how, sizeof how);
  close_file(base);
  return fd;
}

long read_file(u32 call, const char *root, const char *path, u64 offset, u32 limit) {
  if (limit > sizeof reply) limit = sizeof reply;
  long fd = open_below(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return fd;
  struct stat what;
  long result = sys(__NR_fstat, fd, &what);
  // A device or FIFO that a container has put there could keep us.
  if (result == 0 && (what.st_mode & S_TYPE) != S_FILE) result = (what.st_mode & S_TYPE) == S_FOLDER ? -EISDIR : -EINVAL;
  u32 filled = 0;
  while (result == 0 && filled < limit) {
    long count = sys(__NR_pread64, fd, reply + filled, limit - filled, offset + filled);
    if (count < 0) result = count;
    if (count <= 0) break;
    filled += (u32)count;
  }
  close_file(fd);
  if (result == 0) send_frame(call, ANSWER, reply, filled, NULL, 0);
  return result;
}

static int is_dots(const char *name) {
  return streq(name, ".") || streq(name, "..");
}

long list_directory(u32 call, const char *path) {
  u8 entries[4096] __attribute__((aligned(8)));
  long fd = open_file(path, O_RDONLY | O_DIRECTORY, 0);
  if (fd < 0) return fd;
  u32 filled = 0;
  long count;
  while ((count = sys(__NR_getdents64, fd, entries, sizeof entries)) > 0) {
    for (long at = 0; at < count; at += ((struct entry *)(entries + at))->length) {
      struct entry *entry = (struct entry *)(entries + at);
      u32 length = (u32)strlen(entry->name);
      if (is_dots(entry->name)) continue;
      if (filled + length + 6 > sizeof reply) {
        close_file(fd);
        return -EOVERFLOW;
      }
      reply[filled++] = entry->type;
      memcpy(reply + filled, &length, 4);
      memcpy(reply + filled + 4, entry->name, length + 1);
      filled += length + 5;
    }
  }
  close_file(fd);
  if (count == 0) send_frame(call, ANSWER, reply, filled, NULL, 0);
  return count;
}

/**
 * Empties one directory below `top`: files are removed, directories moved up to `top` under numbers. So it needs
 * neither memory nor descriptors for how deep the tree is, which a container decides.
 */
static long empty_directory(long top, long directory, u64 *numbers, u32 *most) {
  u8 entries[4096] __attribute__((aligned(8)));
  long count;
  while ((count = sys(__NR_getdents64, directory, entries, sizeof entries)) > 0) {
    for (long at = 0; at < count; at += ((struct entry *)(entries + at))->length) {
      char *name = ((struct entry *)(entries + at))->name;
      if (is_dots(name)) continue;
      if (*most == 0) return -EAGAIN;
      (*most)--;
      long result = sys(__NR_unlinkat, directory, name, 0);
      if (result == -EISDIR || result == -EPERM) result = sys(__NR_unlinkat, directory, name, AT_REMOVEDIR);
      if (result == -ENOTEMPTY && directory != top) {
        char fresh[32] = "+";
        append_number(fresh, sizeof fresh, ++*numbers);
        result = sys(__NR_renameat2, directory, name, top, fresh, 0);
      }
      if (result < 0 && result != -ENOTEMPTY && result != -ENOENT) return result;
    }
  }
  return count;
}

long remove_tree(const char *path, u32 most) {
  u8 entries[4096] __attribute__((aligned(8)));
  u64 numbers = 0;
  long result = sys(__NR_unlinkat, AT_FDCWD, path, 0);
  if (result == -ENOENT) return 0;
  if (result != -EISDIR && result != -EPERM) return result;
  long top = open_file(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
  if (top < 0) return top;
  for (result = 0; result == 0;) {
    sys(__NR_lseek, top, 0, 0);
    result = empty_directory(top, top, &numbers, &most);
    if (result < 0) break;
    // What is left here are directories with something in them.
    sys(__NR_lseek, top, 0, 0);
    long count, left = 0;
    while (result == 0 && (count = sys(__NR_getdents64, top, entries, sizeof entries)) > 0) {
      for (long at = 0; result == 0 && at < count; at += ((struct entry *)(entries + at))->length) {
        char *name = ((struct entry *)(entries + at))->name;
        if (is_dots(name)) continue;
        left++;
        long directory = sys(__NR_openat, top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (directory < 0) {
          if (directory != -ENOENT) result = directory;
          continue;
        }
        result = empty_directory(top, directory, &numbers, &most);
        close_file(directory);
        if (result > 0) result = 0;
      }
    }
    if (left == 0) break;
  }
  close_file(top);
  if (result < 0) return result;
  return sys(__NR_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
}
