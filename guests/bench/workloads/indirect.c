// Indirect calls: objects with tables of methods, as C++ and the kernel have them, in an order no predictor knows.
#include "workload.h"

#define SHAPES 256

struct shape;
struct methods {
  u32 (*area)(const struct shape *);
  u32 (*perimeter)(const struct shape *);
  void (*grow)(struct shape *, u32);
};
struct shape {
  const struct methods *methods;
  u32 width, height;
};

static u32 rectangle_area(const struct shape *s) { return s->width * s->height; }
static u32 rectangle_perimeter(const struct shape *s) { return 2 * (s->width + s->height); }
static void rectangle_grow(struct shape *s, u32 by) { s->width += by, s->height ^= by; }

static u32 square_area(const struct shape *s) { return s->width * s->width; }
static u32 square_perimeter(const struct shape *s) { return 4 * s->width; }
static void square_grow(struct shape *s, u32 by) { s->width = (s->width + by) & 0xffff; }

static u32 triangle_area(const struct shape *s) { return (s->width * s->height) >> 1; }
static u32 triangle_perimeter(const struct shape *s) { return s->width + 2 * s->height; }
static void triangle_grow(struct shape *s, u32 by) { s->height += by ^ s->width; }

static u32 ring_area(const struct shape *s) { return 3 * (s->width * s->width - s->height); }
static u32 ring_perimeter(const struct shape *s) { return 6 * (s->width + s->height); }
static void ring_grow(struct shape *s, u32 by) { s->width += 3 * by, s->height -= by; }

static const struct methods kinds[] = {
    {rectangle_area, rectangle_perimeter, rectangle_grow},
    {square_area, square_perimeter, square_grow},
    {triangle_area, triangle_perimeter, triangle_grow},
    {ring_area, ring_perimeter, ring_grow},
};
static struct shape shapes[SHAPES];

static NOINLINE u32 visit(struct shape *all, u32 count) {
  u32 total = 0;
  for (u32 i = 0; i < count; i++) {
    struct shape *shape = all + i;
    total += shape->methods->area(shape);
    total ^= shape->methods->perimeter(shape);
    shape->methods->grow(shape, total & 7);
  }
  return total;
}

KERNEL(visit_kernel, visit);

u64 run(u64 n) {
  u32 seed = 5;
  for (u32 i = 0; i < SHAPES; i++) {
    shapes[i].methods = &kinds[random32(&seed) & 3];
    shapes[i].width = seed >> 8 & 0xff;
    shapes[i].height = seed >> 16 & 0xff;
  }
  u64 sum = 0;
  for (u64 pass = 0; pass < n; pass++) sum = mix(sum, visit_kernel(shapes, SHAPES));
  return sum;
}
