#include "devices.h"

#include <linux/bpf.h>

#include "system.h"

#define MEMORY_MAJOR 1
#define TTY_MAJOR 5
#define PTS_MAJOR 136
/** null 3, zero 5, full 7, random 8, urandom 9. */
#define MEMORY_MINORS (1 << 3 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 9)
#define LAST_MEMORY_MINOR 9
/** tty 0, console 1, ptmx 2. */
#define LAST_TTY_MINOR 2

#define LOAD(to, field) \
  {BPF_LDX | BPF_MEM | BPF_W, to, BPF_REG_1, __builtin_offsetof(struct bpf_cgroup_dev_ctx, field), 0}
#define COMPUTE(operation, to, value) {BPF_ALU | (operation) | BPF_K, to, 0, 0, value}
#define JUMP(operation, which, value, steps) {BPF_JMP32 | (operation) | BPF_K, which, 0, steps, value}

/** Result 1 allows what is asked for, 0 does not (linux/bpf.h, BPF_PROG_TYPE_CGROUP_DEVICE). */
static const struct bpf_insn rules[] = {
  COMPUTE(BPF_MOV, BPF_REG_0, 0),
  LOAD(BPF_REG_2, access_type),
  LOAD(BPF_REG_3, major),
  LOAD(BPF_REG_4, minor),
  // What is asked for is in the high half, the type in the low one.
  {BPF_ALU | BPF_MOV | BPF_X, BPF_REG_5, BPF_REG_2, 0, 0},
  COMPUTE(BPF_RSH, BPF_REG_5, 16),
  JUMP(BPF_JEQ, BPF_REG_5, BPF_DEVCG_ACC_MKNOD, 11),
  COMPUTE(BPF_AND, BPF_REG_2, 0xffff),
  JUMP(BPF_JNE, BPF_REG_2, BPF_DEVCG_DEV_CHAR, 10),
  JUMP(BPF_JEQ, BPF_REG_3, PTS_MAJOR, 8),
  JUMP(BPF_JNE, BPF_REG_3, TTY_MAJOR, 1),
  JUMP(BPF_JLE, BPF_REG_4, LAST_TTY_MINOR, 6),
  JUMP(BPF_JNE, BPF_REG_3, MEMORY_MAJOR, 6),
  JUMP(BPF_JGT, BPF_REG_4, LAST_MEMORY_MINOR, 5),
  COMPUTE(BPF_MOV, BPF_REG_5, 1),
  {BPF_ALU | BPF_LSH | BPF_X, BPF_REG_5, BPF_REG_4, 0, 0},
  COMPUTE(BPF_AND, BPF_REG_5, MEMORY_MINORS),
  JUMP(BPF_JEQ, BPF_REG_5, 0, 1),
  COMPUTE(BPF_MOV, BPF_REG_0, 1),
  {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
};

long restrict_devices(const char *cgroup) {
  union bpf_attr load, attach;
  memset(&load, 0, sizeof load);
  load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  load.insns = (u64)rules;
  load.insn_cnt = NELEM(rules);
  load.license = (u64) "Apache-2.0";
  long program = sys(__NR_bpf, BPF_PROG_LOAD, &load, sizeof load);
  if (program < 0) return program;
  long directory = open_file(cgroup, O_RDONLY | O_DIRECTORY, 0);
  memset(&attach, 0, sizeof attach);
  attach.target_fd = (u32)directory;
  attach.attach_bpf_fd = (u32)program;
  attach.attach_type = BPF_CGROUP_DEVICE;
  // A container's cgroup may have rules of its own, which cannot allow more.
  attach.attach_flags = BPF_F_ALLOW_MULTI;
  long result = directory < 0 ? directory : sys(__NR_bpf, BPF_PROG_ATTACH, &attach, sizeof attach);
  close_file(directory);
  close_file(program);
  return result;
}
