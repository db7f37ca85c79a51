# Everything that could come at another instruction in another run: timer interrupts at odd distances, alarms of the
# real-time clock, waiting, counters, times read while running. All of it goes into memory; then the machine goes off.
.equ UART, 0x10000000
.equ RTC, 0x101000
.equ MTIME, 0x200bff8
.equ MTIMECMP, 0x2004000
.equ PLIC, 0xc000000
.equ RTC_IRQ, 11
.equ SYSCON, 0x100000
.equ ITERATIONS, 300000

.globl _start
_start:
  la s0, data
  li s1, 0x2545f4914f6cdd1d    # the state of a generator
  li s2, 0                     # iterations
  li s3, 0                     # what interrupts have seen
  li s4, 6364136223846793005
  li s6, RTC
  li s7, PLIC
  la t0, trap
  csrw mtvec, t0
  li t0, 0x6000
  csrs mstatus, t0
  li t0, 7
  sw t0, 4*RTC_IRQ(s7)         # priority
  li t1, PLIC + 0x2000
  li t0, 1 << RTC_IRQ
  sw t0, 0(t1)                 # enabled for M-mode
  li t0, 1
  sw t0, 0x10(s6)
  jal set_alarm
  jal set_timer
  li t0, 0x880                 # timer and external interrupts
  csrs mie, t0
  csrsi mstatus, 8
  la t0, numbers
  fld fa0, 0(t0)
  fld fa1, 8(t0)

loop:
  mul s1, s1, s4
  addi s1, s1, 1442
  srli t0, s1, 44
  andi t0, t0, -8
  add t0, t0, s0
  ld t1, 0(t0)
  xor t1, t1, s1
  sd t1, 0(t0)
  srli t2, s1, 23
  amoadd.d t3, t2, (t0)
  divu t3, s1, t2
  add s3, s3, t3
  fmul.d fa2, fa0, fa1
  fadd.d fa0, fa2, fa1
  fdiv.d fa0, fa0, fa2
  jal leaf
  addi s2, s2, 1
  andi t0, s2, 1023
  bnez t0, 1f
  csrr t0, mcycle              # the counters, and the times, go into the result
  add s3, s3, t0
  csrr t0, minstret
  xor s3, s3, t0
  csrr t0, time
  add s3, s3, t0
  lw t0, 0(s6)
  add s3, s3, t0
1:
  li t1, 16383
  and t0, s2, t1
  bnez t0, 2f
  wfi
2:
  li t0, ITERATIONS
  bltu s2, t0, loop

  csrci mstatus, 8
  fmv.x.d t0, fa0
  add s3, s3, t0
  sd s3, 0(s0)
  li t0, UART                  # one letter, to show that it came so far
  li t1, 'E'
  sb t1, 0(t0)
  li t0, SYSCON
  li t1, 0x5555
  sw t1, 0(t0)
1: j 1b

leaf:
  slli t4, s1, 7
  xor s3, s3, t4
  ret

set_timer:                     # 1 to 1,024 ticks from now
  li t0, MTIME
  ld t1, 0(t0)
  andi t2, s3, 1023
  add t1, t1, t2
  addi t1, t1, 1
  li t0, MTIMECMP
  sd t1, 0(t0)
  ret

set_alarm:                     # up to a millisecond from now, to the nanosecond
  lwu t1, 0(s6)
  lwu t2, 4(s6)
  slli t2, t2, 32
  or t1, t1, t2
  slli t2, s3, 44
  srli t2, t2, 44
  add t1, t1, t2
  srli t2, t1, 32
  sw t2, 12(s6)
  sw t1, 8(s6)
  ret

.balign 4
trap:
  csrw mscratch, ra
  la sp, stack
  sd t0, 0(sp)
  sd t1, 8(sp)
  sd t2, 16(sp)
  csrr t0, mepc                # which instruction it was
  slli t1, s3, 5
  add s3, s3, t1
  xor s3, s3, t0
  csrr t0, minstret
  add s3, s3, t0
  csrr t0, mcause
  andi t0, t0, 15
  li t1, 7
  beq t0, t1, 1f
  li t1, PLIC + 0x200000
  lw t2, 4(t1)                 # claim
  sd t2, 24(sp)
  sw zero, 0x1c(s6)
  jal set_alarm
  li t1, PLIC + 0x200000
  ld t2, 24(sp)
  sw t2, 4(t1)
  j 2f
1:
  jal set_timer
2:
  ld t0, 0(sp)
  ld t1, 8(sp)
  ld t2, 16(sp)
  csrr ra, mscratch
  mret

.balign 8
numbers: .double 1.5, 1.000000119
.space 64
stack: .space 64
.balign 4096
data: .space 0x100000
