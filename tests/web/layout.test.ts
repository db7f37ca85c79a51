import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  groupsOf,
  groupWith,
  type Layout,
  MIN_SHARE,
  placeTab,
  readLayout,
  removeTab,
  resizeSplit,
  type Side,
  splitOff,
} from '../../web/state/layout.ts';
import { Workspace } from '../../web/state/workspace.ts';

const TABS = ['guests', 'm1', 'm2', 'm3', 'm3-1', 'benchmark'];
const SIDES: Side[] = ['left', 'right', 'top', 'bottom'];

/** What somebody may do with tabs; numbers choose among what is there. */
const step = fc.record({
  what: fc.constantFrom('open', 'close', 'move', 'split', 'resize', 'moveOn', 'focus'),
  tab: fc.constantFrom(...TABS),
  other: fc.constantFrom(...TABS),
  group: fc.nat(8),
  side: fc.constantFrom(...SIDES),
  share: fc.double({ min: -1, max: 2, noNaN: true }),
});

function splitsOf(layout: Layout): { id: number; share: number }[] {
  return layout.kind === 'group' ? [] : [layout, ...splitsOf(layout.first), ...splitsOf(layout.second)];
}

describe('the workspace', () => {
  test('has each open tab once, whatever is done, and no empty group beside another', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const workspace = new Workspace();
        const open = new Set<string>();
        for (const { what, tab, other, group, side, share } of steps) {
          const { layout } = workspace.view.value;
          const groups = groupsOf(layout);
          const id = groups[group % groups.length]!.id;
          const isOpen = open.has(tab);
          if (what === 'open') {
            workspace.open(tab);
            open.add(tab);
            expect(workspace.front).toBe(tab);
          } else if (what === 'close') {
            workspace.close(tab);
            open.delete(tab);
          } else if (what === 'move' && isOpen) {
            workspace.move(tab, id, other);
          } else if (what === 'split' && isOpen) {
            workspace.split(tab, side, id);
            expect(workspace.front).toBe(tab);
          } else if (what === 'moveOn') workspace.moveOn(tab);
          else if (what === 'focus') workspace.focus(id);
          else for (const split of splitsOf(layout)) workspace.resize(split.id, share);

          const after = workspace.view.value;
          const all = groupsOf(after.layout);
          expect(all.flatMap(({ tabs }) => tabs).toSorted()).toEqual([...open].toSorted());
          for (const { tabs, front } of all) {
            if (all.length > 1) expect(tabs).not.toHaveLength(0);
            if (tabs.length > 0) expect(tabs).toContain(front);
            else expect(front).toBeUndefined();
          }
          const splits = splitsOf(after.layout);
          const ids = [...all, ...splits].map(({ id }) => id);
          expect(new Set(ids).size).toBe(ids.length);
          for (const { share } of splits) {
            expect(share).toBeGreaterThanOrEqual(MIN_SHARE);
            expect(share).toBeLessThanOrEqual(1 - MIN_SHARE);
          }
          expect(all.map(({ id }) => id)).toContain(after.focused);
          // What is stored is what comes back.
          if (open.size > 0) {
            const stored: unknown = JSON.parse(JSON.stringify(after.layout));
            expect(readLayout(stored, (name) => open.has(name))).toEqual(after.layout);
          }
        }
      }),
    );
  });

  test('puts a tab at the side that was asked for, and gives its place back when it goes', () => {
    const one: Layout = { kind: 'group', id: 1, tabs: ['guests', 'm1'], front: 'guests' };
    for (const side of SIDES) {
      const two = splitOff(one, 'm1', 1, side);
      if (two.kind !== 'split') throw new Error('nothing was split');
      expect(two.direction).toBe(side === 'left' || side === 'right' ? 'row' : 'column');
      const isFirst = groupsOf(two)[0]?.tabs[0] === 'm1';
      expect(isFirst).toBe(side === 'left' || side === 'top');
      expect(removeTab(two, 'm1')).toEqual({ ...one, tabs: ['guests'] });
      expect(placeTab(two, 'm1', 1)).toEqual({ ...one, front: 'm1' });
      expect(groupWith(resizeSplit(two, two.id, 0.3), 'm1')).toBeDefined();
    }
    expect(splitOff(one, 'm9', 7, 'left')).toBe(one);
  });

  test('reads nothing that is no layout, and leaves out tabs that are gone', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const layout = readLayout(value, () => true);
        if (layout) expect(groupsOf(layout).every(({ tabs }) => tabs.length > 0)).toBe(true);
      }),
    );
    const group = (id: number, ...tabs: string[]) => ({ kind: 'group', id, tabs, front: tabs[0] });
    const split = {
      kind: 'split',
      id: 3,
      direction: 'row',
      share: 7,
      first: group(1, 'a', 'b'),
      second: group(2, 'c'),
    };
    expect(readLayout(split, (tab) => tab !== 'c')).toEqual(group(1, 'a', 'b'));
    expect(readLayout(split, () => true)).toMatchObject({ kind: 'split', share: 0.5 });
    expect(readLayout({ ...split, second: group(1, 'c') }, () => true)).toBeUndefined();
    expect(readLayout({ ...split, second: group(2, 'a') }, () => true)).toEqual(group(1, 'a', 'b'));
    let deep: unknown = group(1000, 'a');
    for (let id = 0; id < 50; id++) {
      deep = {
        kind: 'split',
        id,
        direction: 'row',
        share: 0.5,
        first: deep,
        second: group(2000 + id, `t${id}`),
      };
    }
    expect(readLayout(deep, () => true)).toBeUndefined();
  });
});
