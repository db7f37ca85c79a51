// f64 with square roots and divisions: bodies under gravity, integrated by the leapfrog method.
#include "workload.h"

#define BODIES 6

struct body {
  f64 x, y, z, vx, vy, vz, mass;
};

static struct body bodies[BODIES];

static NOINLINE void step(struct body *all, f64 dt) {
  for (u32 i = 0; i < BODIES; i++) {
    struct body *a = all + i;
    for (u32 j = i + 1; j < BODIES; j++) {
      struct body *b = all + j;
      f64 dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
      f64 squared = dx * dx + dy * dy + dz * dz + 0.01;
      f64 pull = dt / (squared * __builtin_sqrt(squared));
      f64 to_a = b->mass * pull, to_b = a->mass * pull;
      a->vx -= dx * to_a, a->vy -= dy * to_a, a->vz -= dz * to_a;
      b->vx += dx * to_b, b->vy += dy * to_b, b->vz += dz * to_b;
    }
  }
  for (u32 i = 0; i < BODIES; i++) {
    struct body *a = all + i;
    a->x += dt * a->vx, a->y += dt * a->vy, a->z += dt * a->vz;
  }
}

KERNEL(step_kernel, step);

u64 run(u64 n) {
  for (u32 i = 0; i < BODIES; i++) {
    f64 k = (f64)i;
    bodies[i] = (struct body){k * 1.5, 2 - k, k * k * 0.125, 0.25 - k * 0.0625, k * 0.125, -0.5, 1 / (k + 1)};
  }
  u64 sum = 0;
  for (u64 pass = 0; pass < n; pass++) {
    for (u32 i = 0; i < 64; i++) step_kernel(bodies, 0.001);
    sum = mix(sum, bits_of(bodies[pass % BODIES].x));
  }
  return sum;
}
