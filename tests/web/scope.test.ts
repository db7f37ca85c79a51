import { expect, test } from 'vitest';
import { Store } from '../../web/state/store.ts';
import { listen, onEnd, Scope, watch } from '../../web/views/scope.ts';

test('what a view watches ends with it, and so does what was built for what it watched', () => {
  const outer = new Store(0);
  const inner = new Store(0);
  const seen: string[] = [];
  const scope = new Scope();
  scope.run(() =>
    watch(outer, (value) => {
      seen.push(`outer ${value}`);
      const part = new Scope();
      part.run(() => watch(inner, (value) => seen.push(`inner ${value}`)));
      if (value === 1) part.end();
    }),
  );
  outer.set(1);
  expect(seen.splice(0)).toEqual(['outer 0', 'inner 0', 'outer 1', 'inner 0']);
  inner.set(1);
  // The first part goes on, the second has ended.
  expect(seen.splice(0)).toEqual(['inner 1']);
  scope.end();
  outer.set(2);
  inner.set(2);
  expect(seen).toEqual([]);
});

test('events are listened to, and ends are called, once and in the scope that they belong to', () => {
  const target = new EventTarget();
  const scope = new Scope();
  let events = 0;
  let ends = 0;
  scope.run(() => {
    listen(target, 'change', () => events++);
    onEnd(() => ends++);
  });
  target.dispatchEvent(new Event('change'));
  scope.end();
  scope.end();
  target.dispatchEvent(new Event('change'));
  expect([events, ends]).toEqual([1, 1]);
});

test('a view that is built outside of a scope is an error, and one that fails leaves no scope behind', () => {
  expect(() => onEnd(() => {})).toThrow('outside of a scope');
  const scope = new Scope();
  expect(() =>
    scope.run(() => {
      throw new Error('broken');
    }),
  ).toThrow('broken');
  expect(() => watch(new Store(0), () => {})).toThrow('outside of a scope');
});
