// An interpreter of bytecode: one switch in a loop, over a stack machine that sieves primes and hashes them.
#include "workload.h"

enum op { PUSH, LOAD, STORE, ADD, MULTIPLY, XOR, SHIFT, LESS, GET, PUT, JUMP, JUMP_ZERO, HALT };
enum variable { CANDIDATE, MULTIPLE, FOUND, HASH, VARIABLES };

#define LIMIT 512

static u16 code[256];
static u32 code_length;

static u32 emit(enum op op, u32 argument) {
  code[code_length] = (u16)op;
  code[code_length + 1] = (u16)argument;
  code_length += 2;
  return code_length;
}

/** Lets the jump that ends at `end` go to here. */
static void land(u32 end) { code[end - 1] = (u16)code_length; }

static void make_program(void) {
  code_length = 0;
  emit(PUSH, 2);
  emit(STORE, CANDIDATE);
  u32 outer = code_length;
  emit(LOAD, CANDIDATE);
  emit(PUSH, LIMIT);
  emit(LESS, 0);
  u32 end = emit(JUMP_ZERO, 0);
  // A candidate that is marked is no prime.
  emit(LOAD, CANDIDATE);
  emit(GET, 0);
  emit(PUSH, 1);
  emit(LESS, 0);
  u32 composite = emit(JUMP_ZERO, 0);
  emit(LOAD, FOUND);
  emit(PUSH, 1);
  emit(ADD, 0);
  emit(STORE, FOUND);
  emit(LOAD, HASH);
  emit(PUSH, 31);
  emit(MULTIPLY, 0);
  emit(LOAD, CANDIDATE);
  emit(XOR, 0);
  emit(LOAD, HASH);
  emit(SHIFT, 7);
  emit(ADD, 0);
  emit(STORE, HASH);
  emit(LOAD, CANDIDATE);
  emit(LOAD, CANDIDATE);
  emit(MULTIPLY, 0);
  emit(STORE, MULTIPLE);
  u32 inner = code_length;
  emit(LOAD, MULTIPLE);
  emit(PUSH, LIMIT);
  emit(LESS, 0);
  u32 done = emit(JUMP_ZERO, 0);
  emit(LOAD, MULTIPLE);
  emit(PUSH, 1);
  emit(PUT, 0);
  emit(LOAD, MULTIPLE);
  emit(LOAD, CANDIDATE);
  emit(ADD, 0);
  emit(STORE, MULTIPLE);
  emit(JUMP, inner);
  land(composite);
  land(done);
  emit(LOAD, CANDIDATE);
  emit(PUSH, 1);
  emit(ADD, 0);
  emit(STORE, CANDIDATE);
  emit(JUMP, outer);
  land(end);
  emit(HALT, 0);
}

/** Executes from the start to HALT; `variables` are the program's, `cells` its memory of LIMIT words. */
static NOINLINE u32 execute(const u16 *pc, u32 *variables, u32 *cells) {
  u32 stack[16];
  u32 *top = stack;
  const u16 *start = pc;
  for (;;) {
    u32 argument = pc[1];
    enum op op = pc[0];
    pc += 2;
    switch (op) {
      case PUSH: *top++ = argument; break;
      case LOAD: *top++ = variables[argument]; break;
      case STORE: variables[argument] = *--top; break;
      case ADD: top--, top[-1] += top[0]; break;
      case MULTIPLY: top--, top[-1] *= top[0]; break;
      case XOR: top--, top[-1] ^= top[0]; break;
      case SHIFT: top[-1] >>= argument; break;
      case LESS: top--, top[-1] = top[-1] < top[0]; break;
      case GET: top[-1] = cells[top[-1] & (LIMIT - 1)]; break;
      case PUT: top -= 2, cells[top[0] & (LIMIT - 1)] = top[1]; break;
      case JUMP: pc = start + argument; break;
      case JUMP_ZERO:
        if (!*--top) pc = start + argument;
        break;
      default: return variables[HASH] ^ variables[FOUND] << 20;
    }
  }
}

KERNEL(execute_kernel, execute);

static u32 cells[LIMIT];

u64 run(u64 n) {
  make_program();
  u64 sum = 0;
  u32 variables[VARIABLES] = {0};
  for (u64 pass = 0; pass < n; pass++) {
    for (u32 i = 0; i < LIMIT; i++) cells[i] = 0;
    variables[FOUND] = 0;
    sum = mix(sum, execute_kernel(code, variables, cells));
  }
  return sum;
}
