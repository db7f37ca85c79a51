// How tabs are laid out: groups of tabs, side by side or one above the other, as a tree. Pure functions on values.

/** A row of tabs, one of them in front. Only the last group there is may be empty. */
export interface Group {
  kind: 'group';
  id: number;
  tabs: readonly string[];
  front: string | undefined;
}

/** Two layouts beside each other (`row`) or one above the other (`column`); `share` of the first, 0 to 1. */
export interface Split {
  kind: 'split';
  id: number;
  direction: 'row' | 'column';
  share: number;
  first: Layout;
  second: Layout;
}

export type Layout = Group | Split;
export type Side = 'left' | 'right' | 'top' | 'bottom';

/** What a splitter leaves each side, as a share. */
export const MIN_SHARE = 0.1;

export function groupsOf(layout: Layout): Group[] {
  return layout.kind === 'group' ? [layout] : [...groupsOf(layout.first), ...groupsOf(layout.second)];
}

export function groupWith(layout: Layout, tab: string): Group | undefined {
  return groupsOf(layout).find(({ tabs }) => tabs.includes(tab));
}

/** An id that no part of the layout has. */
function freshId(layout: Layout): number {
  return layout.kind === 'group'
    ? layout.id + 1
    : Math.max(layout.id + 1, freshId(layout.first), freshId(layout.second));
}

function mapGroups(layout: Layout, change: (group: Group) => Layout): Layout {
  if (layout.kind === 'group') return change(layout);
  const first = mapGroups(layout.first, change);
  const second = mapGroups(layout.second, change);
  return first === layout.first && second === layout.second ? layout : { ...layout, first, second };
}

/** Without empty groups: what stood beside one has its place. */
function pruned(layout: Layout): Layout {
  if (layout.kind === 'group') return layout;
  const first = pruned(layout.first);
  const second = pruned(layout.second);
  const isEmpty = (part: Layout) => part.kind === 'group' && part.tabs.length === 0;
  if (isEmpty(first)) return second;
  if (isEmpty(second)) return first;
  return first === layout.first && second === layout.second ? layout : { ...layout, first, second };
}

function taken(layout: Layout, tab: string): Layout {
  return mapGroups(layout, (group) => {
    const index = group.tabs.indexOf(tab);
    if (index < 0) return group;
    const tabs = group.tabs.filter((other) => other !== tab);
    const front = group.front === tab ? tabs[Math.min(index, tabs.length - 1)] : group.front;
    return { ...group, tabs, front };
  });
}

/** The layout without this tab; its neighbour comes to the front. */
export function removeTab(layout: Layout, tab: string): Layout {
  return pruned(taken(layout, tab));
}

/** The layout with a tab in a group, in front; it leaves where it was. `before` undefined or unknown: at the end. */
export function placeTab(layout: Layout, tab: string, groupId: number, before?: string): Layout {
  if (tab === before || !groupsOf(layout).some(({ id }) => id === groupId)) return layout;
  const placed = mapGroups(taken(layout, tab), (group) => {
    if (group.id !== groupId) return group;
    const at = before === undefined ? -1 : group.tabs.indexOf(before);
    const tabs = at < 0 ? [...group.tabs, tab] : group.tabs.toSpliced(at, 0, tab);
    return { ...group, tabs, front: tab };
  });
  return pruned(placed);
}

export function bringToFront(layout: Layout, tab: string): Layout {
  return mapGroups(layout, (group) =>
    group.tabs.includes(tab) && group.front !== tab ? { ...group, front: tab } : group,
  );
}

/** The layout with a tab in a new group at a side of another; a group with this tab alone stays as it is. */
export function splitOff(layout: Layout, tab: string, groupId: number, side: Side): Layout {
  const target = groupsOf(layout).find(({ id }) => id === groupId);
  if (target === undefined || (target.tabs.length === 1 && target.tabs[0] === tab)) return layout;
  const id = freshId(layout);
  const group: Group = { kind: 'group', id, tabs: [tab], front: tab };
  const direction = side === 'left' || side === 'right' ? 'row' : 'column';
  const isFirst = side === 'left' || side === 'top';
  const divided = mapGroups(taken(layout, tab), (other) =>
    other.id === groupId
      ? ({
          ...{ kind: 'split', id: id + 1, direction, share: 0.5 },
          ...(isFirst ? { first: group, second: other } : { first: other, second: group }),
        } as Split)
      : other,
  );
  return pruned(divided);
}

/** The layout with another share for the first part of a split. */
export function resizeSplit(layout: Layout, id: number, share: number): Layout {
  if (layout.kind === 'group') return layout;
  if (layout.id === id) return { ...layout, share: Math.min(1 - MIN_SHARE, Math.max(MIN_SHARE, share)) };
  return {
    ...layout,
    first: resizeSplit(layout.first, id, share),
    second: resizeSplit(layout.second, id, share),
  };
}

/** How deep a stored layout may be: no screen shows more. */
const MAX_DEPTH = 12;

/**
 * Reads a layout that was stored: tabs that are not there any more are left out.
 * @returns undefined when it is no layout, or nothing is left of it
 */
export function readLayout(value: unknown, isTab: (tab: string) => boolean): Layout | undefined {
  const ids = new Set<number>();
  const seen = new Set<string>();
  const read = (part: unknown, depth: number): Layout | undefined => {
    if (typeof part !== 'object' || part === null || depth > MAX_DEPTH) return undefined;
    const { kind, id, tabs, front, direction, share, first, second } = part as Record<string, unknown>;
    if (typeof id !== 'number' || !Number.isSafeInteger(id) || ids.has(id)) return undefined;
    ids.add(id);
    if (kind === 'group' && Array.isArray(tabs)) {
      const left = tabs.filter((tab): tab is string => {
        const isNew = typeof tab === 'string' && isTab(tab) && !seen.has(tab);
        if (isNew) seen.add(tab);
        return isNew;
      });
      return { kind, id, tabs: left, front: left.find((tab) => tab === front) ?? left[0] };
    }
    if (kind !== 'split' || (direction !== 'row' && direction !== 'column') || typeof share !== 'number') {
      return undefined;
    }
    const [one, other] = [read(first, depth + 1), read(second, depth + 1)];
    if (one === undefined || other === undefined) return undefined;
    const kept = share >= MIN_SHARE && share <= 1 - MIN_SHARE ? share : 0.5;
    return { kind, id, direction, share: kept, first: one, second: other };
  };
  const layout = read(value, 0);
  if (layout === undefined) return undefined;
  const left = pruned(layout);
  return groupsOf(left).some(({ tabs }) => tabs.length > 0) ? left : undefined;
}
