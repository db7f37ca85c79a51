import type { ContainerState } from './engine-types.ts';

const UNITS: readonly [name: string, seconds: number, until: number][] = [
  ['second', 1, 60],
  ['minute', 60, 3600],
  ['hour', 3600, 48 * 3600],
  ['day', 86_400, 14 * 86_400],
  ['week', 7 * 86_400, 60 * 86_400],
  ['month', 30 * 86_400, 730 * 86_400],
  ['year', 365 * 86_400, Infinity],
];

/** A span of time as `docker ps` has it: `5 seconds`, `About a minute`, `2 hours`. */
export function describeSpan(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds >= 60 && seconds < 120) return 'About a minute';
  if (seconds >= 3600 && seconds < 5400) return 'About an hour';
  const [name, unit] = UNITS.find(([, , until]) => seconds < until)!;
  const count = name === 'hour' ? Math.round(seconds / unit) : Math.floor(seconds / unit);
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}

/** The column STATUS of `docker ps`. */
export function describeStatus(state: ContainerState, now: number): string {
  const since = (time: string) => describeSpan(now - Date.parse(time));
  switch (state.Status) {
    case 'running':
      return `Up ${since(state.StartedAt)}`;
    case 'paused':
      return `Up ${since(state.StartedAt)} (Paused)`;
    case 'restarting':
      return `Restarting (${state.ExitCode}) ${since(state.FinishedAt)} ago`;
    case 'exited':
      return `Exited (${state.ExitCode}) ${since(state.FinishedAt)} ago`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
    case 'created':
      return 'Created';
  }
}
