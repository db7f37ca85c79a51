// Text: splitting into words, changing case, counting, searching, numbers to text and back.
#include "workload.h"

#define TEXT 4096

static char text[TEXT + 1];
static char output[2 * TEXT];

static int is_letter(char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }

static NOINLINE void write_text(char *to, u32 seed) {
  static const char letters[] = "etaoinshrdlucmfwypvbgkjqxz";
  u32 length = 0;
  for (u32 i = 0; i < TEXT; i++) {
    if (length == 0) length = 2 + (random32(&seed) >> 5) % 9;
    if (--length == 0) {
      to[i] = (seed >> 9 & 15) == 0 ? '\n' : (seed >> 9 & 15) == 1 ? ',' : ' ';
    } else {
      u32 pick = random32(&seed) >> 8;
      to[i] = letters[(pick & 15) + ((pick >> 4 & 3) == 0 ? 10 : 0)];
    }
  }
  to[TEXT] = 0;
}

/** Copies the text with each word's first letter made a capital; returns words and lines. */
static NOINLINE u32 capitalise(char *to, const char *from) {
  u32 words = 0, lines = 0, inside = 0;
  for (; *from; from++) {
    char c = *from;
    if (is_letter(c)) {
      if (!inside) c &= ~32, words++;
      inside = 1;
    } else {
      if (c == '\n') lines++;
      inside = 0;
    }
    *to++ = c;
  }
  *to = 0;
  return words << 16 | lines;
}

/** Horspool's search: how often `what` occurs in `where`. */
static NOINLINE u32 count_matches(const char *where, u32 length, const char *what, u32 size) {
  u8 skip[256];
  u32 found = 0;
  for (u32 i = 0; i < 256; i++) skip[i] = (u8)size;
  for (u32 i = 0; i + 1 < size; i++) skip[(u8)what[i]] = (u8)(size - 1 - i);
  for (u32 at = 0; at + size <= length; at += skip[(u8)where[at + size - 1]]) {
    u32 i = size;
    while (i > 0 && where[at + i - 1] == what[i - 1]) i--;
    found += i == 0;
  }
  return found;
}

static NOINLINE char *write_number(char *to, u32 value) {
  char digits[10];
  u32 count = 0;
  do {
    digits[count++] = (char)('0' + value % 10);
    value /= 10;
  } while (value);
  while (count) *to++ = digits[--count];
  return to;
}

static NOINLINE u32 sum_numbers(const char *from) {
  u32 total = 0, number = 0;
  for (; *from; from++) {
    if (*from >= '0' && *from <= '9') {
      number = number * 10 + (u32)(*from - '0');
    } else {
      total += number;
      number = 0;
    }
  }
  return total + number;
}

/** Turns each word round in place. */
static NOINLINE void reverse_words(char *at) {
  while (*at) {
    char *end = at;
    while (is_letter(*end)) end++;
    for (char *a = at, *b = end - 1; a < b; a++, b--) {
      char held = *a;
      *a = *b;
      *b = held;
    }
    at = end;
    while (*at && !is_letter(*at)) at++;
  }
}

KERNEL(write_kernel, write_text);
KERNEL(capitalise_kernel, capitalise);
KERNEL(count_kernel, count_matches);
KERNEL(number_kernel, write_number);
KERNEL(sum_kernel, sum_numbers);
KERNEL(reverse_kernel, reverse_words);

u64 run(u64 n) {
  u64 sum = 0;
  u32 seed = 23;
  for (u64 pass = 0; pass < n; pass++) {
    if ((pass & 7) == 0) write_kernel(text, random32(&seed));
    sum = mix(sum, capitalise_kernel(output, text));
    reverse_kernel(output);
    sum = mix(sum, count_kernel(text, TEXT, "the", 3));
    sum = mix(sum, count_kernel(output, TEXT, "on", 2));
    for (u32 i = 0; i < TEXT; i += 64) sum = mix(sum, (u8)output[i]);
    char *at = output;
    for (u32 i = 0; i < 128; i++) {
      at = number_kernel(at, random32(&seed) >> (seed & 15));
      *at++ = i & 7 ? ' ' : '\n';
    }
    *at = 0;
    sum = mix(sum, sum_kernel(output));
  }
  return sum;
}
