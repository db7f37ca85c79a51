// Frames on the channel to the host. All numbers are little-endian.
//
//   frame:   u32 bytes that follow, u32 call, u32 batch, u8 kind, payload
//   string:  u32 bytes without the last, bytes, 0
//
// Each request is answered by one frame of its call, ANSWER or ERROR; a SPAWN is followed by more. Requests are done
// in their order, but for REMOVE and NETWORK, which others may overtake. When a request of a batch other than 0 has
// failed, later ones of the batch are not done (ECANCELED). src/containers/engine/agent-protocol.ts is the other side.
#ifndef WIRE_H
#define WIRE_H

#include "system.h"

#define PROTOCOL_VERSION 4
#define HEADER_BYTES 13
#define FRAME_MAX (128 * 1024)

// Requests.
#define MAKE_DIRECTORY 1 // path, u32 mode: with those above it; one that is there is fine
#define WRITE_FILE 2     // path, u32 mode (0: the file must be there), u32 append, bytes
#define READ_FILE 3      // root ("": none), path, u64 offset, u32 limit -> bytes
#define MOUNT 4          // source, target, type, u64 flags, data
#define UNMOUNT 5        // target, u32 flags
#define REMOVE 6         // path: with all that is below it
#define LIST 7           // path -> (u8 type, string)...
#define SPAWN 8          // below
#define SIGNAL 9         // u32 process, u32 signal
#define INPUT 10         // u32 call of a SPAWN, bytes: not answered
#define END_INPUT 11     // u32 call of a SPAWN: not answered
#define RESIZE 12        // u32 call of a SPAWN, u32 columns, u32 rows: not answered
#define CREDIT 13        // u32 call of a SPAWN, u32 bytes of output that have been taken: not answered
#define BRIDGE 14        // name, u32 address, u32 prefix
#define NETWORK 15       // path of the namespace, bridge ("": lo only), interface, u32 address, u32 prefix, u32 gateway
#define LINK 16          // target, path: a symbolic link
#define POWER_OFF 17     // not answered
#define REMOVE_DIRECTORY 18 // path: one that is empty, or a cgroup
#define GREET 19         // u64 nanoseconds since 1970: answered by HELLO of its call

// Answers.
#define ANSWER 128
#define ERROR 129  // u32 errno
#define OUTPUT 130 // u8 stream (1 or 2), bytes
#define STARTED 131 // u32 process
#define EXITED 132 // u8 1 when STARTED was sent, u32 status as wait4 has it; the last frame of its call
#define ACCEPTED 133 // u32 bytes of input that went on to the process
#define HELLO 134  // u32 version

// SPAWN: u32 flags, u32 columns, u32 rows, pid file, console socket, root ("": ours), directory, program,
//        u32 count, arguments..., u32 count, environment...
#define SPAWN_INPUT 1    // standard input is a pipe; otherwise it is empty
#define SPAWN_TERMINAL 2 // the program sends a terminal to the console socket
#define SPAWN_FOLLOW 4   // once it has ended well, the process that it names in the pid file is what counts
#define SPAWN_STAYS 8    // it names a process in the pid file and stays until that has ended, with its status

/** Output of a SPAWN that may be on its way without a CREDIT for it, and input without an ACCEPTED. */
#define WINDOW (256 * 1024)
#define INPUT_WINDOW (64 * 1024)

/** What is left of a payload. `bad` is set by whoever reads beyond its end. */
struct reader {
  const u8 *at, *end;
  int bad;
};

u8 take_u8(struct reader *in);
u32 take_u32(struct reader *in);
u64 take_u64(struct reader *in);
/** A string without zeros in it, where it lies; "" when there is none. */
const char *take_string(struct reader *in);

extern long port;

void send_frame(u32 call, u8 kind, const void *first, u32 first_bytes, const void *rest, u32 rest_bytes);
void send_u32(u32 call, u8 kind, u32 value);
/** ANSWER for 0 and more, ERROR for -errno. */
void send_result(u32 call, long result);
/** Sends what waits. */
void flush_frames(void);

/** Reads what is there and calls `handle` for each whole frame. */
void receive_frames(void (*handle)(u32 call, u32 batch, u8 kind, struct reader *in));

#endif
