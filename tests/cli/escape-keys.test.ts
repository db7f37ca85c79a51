import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EscapeKeys, type KeyAction } from '../../src/cli/escape-keys.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array) => new TextDecoder().decode(data);

it.each<[string, string, KeyAction[]]>([
  ['ls\r', 'ls\r', []],
  ['\x01x', '', ['quit']],
  ['\x01X', '', ['quit']],
  ['a\x01hb', 'ab', ['help']],
  ['a\x01Sb', 'ab', ['save']],
  ['a\x01pb\x01b', 'ab', ['power', 'break']],
  ['a\x01\x01b', 'a\x01b', []],
  ['\x01qz', 'z', []],
  ['\x03\x04', '\x03\x04', []],
])('typing %j sends %j and asks for %j', (typed, sent, actions) => {
  const got = new EscapeKeys().feed(bytes(typed));
  expect(text(got.data)).toBe(sent);
  expect(got.actions).toEqual(actions);
});

it('does not mind where the typed bytes are cut', () => {
  const typed = fc.array(fc.constantFrom(1, 0x78, 0x68, 0x61, 13, 0xc3), { maxLength: 30 });
  fc.assert(
    fc.property(typed, fc.nat(), (codes, at) => {
      const all = Uint8Array.from(codes);
      const whole = new EscapeKeys().feed(all);
      const keys = new EscapeKeys();
      const cut = at % (all.length + 1);
      const [first, second] = [keys.feed(all.subarray(0, cut)), keys.feed(all.subarray(cut))];
      expect([...first.data, ...second.data]).toEqual([...whole.data]);
      expect([...first.actions, ...second.actions]).toEqual(whole.actions);
    }),
  );
});
