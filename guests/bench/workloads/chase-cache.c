// Pointer chasing within the first-level cache: 16 KiB.
#define RECORDS 256
#define STEPS 4096
#include "chase.h"
