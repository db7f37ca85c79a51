#include "wire.h"

long port = -1;

static u8 outgoing[64 * 1024];
static u32 outgoing_bytes;
static u8 incoming[FRAME_MAX + 64 * 1024] __attribute__((aligned(8)));
static u32 incoming_bytes;

static int has(struct reader *in, u64 bytes) {
  if (!in->bad && (u64)(in->end - in->at) >= bytes) return 1;
  in->bad = 1;
  return 0;
}

u8 take_u8(struct reader *in) {
  return has(in, 1) ? *in->at++ : 0;
}

u32 take_u32(struct reader *in) {
  u32 value;
  if (!has(in, 4)) return 0;
  memcpy(&value, in->at, 4);
  in->at += 4;
  return value;
}

u64 take_u64(struct reader *in) {
  u64 low = take_u32(in);
  return low | (u64)take_u32(in) << 32;
}

const char *take_string(struct reader *in) {
  u64 bytes = take_u32(in);
  if (!has(in, bytes + 1)) return "";
  const char *text = (const char *)in->at;
  if (strlen(text) != bytes) {
    in->bad = 1;
    return "";
  }
  in->at += bytes + 1;
  return text;
}

static void write_port(const u8 *bytes, u32 count) {
  while (count > 0) {
    long written = sys(__NR_write, port, bytes, count);
    if (written == -EINTR || written == -EAGAIN) continue;
    if (written <= 0) give_up("the channel to the host is broken");
    bytes += written;
    count -= (u32)written;
  }
}

void flush_frames(void) {
  write_port(outgoing, outgoing_bytes);
  outgoing_bytes = 0;
}

static void put(const void *bytes, u32 count) {
  if (outgoing_bytes + count > sizeof outgoing) flush_frames();
  if (count > sizeof outgoing) {
    write_port(bytes, count);
    return;
  }
  memcpy(outgoing + outgoing_bytes, bytes, count);
  outgoing_bytes += count;
}

void send_frame(u32 call, u8 kind, const void *first, u32 first_bytes, const void *rest, u32 rest_bytes) {
  u32 words[3] = {HEADER_BYTES - 4 + first_bytes + rest_bytes, call, 0};
  u8 header[HEADER_BYTES];
  memcpy(header, words, 12);
  header[12] = kind;
  put(header, sizeof header);
  put(first, first_bytes);
  put(rest, rest_bytes);
}

void send_u32(u32 call, u8 kind, u32 value) {
  send_frame(call, kind, &value, 4, NULL, 0);
}

void send_result(u32 call, long result) {
  if (result < 0) send_u32(call, ERROR, (u32)-result);
  else send_frame(call, ANSWER, NULL, 0, NULL, 0);
}

void receive_frames(void (*handle)(u32 call, u32 batch, u8 kind, struct reader *in)) {
  long count = sys(__NR_read, port, incoming + incoming_bytes, sizeof incoming - incoming_bytes);
  if (count == -EAGAIN || count == -EINTR) return;
  if (count <= 0) give_up("the host has closed the channel");
  incoming_bytes += (u32)count;
  u32 at = 0;
  while (incoming_bytes - at >= HEADER_BYTES) {
    u32 words[3];
    memcpy(words, incoming + at, 12);
    if (words[0] < HEADER_BYTES - 4 || words[0] > FRAME_MAX) give_up("the host sent a frame of an impossible length");
    if (incoming_bytes - at - 4 < words[0]) break;
    struct reader in = {incoming + at + HEADER_BYTES, incoming + at + 4 + words[0], 0};
    handle(words[1], words[2], incoming[at + 12], &in);
    at += 4 + words[0];
  }
  incoming_bytes -= at;
  memmove(incoming, incoming + at, incoming_bytes);
}
