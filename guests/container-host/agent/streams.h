// Processes that were asked for, and what goes in and out of them.
#ifndef STREAMS_H
#define STREAMS_H

#include <asm/poll.h>

#include "wire.h"

/** Descriptors that streams can want to hear of. */
#define STREAMS_MAX 384
#define STREAM_POLLS (STREAMS_MAX * 5)

/** Starts a program; 0 (STARTED and EXITED follow) or -errno. */
long spawn(u32 call, struct reader *in);
/** A process of ours that does one thing: `result` says what, as 0 or -errno, and answers the call. */
long spawn_job(u32 call, long (*job)(struct reader *in), struct reader *in);
void give_input(u32 call, struct reader *in);
void end_input(u32 call);
void resize_terminal(u32 call, u32 columns, u32 rows);
void give_credit(u32 call, u32 bytes);
/** A process has ended. */
void note_end(long process, u32 status);

/** Fills in what is to be polled; returns how many. */
u32 list_polls(struct pollfd *polls);
/** Does what the last list_polls() is ready for. */
void serve_polls(const struct pollfd *polls, u32 count);

#endif
