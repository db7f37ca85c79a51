import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as u from '../../src/devices/uart16550.ts';

function make() {
  const sent: number[] = [];
  const line = { level: false };
  const uart = new u.Uart16550(
    (byte) => sent.push(byte),
    (level) => {
      line.level = level;
    },
  );
  const write = (register: number, value: number) => uart.write(register, 1, value);
  return { uart, sent, line, write };
}

describe('16550A UART', () => {
  it('sends what is written to THR at once, in order', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
        const { uart, sent, write } = make();
        for (const byte of bytes) {
          write(u.UART_THR, byte);
          expect(uart.read(u.UART_LSR) & 0x60).toBe(0x60);
        }
        expect(sent).toEqual([...bytes]);
      }),
    );
  });

  it('delivers every byte received once and in order, however reads and input interleave', () => {
    const step = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      fc.nat(30),
      fc.constantFrom('fifo', 'plain'),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { uart, write } = make();
        write(u.UART_FCR, u.FCR_ENABLE);
        const expected: number[] = [];
        const got: number[] = [];
        const drain = (most: number) => {
          for (let i = 0; i < most && uart.read(u.UART_LSR) & u.LSR_DATA_READY; i++) {
            got.push(uart.read(u.UART_RBR));
          }
        };
        for (const s of steps) {
          if (s instanceof Uint8Array) {
            uart.receive(s);
            expected.push(...s);
          } else if (typeof s === 'number') drain(s);
          else {
            // A change of FIFO mode clears the FIFO: read it empty first.
            drain(Infinity);
            write(u.UART_FCR, s === 'fifo' ? u.FCR_ENABLE : 0);
          }
          expect(uart.inputPending).toBe(expected.length - got.length);
        }
        drain(Infinity);
        expect(got).toEqual(expected);
      }),
    );
  });

  it.each([
    [0x01, 1],
    [0x41, 4],
    [0x81, 8],
    [0xc1, 14],
  ])('with FCR %i reports received data from %i bytes on, and a time-out below', (fcr, trigger) => {
    const { uart, line, write } = make();
    write(u.UART_FCR, fcr);
    write(u.UART_IER, u.IER_RECEIVED_DATA);
    for (let count = 1; count <= 16; count++) {
      uart.receive(Uint8Array.of(count));
      const cause = count >= trigger ? u.IIR_RECEIVED_DATA : u.IIR_TIME_OUT;
      expect(uart.read(u.UART_IIR)).toBe(cause | u.IIR_FIFO);
      expect(line.level).toBe(true);
    }
    while (uart.read(u.UART_LSR) & u.LSR_DATA_READY) uart.read(u.UART_RBR);
    expect(uart.read(u.UART_IIR)).toBe(u.IIR_NONE | u.IIR_FIFO);
    expect(line.level).toBe(false);
  });

  it('raises the THR-empty interrupt when it is enabled and after each byte, until IIR is read', () => {
    const { uart, line, write } = make();
    write(u.UART_IER, u.IER_THR_EMPTY);
    expect(line.level).toBe(true);
    expect(uart.read(u.UART_IIR)).toBe(u.IIR_THR_EMPTY);
    expect(line.level).toBe(false);
    expect(uart.read(u.UART_IIR)).toBe(u.IIR_NONE);
    write(u.UART_THR, 65);
    expect(line.level).toBe(true);
    write(u.UART_IER, 0);
    expect(line.level).toBe(false);
    expect(uart.read(u.UART_IIR)).toBe(u.IIR_NONE);
    // The 8250 driver's test for a broken THRE interrupt: enabling it again must raise it again.
    write(u.UART_IER, u.IER_THR_EMPTY);
    expect(uart.read(u.UART_IIR)).toBe(u.IIR_THR_EMPTY);
  });

  it('reports causes by priority: line status, data, THR empty, modem status', () => {
    const { uart, write } = make();
    write(u.UART_MCR, u.MCR_LOOP);
    write(u.UART_IER, 0x0f);
    write(u.UART_THR, 1);
    write(u.UART_THR, 2);
    expect(uart.read(u.UART_IIR)).toBe(u.IIR_LINE_STATUS);
    expect(uart.read(u.UART_LSR) & u.LSR_OVERRUN).toBe(u.LSR_OVERRUN);
    expect(uart.read(u.UART_IIR)).toBe(u.IIR_RECEIVED_DATA);
    expect(uart.read(u.UART_RBR)).toBe(2);
    expect(uart.read(u.UART_IIR)).toBe(u.IIR_THR_EMPTY);
    expect(uart.read(u.UART_IIR)).toBe(u.IIR_MODEM_STATUS);
    uart.read(u.UART_MSR);
    expect(uart.read(u.UART_IIR)).toBe(u.IIR_NONE);
  });

  it('in loopback returns what is sent, keeps it from the line, and mirrors the modem lines', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 16 }), fc.nat(15), (bytes, lines) => {
        const { uart, sent, write } = make();
        write(u.UART_FCR, u.FCR_ENABLE);
        write(u.UART_MCR, u.MCR_LOOP | lines);
        uart.receive(Uint8Array.of(99));
        for (const byte of bytes) write(u.UART_THR, byte);
        expect([...bytes].map(() => uart.read(u.UART_RBR))).toEqual([...bytes]);
        expect(uart.read(u.UART_LSR) & u.LSR_DATA_READY).toBe(0);
        expect(sent).toEqual([]);
        const status = uart.read(u.UART_MSR) & 0xf0;
        expect(status).toBe(
          (lines & u.MCR_RTS ? u.MSR_CTS : 0) |
            (lines & u.MCR_DTR ? u.MSR_DSR : 0) |
            (lines & u.MCR_OUT1 ? u.MSR_RI : 0) |
            (lines & u.MCR_OUT2 ? u.MSR_DCD : 0),
        );
        write(u.UART_MCR, lines);
        expect(uart.read(u.UART_RBR)).toBe(99);
      }),
    );
  });

  it('passes the 8250 driver’s loopback probe', () => {
    const { uart, write } = make();
    write(u.UART_MCR, u.MCR_LOOP | u.MCR_OUT2 | u.MCR_RTS);
    expect(uart.read(u.UART_MSR) & 0xf0).toBe(u.MSR_DCD | u.MSR_CTS);
  });

  it('shows the divisor instead of data while DLAB is set', () => {
    const { uart, sent, write } = make();
    write(u.UART_LCR, u.LCR_DLAB | 3);
    write(u.UART_DLL, 0x34);
    write(u.UART_DLM, 0x12);
    expect([uart.read(u.UART_DLL), uart.read(u.UART_DLM)]).toEqual([0x34, 0x12]);
    write(u.UART_LCR, 3);
    expect(sent).toEqual([]);
    expect(uart.read(u.UART_IER)).toBe(0);
    write(u.UART_SCR, 0xa5);
    expect(uart.read(u.UART_SCR)).toBe(0xa5);
  });

  it('hands input to the SBI console in the same order as to the registers', () => {
    const { uart, write } = make();
    write(u.UART_FCR, u.FCR_ENABLE);
    uart.receive(Uint8Array.from({ length: 20 }, (_, i) => i));
    expect([uart.takeInput(), uart.read(u.UART_RBR), uart.takeInput()]).toEqual([0, 1, 2]);
    for (let i = 3; i < 20; i++) expect(uart.takeInput()).toBe(i);
    expect(uart.takeInput()).toBeUndefined();
  });

  it('delivers a break as a zero that its line status tells, where it came among the bytes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 30 }), fc.constant('break' as const)), {
          maxLength: 12,
        }),
        fc.boolean(),
        (steps, fifo) => {
          const { uart, write } = make();
          if (fifo) write(u.UART_FCR, u.FCR_ENABLE);
          const expected: (number | 'break')[] = [];
          for (const step of steps) {
            if (step === 'break') {
              uart.receiveBreak();
              expected.push('break');
            } else {
              uart.receive(step);
              expected.push(...step);
            }
          }
          const got: (number | 'break')[] = [];
          for (
            let status = uart.read(u.UART_LSR);
            status & u.LSR_DATA_READY;
            status = uart.read(u.UART_LSR)
          ) {
            const byte = uart.read(u.UART_RBR);
            got.push((status & u.LSR_BREAK) !== 0 && byte === 0 ? 'break' : byte);
            if (got.at(-1) !== 'break') expect(status & u.LSR_BREAK).toBe(0);
          }
          expect(got).toEqual(expected);
        },
      ),
    );
  });

  it('raises the line status interrupt for a break until its status has been read', () => {
    const { uart, line, write } = make();
    write(u.UART_FCR, u.FCR_ENABLE);
    write(u.UART_IER, u.IER_LINE_STATUS);
    uart.receiveBreak();
    expect([line.level, uart.read(u.UART_IIR) & 0x0f]).toEqual([true, u.IIR_LINE_STATUS]);
    expect(uart.read(u.UART_LSR) & u.LSR_BREAK).toBe(u.LSR_BREAK);
    expect([line.level, uart.read(u.UART_LSR) & u.LSR_BREAK]).toEqual([false, 0]);
    uart.receiveBreak();
    uart.receive(Uint8Array.of(65));
    // SBI's console is one of bytes.
    uart.read(u.UART_RBR);
    expect([uart.takeInput(), uart.takeInput()]).toEqual([65, undefined]);
  });
});
