// What the agent needs of Linux, without a C library: system calls, strings, and the few types they take.
#ifndef SYSTEM_H
#define SYSTEM_H

#include <asm/stat.h>
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;

#define NULL ((void *)0)
#define NELEM(array) (sizeof(array) / sizeof((array)[0]))

long call6(long number, long a, long b, long c, long d, long e, long f);
#define sys(number, ...) SYS_PICK(__VA_ARGS__, SYS6, SYS5, SYS4, SYS3, SYS2, SYS1, SYS0)(number, __VA_ARGS__)
#define SYS_PICK(a, b, c, d, e, f, name, ...) name
#define SYS1(n, a) call6(n, (long)(a), 0, 0, 0, 0, 0)
#define SYS0(n, a) SYS1(n, a)
#define SYS2(n, a, b) call6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define SYS3(n, a, b, c) call6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define SYS4(n, a, b, c, d) call6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define SYS5(n, a, b, c, d, e) call6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define SYS6(n, a, b, c, d, e, f) call6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

void *memcpy(void *to, const void *from, unsigned long count);
void *memmove(void *to, const void *from, unsigned long count);
void *memset(void *to, int value, unsigned long count);
unsigned long strlen(const char *text);
int streq(const char *a, const char *b);
/** Appends to a string of `room` bytes; what does not fit is cut. */
void append(char *to, unsigned long room, const char *more);
void append_number(char *to, unsigned long room, u64 number);

/** Open with O_CLOEXEC; a descriptor or -errno. */
long open_file(const char *path, int flags, int mode);
void close_file(long fd);
/** Reads a small file as text (without its last newline); its length or -errno. */
long read_text(const char *path, char *text, unsigned long room);
/** Writes a short text into a file that is there. */
long write_text(const char *path, const char *text);
/** A copy of a program in memory that nobody can change any more; a descriptor or -errno. */
long seal_program(const char *path);
/** A child process that shares nothing with us. */
long fork_process(void);
_Noreturn void exit_process(int status);
/** Ends the guest: there is no way on. */
_Noreturn void give_up(const char *why);

#endif
