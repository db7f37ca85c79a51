// Following pointers through records of one cache line, in one random cycle through all of them: nothing to
// overlap, every load waits for the one before. Included by the workloads that differ in size only.
#pragma once
#include "workload.h"

/** 64 bytes on every machine, whatever the width of a pointer. */
struct record {
  union {
    struct record *next;
    u64 width;
  };
  u32 value;
  u32 rest[13];
};

static struct record records[RECORDS] __attribute__((aligned(64)));

static NOINLINE struct record *follow(struct record *at, u32 steps, u32 *sum) {
  u32 total = *sum;
  for (; steps >= 4; steps -= 4) {
    at = at->next;
    total += at->value;
    at = at->next;
    total ^= at->value;
    at = at->next;
    total += at->value;
    at = at->next;
    total ^= at->value;
  }
  *sum = total;
  return at;
}

KERNEL(follow_kernel, follow);

u64 run(u64 n) {
  u32 seed = 3;
  // Sattolo's algorithm on the values gives one cycle through all records.
  for (u32 i = 0; i < RECORDS; i++) records[i].value = i;
  for (u32 i = RECORDS - 1; i > 0; i--) {
    u32 j = random32(&seed) % i, held = records[i].value;
    records[i].value = records[j].value;
    records[j].value = held;
  }
  for (u32 i = 0; i < RECORDS; i++) records[i].next = &records[records[i].value];
  struct record *at = records;
  u32 sum = 0;
  for (u64 pass = 0; pass < n; pass++) at = follow_kernel(at, STEPS, &sum);
  return mix(sum, (u64)(at - records));
}
