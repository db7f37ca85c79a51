import type { ContainerEngine } from 'hypertab';
import type { ContainerItem, ContainerSource } from '../state/containers.ts';

/** The engine tells of no changes: it is asked, which costs nothing worth naming. */
const LOOK_MS = 500;

const STATES: Readonly<Record<string, ContainerItem['state']>> = {
  ...{ created: 'created', running: 'running', paused: 'paused', exited: 'exited', dead: 'dead' },
  ...{ restarting: 'running', removing: 'exited' },
};

/**
 * The containers of an engine, for the page's sidebar.
 * @param engine undefined while there is none
 */
export function containerSource(
  engine: () => ContainerEngine | undefined,
  open: (id: string) => void,
): ContainerSource {
  return {
    watch: (listener) => {
      let last = '';
      const look = () => {
        const items = (engine()?.list({ all: true }) ?? []).map(({ Id, Names, Image, State }) => ({
          ...{ id: Id, name: Names[0]?.slice(1) ?? Id.slice(0, 12), image: Image },
          state: STATES[State] ?? ('exited' as const),
        }));
        const text = JSON.stringify(items);
        if (text === last) return;
        last = text;
        listener(items);
      };
      look();
      const timer = setInterval(look, LOOK_MS);
      return () => clearInterval(timer);
    },
    open,
  };
}
