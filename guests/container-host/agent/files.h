// Requests about files. Each gives 0 (or what it says) or -errno.
#ifndef FILES_H
#define FILES_H

#include "wire.h"

long make_directory(const char *path, u32 mode);
long write_file(const char *path, u32 mode, u32 appending, const u8 *bytes, u64 count);
/** Answers by itself when it is well. */
long read_file(u32 call, const char *root, const char *path, u64 offset, u32 limit);
long list_directory(u32 call, const char *path);
/** Removes a file or a directory; -EAGAIN when there were more than `most` files and directories in it, and some are left. */
long remove_tree(const char *path, u32 most);

#endif
