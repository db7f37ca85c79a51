import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as r from '../../src/devices/goldfish-rtc.ts';

function make() {
  const state = { now: 1_700_000_000_123_456_789n, level: false };
  const rtc = new r.GoldfishRtc(
    () => state.now,
    (level) => {
      state.level = level;
    },
  );
  const time = () => {
    const low = BigInt(rtc.read(r.RTC_TIME_LOW, 4));
    return (BigInt(rtc.read(r.RTC_TIME_HIGH, 4)) << 32n) | low;
  };
  const arm = (at: bigint) => {
    rtc.write(r.RTC_ALARM_HIGH, 4, Number(at >> 32n));
    rtc.write(r.RTC_ALARM_LOW, 4, Number(at & 0xffffffffn));
  };
  return { rtc, state, time, arm };
}

describe('goldfish RTC', () => {
  it('tells the time in nanoseconds, the high half latched with the low', () => {
    const { rtc, state, time } = make();
    expect(time()).toBe(state.now);
    state.now = 0x1_ffff_ffffn;
    const low = rtc.read(r.RTC_TIME_LOW, 4);
    state.now = 0x2_0000_0000n;
    expect([low, rtc.read(r.RTC_TIME_HIGH, 4)]).toEqual([0xffffffff, 1]);
  });

  it('goes on from the time it is set to', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 1n << 62n }), fc.nat(1_000_000), (set, later) => {
        const { rtc, state, time } = make();
        rtc.write(r.RTC_TIME_HIGH, 4, Number(set >> 32n));
        rtc.write(r.RTC_TIME_LOW, 4, Number(set & 0xffffffffn));
        state.now += BigInt(later);
        expect(time()).toBe(set + BigInt(later));
      }),
    );
  });

  it('fires its alarm when the time has come, once, and only while enabled', () => {
    const { rtc, state, arm } = make();
    arm(state.now + 5_000_000n);
    expect(rtc.alarmInNs).toBe(5_000_000n);
    expect(rtc.read(r.RTC_ALARM_STATUS, 4)).toBe(1);
    rtc.poll();
    state.now += 5_000_000n;
    rtc.poll();
    expect([state.level, rtc.alarmInNs]).toEqual([false, undefined]);
    rtc.write(r.RTC_IRQ_ENABLED, 4, 1);
    expect(state.level).toBe(true);
    rtc.write(r.RTC_CLEAR_INTERRUPT, 4, 1);
    expect(state.level).toBe(false);
    rtc.poll();
    expect(state.level).toBe(false);
  });

  it('fires at once for an alarm in the past, and never once it is cleared', () => {
    const { rtc, state, arm } = make();
    rtc.write(r.RTC_IRQ_ENABLED, 4, 1);
    arm(state.now - 1n);
    expect(state.level).toBe(true);
    rtc.write(r.RTC_CLEAR_INTERRUPT, 4, 0);
    arm(state.now + 1_000_000n);
    rtc.write(r.RTC_CLEAR_ALARM, 4, 0);
    state.now += 2_000_000n;
    rtc.poll();
    expect(state.level).toBe(false);
  });
});
