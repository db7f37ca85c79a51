// Pointer chasing beyond the caches and the reach of small TLBs: 16 MiB.
#define RECORDS (1 << 18)
#define STEPS 4096
#include "chase.h"
