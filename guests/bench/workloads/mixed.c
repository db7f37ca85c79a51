// Mixed integer work of the kind CPU scores are made of: a linked list that is searched, turned round and sorted; a
// small matrix; a state machine over text; a CRC over the results.
#include "workload.h"

#define NODES 96
#define SIDE 12

struct node {
  struct node *next;
  u16 key, value;
};

static struct node nodes[NODES];
static s32 left[SIDE][SIDE], right[SIDE][SIDE];
static const char numbers[] = "5012,1.2e5,-874,+.7e-3,x99,0.0.1,65536,-1,3e+8,12e,T0,,778899,-0.5,1e1e1,+";

static u16 crc16(u16 crc, u32 value) {
  for (u32 i = 0; i < 16; i++) {
    u32 low = (crc ^ value) & 1;
    crc >>= 1;
    value >>= 1;
    if (low) crc ^= 0xa001;
  }
  return crc;
}

static struct node *merge(struct node *a, struct node *b) {
  struct node head, *tail = &head;
  while (a && b) {
    struct node **from = a->key <= b->key ? &a : &b;
    tail->next = *from;
    tail = *from;
    *from = (*from)->next;
  }
  tail->next = a ? a : b;
  return head.next;
}

static struct node *sort_list(struct node *list) {
  if (!list || !list->next) return list;
  struct node *slow = list, *fast = list->next;
  while (fast && fast->next) slow = slow->next, fast = fast->next->next;
  struct node *second = slow->next;
  slow->next = 0;
  return merge(sort_list(list), sort_list(second));
}

static NOINLINE u16 list_work(u32 seed) {
  u16 crc = 0;
  for (u32 i = 0; i < NODES; i++) {
    nodes[i].key = (u16)(random32(&seed) & 0xfff);
    nodes[i].value = (u16)i;
    nodes[i].next = i + 1 < NODES ? &nodes[i + 1] : 0;
  }
  struct node *list = nodes;
  for (u32 wanted = 0; wanted < 24; wanted++) {
    struct node *at = list, *turned = 0;
    while (at && at->value != wanted * 3) at = at->next;
    crc = crc16(crc, at ? at->key : wanted);
    while (list) {
      struct node *next = list->next;
      list->next = turned;
      turned = list;
      list = next;
    }
    list = turned;
  }
  list = sort_list(list);
  for (; list; list = list->next) crc = crc16(crc, list->key ^ list->value);
  return crc;
}

static NOINLINE u16 matrix_work(u32 seed) {
  u16 crc = 0;
  for (u32 i = 0; i < SIDE; i++)
    for (u32 j = 0; j < SIDE; j++) {
      left[i][j] = (s32)(random32(&seed) & 0xff) - 128;
      right[i][j] = (s32)(seed >> 8 & 0xff) - 128;
    }
  for (u32 i = 0; i < SIDE; i++)
    for (u32 j = 0; j < SIDE; j++) {
      s32 cell = 0;
      for (u32 k = 0; k < SIDE; k++) cell += left[i][k] * right[k][j];
      crc = crc16(crc, (u32)(cell >> 2 & 0xf) * (u32)(cell >> 5 & 0x7f));
    }
  return crc;
}

enum state { START, SIGN, WHOLE, FRACTION, EXPONENT, EXPONENT_SIGN, POWER, INVALID, STATES };

static enum state next_state(enum state state, char character) {
  int digit = character >= '0' && character <= '9';
  int sign = character == '+' || character == '-';
  switch (state) {
    case START: return digit ? WHOLE : sign ? SIGN : character == '.' ? FRACTION : INVALID;
    case SIGN: return digit ? WHOLE : character == '.' ? FRACTION : INVALID;
    case WHOLE: return digit ? WHOLE : character == '.' ? FRACTION : character == 'e' ? EXPONENT : INVALID;
    case FRACTION: return digit ? FRACTION : character == 'e' ? EXPONENT : INVALID;
    case EXPONENT: return digit ? POWER : sign ? EXPONENT_SIGN : INVALID;
    case EXPONENT_SIGN:
    case POWER: return digit ? POWER : INVALID;
    default: return INVALID;
  }
}

static NOINLINE u16 state_work(u32 seed) {
  u32 ends[STATES] = {0};
  char text[sizeof numbers];
  for (u32 i = 0; i < sizeof numbers; i++) text[i] = numbers[i];
  for (u32 i = 0; i < 8; i++) text[random32(&seed) % (sizeof numbers - 1)] ^= 1;
  enum state state = START;
  for (const char *at = text; *at; at++) {
    if (*at == ',') {
      ends[state]++;
      state = START;
    } else {
      state = next_state(state, *at);
    }
  }
  u16 crc = 0;
  for (u32 i = 0; i < STATES; i++) crc = crc16(crc, ends[i]);
  return crc;
}

KERNEL(list_kernel, list_work);
KERNEL(matrix_kernel, matrix_work);
KERNEL(state_kernel, state_work);

u64 run(u64 n) {
  u64 sum = 0;
  for (u64 pass = 0; pass < n; pass++) {
    u32 seed = (u32)pass * 2654435761u | 1;
    sum = mix(sum, list_kernel(seed));
    for (u32 i = 0; i < 2; i++) sum = mix(sum, matrix_kernel(seed + i * 2));
    for (u32 i = 0; i < 8; i++) sum = mix(sum, state_kernel(seed + i * 2));
  }
  return sum;
}
